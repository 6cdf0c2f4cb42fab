"""SS58, Substrate's addresses: a key and the number of its network in base 58, with a checksum.

References
----------
Parity Technologies, "SS58 address format", Substrate documentation, 2022.
Nakamoto, Bitcoin source ``base58.h``, 2009 (the alphabet, and one "1" for each leading zero byte).
"""

from __future__ import annotations

import hashlib

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.errors import ArgumentError, ChainError

__all__ = ["ss58_decode", "ss58_encode"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_LARGEST_FORMAT = 16_383
_RESERVED_FORMATS = (46, 47)
# Account indices carry one byte of checksum, public keys (33 bytes: compressed secp256k1) two.
_CHECKSUM_BYTES = {1: 1, 2: 1, 4: 1, 8: 1, 32: 2, 33: 2}
_LONGEST_ADDRESS = 64


def _base58_encode(data: bytes) -> str:
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    letters = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(_ALPHABET[digit])
    return _ALPHABET[0] * zeros + "".join(reversed(letters))


def _base58_decode(address: str) -> bytes:
    number = 0
    for place, letter in enumerate(address):
        if letter not in _VALUE:
            raise ChainError(
                f"SS58 address {address!r}: {letter!r} at place {place} is not a base-58 letter "
                "(0, O, I and l are left out); copy the address again"
            )
        number = number * 58 + _VALUE[letter]
    zeros = len(address) - len(address.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _prefix_bytes(prefix: int) -> bytes:
    if prefix < 64:
        return bytes([prefix])
    # Two bytes: the low eight bits come first, turned so that the first byte's top bits are 01.
    return bytes([(prefix & 0b1111_1100) >> 2 | 0b0100_0000, prefix >> 8 | (prefix & 0b11) << 6])


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(b"SS58PRE" + data, digest_size=64).digest()


def ss58_encode(payload: bytes, prefix: int = 42) -> str:
    """Write a public key as an SS58 address.

    Parameters
    ----------
    payload : bytes
        A public key of 32 or 33 bytes, or an account index of 1, 2, 4 or 8 bytes.
    prefix : int
        Number of the network, 0 … 16,383 without the reserved 46 and 47; 42 is any Substrate network.

    Raises
    ------
    ArgumentTypeError
        `payload` is not ``bytes`` or `prefix` not an ``int``.
    ArgumentError
        A length or a number that the format does not allow.

    Examples
    --------
    >>> ss58_encode(bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"))
    '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY'
    """
    require_bytes("payload", payload)
    require_int("prefix", prefix, 0, _LARGEST_FORMAT)
    if prefix in _RESERVED_FORMATS:
        raise ArgumentError(f"prefix is {prefix}, which is reserved; 42 is any Substrate network")
    if len(payload) not in _CHECKSUM_BYTES:
        raise ArgumentError(f"payload has {len(payload)} bytes, allowed: {sorted(_CHECKSUM_BYTES)}")
    body = _prefix_bytes(prefix) + payload
    return _base58_encode(body + _checksum(body)[: _CHECKSUM_BYTES[len(payload)]])


def _read_prefix(address: str, data: bytes) -> tuple[int, int]:
    if data[0] < 64:
        return data[0], 1
    if data[0] > 127 or len(data) < 2:
        raise ChainError(f"SS58 address {address!r}: first byte {data[0]} is reserved, allowed: 0 … 127")
    prefix = (data[0] & 0b0011_1111) << 2 | data[1] >> 6 | (data[1] & 0b0011_1111) << 8
    if prefix < 64:
        raise ChainError(f"SS58 address {address!r}: network {prefix} is written in two bytes where one is enough")
    return prefix, 2


def ss58_decode(text: str) -> tuple[bytes, int]:
    """Read an SS58 address.

    Parameters
    ----------
    text : str
        The address.

    Returns
    -------
    tuple of (bytes, int)
        The key (or account index) and the number of the network.

    Raises
    ------
    ArgumentTypeError
        `text` is not a ``str``.
    ChainError
        A letter, a length, a network or a checksum is wrong.

    Examples
    --------
    >>> ss58_decode("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")[1]
    42
    """
    require_text("address", text)
    if not 0 < len(text) <= _LONGEST_ADDRESS:
        raise ChainError(f"SS58 address {text[:80]!r} has {len(text)} letters, allowed: 1 to {_LONGEST_ADDRESS}")
    data = _base58_decode(text)
    prefix, start = _read_prefix(text, data)
    for size, checked in _CHECKSUM_BYTES.items():
        if len(data) == start + size + checked:
            break
    else:
        raise ChainError(f"SS58 address {text!r} holds {len(data)} bytes, which no key or account index gives")
    if prefix in _RESERVED_FORMATS:
        raise ChainError(f"SS58 address {text!r}: network {prefix} is reserved")
    if data[start + size :] != _checksum(data[: start + size])[:checked]:
        raise ChainError(f"SS58 address {text!r}: the checksum does not fit; a letter is mistyped, copy it again")
    return data[start : start + size], prefix
