"""Ed25519 verification with one verdict everywhere.

RFC 8032 (2017) leaves room, and libraries use it: OpenSSL takes keys of small order, ZIP-215 and some releases of
libsodium multiply by the cofactor before they compare. Replicas that disagree about one signature fork. The rule
here is the narrowest one: cofactorless equation, ``0 <= S < L``, canonical encodings, no A or R of small order. It is
checked in front of the library where the library would be laxer; what is left to the library is the equation

    encode(S·B - H(R, A, M)·A) = R.

References
----------
Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", SSR 2020 (the cases on which libraries disagree).
Bernstein, Lange, "Ed25519: subgroup elements", ed25519.cr.yp.to (the points of order 1, 2, 4 and 8).
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_bytes
from gridlab.chain.hashing import blake2b_256
from gridlab.errors import ArgumentTypeError

__all__ = [
    "PUBLIC_KEY_BYTES",
    "SIGNATURE_BYTES",
    "Verdicts",
    "in_slices",
    "open_many",
    "usable_key",
    "verify",
    "verify_many",
    "well_formed",
]

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
FIELD_PRIME = 2**255 - 19
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

# The eight points of small order have only five y coordinates: order 1, order 2, order 4 (both), order 8 (two pairs).
_Y_OF_ORDER_8 = int.from_bytes(
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
)
SMALL_ORDER_Y = frozenset({1, FIELD_PRIME - 1, 0, _Y_OF_ORDER_8, FIELD_PRIME - _Y_OF_ORDER_8})

# Below this many signatures starting threads costs more than it saves (some 40 µs a signature).
_THREADING_PAYS = 16
_REMEMBERED = 1 << 16
# Short enough that a thread which was held up leaves work to the other, long enough that handing over costs nothing.
_SLICE = 512

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Equation = Callable[[bytes, bytes, bytes], bool]


def _usable_point(encoded: bytes) -> bool:
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    # x = 0 has no second sign, but its two points have small order, so the list also refuses "minus zero".
    return y < FIELD_PRIME and y not in SMALL_ORDER_Y


def usable_key(public_key: bytes) -> bool:
    """Say whether 32 bytes may be a public key: canonical and not of small order, for which anybody could sign."""
    return len(public_key) == PUBLIC_KEY_BYTES and _usable_point(public_key)


def _well_formed(public_key: bytes, signature: bytes) -> bool:
    return (
        len(public_key) == PUBLIC_KEY_BYTES
        and len(signature) == SIGNATURE_BYTES
        and int.from_bytes(signature[32:], "little") < GROUP_ORDER
        and _usable_point(public_key)
        and _usable_point(signature[:32])
    )


def _libsodium(public_key: bytes, message: bytes, signature: bytes) -> bool:
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def _openssl(public_key: bytes, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# Case 4 of "Taming the many EdDSAs": A and R of mixed order, valid only if both sides are multiplied by the cofactor.
_COFACTOR_PROBE = (
    bytes.fromhex("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
    bytes.fromhex("e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c"),
    bytes.fromhex(
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"
    ),
)


@functools.cache
def _equation() -> _Equation:
    # libsodium is the faster of the two, but which equation it checks depends on the release behind PyNaCl.
    return _openssl if _libsodium(*_COFACTOR_PROBE) else _libsodium


class Verdicts:
    """Verdicts by a name that commits to key, message and signature, the oldest forgotten first.

    A verdict is a fact, so sharing it is safe.

    Parameters
    ----------
    limit : int
        How many are remembered.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: dict[bytes, bool] = {}
        self._lock = threading.Lock()

    def get(self, name: bytes) -> bool | None:
        """Return the verdict, or None where it is not known."""
        return self._known.get(name)

    def get_many(self, names: Sequence[bytes]) -> list[bool | None]:
        """Return what `get` returns for each."""
        return list(map(self._known.get, names))

    def put(self, name: bytes, *, verdict: bool) -> None:
        """Remember a verdict."""
        self.put_many([name], [verdict])

    def put_many(self, names: Sequence[bytes], verdicts: Sequence[bool]) -> None:
        """Remember many verdicts, one for each name."""
        with self._lock:
            self._known.update(zip(names, verdicts, strict=True))
            excess = len(self._known) - self._limit
            for name in list(itertools.islice(self._known, max(excess, 0))):
                del self._known[name]


_verdicts = Verdicts(_REMEMBERED)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` is `public_key`'s Ed25519 signature of `message`.

    Parameters
    ----------
    public_key : bytes
        32 bytes; any other length is simply not a valid key.
    message : bytes
        Any length.
    signature : bytes
        64 bytes, R and then S; any other length is simply not a valid signature.

    Returns
    -------
    bool
        True only under the narrow rule of this module, whatever library is installed.

    Raises
    ------
    ArgumentTypeError
        An argument is not ``bytes``.

    Examples
    --------
    >>> from gridlab.chain import keys
    >>> pair = keys.sandbox(0, "trader")
    >>> verify(pair.public_key, b"sell", pair.sign(b"sell")), verify(pair.public_key, b"buy", pair.sign(b"sell"))
    (True, False)
    """
    require_bytes("public_key", public_key)
    require_bytes("message", message)
    require_bytes("signature", signature)
    if not _well_formed(public_key, signature):
        return False
    # Key and signature have fixed lengths, so the three cannot be cut apart in another way.
    name = blake2b_256(public_key + signature + message)
    verdict = _verdicts.get(name)
    if verdict is None:
        verdict = _equation()(public_key, message, signature)
        _verdicts.put(name, verdict=verdict)
    return verdict


def _verify_slice(checks: Sequence[tuple[bytes, bytes, bytes]]) -> list[bool]:
    return [verify(*check) for check in checks]


def verify_many(checks: Sequence[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """Verify many signatures, on all processor cores: the library releases the interpreter while it computes.

    Parameters
    ----------
    checks : sequence of (public_key, message, signature)

    Returns
    -------
    list of bool
        One verdict per check, in the same order.

    Raises
    ------
    ArgumentTypeError
        `checks` is not a sequence of triples of ``bytes``.
    """
    if not isinstance(checks, Sequence) or isinstance(checks, (bytes, str)):
        raise ArgumentTypeError(f"checks is a {type(checks).__name__}, allowed: a list of (key, message, signature)")
    for place, check in enumerate(checks):
        if not isinstance(check, tuple) or len(check) != 3:
            raise ArgumentTypeError(f"checks[{place}] is {check!r}, allowed: a tuple (key, message, signature)")
    return in_slices(_verify_slice, checks)


def in_slices(act: Callable[[Sequence[_Item]], list[_Result]], items: Sequence[_Item]) -> list[_Result]:
    """Return what ``act(items)`` returns, its slices shared out over the processor cores.

    Parameters
    ----------
    act : callable
        Takes a slice of `items` and returns one result for each; worth it where most of its time is spent in a library
        that releases the interpreter, such as checking a signature (some 40 µs).
    items : sequence

    Returns
    -------
    list
        In the order of `items`.
    """
    workers = os.cpu_count() or 1
    if workers == 1 or len(items) < _THREADING_PAYS:
        return act(items)
    # Long slices, because handing over single signatures costs as much as a third of the work.
    size = min(_SLICE, -(-len(items) // workers))
    with ThreadPoolExecutor(workers) as pool:
        slices = pool.map(act, [items[start : start + size] for start in range(0, len(items), size)])
        return [result for part in slices for result in part]


def open_many(public_keys: Sequence[bytes], signed: Sequence[bytes]) -> list[bool]:
    """Say which of many signed messages satisfy the equation, on this thread.

    No more than the equation: whether key and signature are well formed is for `well_formed` to say, and nothing is
    remembered. For callers that check thousands, arrange the bytes themselves and keep the verdicts.

    Parameters
    ----------
    public_keys : sequence of bytes
        32 bytes each.
    signed : sequence of bytes
        The 64 bytes of a signature and then its message, one for each key.

    Returns
    -------
    list of bool
    """
    equation = _equation()
    if equation is not _libsodium:
        pairs = zip(public_keys, signed, strict=True)
        return [equation(key, whole[SIGNATURE_BYTES:], whole[:SIGNATURE_BYTES]) for key, whole in pairs]
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    verdicts = []
    for key, whole in zip(public_keys, signed, strict=True):
        try:
            crypto_sign_open(whole, key)
        except BadSignatureError:
            verdicts.append(False)
        else:
            verdicts.append(True)
    return verdicts


def well_formed(public_keys: npt.NDArray[np.uint8], signatures: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Say which keys and signatures have the one canonical form: S < L, and A and R canonical and not of small order.

    Parameters
    ----------
    public_keys : array of uint8, shape (n, 32)
    signatures : array of uint8, shape (n, 64)

    Returns
    -------
    array of bool, shape (n,)
        For each row what `verify` checks in front of the equation.
    """
    usable = _usable_points(_words(public_keys)) & _usable_points(_words(signatures[:, :32]))
    return usable & _less(_words(signatures[:, 32:]), GROUP_ORDER)


def _words(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    # The least significant word first, as RFC 8032 writes integers; shape (4, n).
    return np.ascontiguousarray(np.ascontiguousarray(rows).view("<u8").T)


def _limbs(number: int) -> list[np.uint64]:
    return [np.uint64(number >> shift & 2**64 - 1) for shift in (0, 64, 128, 192)]


def _less(words: npt.NDArray[np.uint64], bound: int) -> npt.NDArray[np.bool_]:
    less = np.zeros(words.shape[1], np.bool_)
    # From the least significant word on: a more significant one overrules unless it is equal.
    for word, limb in zip(words, _limbs(bound), strict=True):
        less = (word < limb) | ((word == limb) & less)
    return less


def _usable_points(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    y = words.copy()
    y[3] &= np.uint64(2**63 - 1)
    small: Any = np.zeros(y.shape[1], np.bool_)
    for number in sorted(SMALL_ORDER_Y):
        small |= np.logical_and.reduce([word == limb for word, limb in zip(y, _limbs(number), strict=True)])
    usable: npt.NDArray[np.bool_] = _less(y, FIELD_PRIME) & ~small
    return usable
