"""The seam between execution and consensus: who puts transactions in order, and what makes a block final.

The chain executes what an `Ordering` has arranged and asks it for a certificate over the header's hash. What stands
here is the plainest honest one: a single sequencer that takes transactions as they arrive and signs each block. It is
no consensus: whoever trusts the chain trusts that one key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from gridlab.chain.arguments import require_bytes
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.hashing import signing_message
from gridlab.chain.keys import KeyPair, require_key_pair, verify
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError, nearest

__all__ = ["Ordering", "SingleSequencer", "ordering_of", "require_ordering"]


@runtime_checkable
class Ordering(Protocol):
    """What the chain needs of whoever orders its transactions."""

    @property
    def name(self) -> str:
        """Name under which `ordering_of` finds the way to check this ordering's certificates."""

    @property
    def authority(self) -> bytes:
        """What genesis commits to, and all that is needed to check certificates."""

    def arrange(self, pending: Sequence[Transaction]) -> tuple[Transaction, ...]:
        """Put the pending transactions in the order in which the next block executes them."""

    def certify(self, chain_id: str, header_hash: bytes) -> bytes:
        """Make the certificate of a block, or raise ChainError."""

    def accepts(self, chain_id: str, header_hash: bytes, certificate: bytes) -> bool:
        """Say whether a certificate makes that block final."""


class SingleSequencer:
    """Arrival order, no consensus: one sequencer signs every block.

    Parameters
    ----------
    signer : KeyPair or bytes
        The sequencer's key pair, or its public key alone, with which blocks can be checked and not sealed.
    """

    __slots__ = ("_key_pair", "_public_key")

    name = "single-sequencer"
    _DOMAIN = "gridlab/block-certificate/single-sequencer/1"

    def __init__(self, signer: KeyPair | bytes) -> None:
        self._key_pair = None if isinstance(signer, bytes) else require_key_pair("signer", signer)
        public_key = signer if isinstance(signer, bytes) else signer.public_key
        self._public_key = require_bytes("signer", public_key, PUBLIC_KEY_BYTES)

    def __repr__(self) -> str:
        return f"SingleSequencer({self._public_key.hex()[:16]}…{'' if self._key_pair else ', cannot seal'})"

    @property
    def authority(self) -> bytes:
        """The sequencer's public key."""
        return self._public_key

    def arrange(self, pending: Sequence[Transaction]) -> tuple[Transaction, ...]:
        """Keep the order of arrival."""
        return tuple(pending)

    def certify(self, chain_id: str, header_hash: bytes) -> bytes:
        """Sign the block; raises ChainError where only the public key is known."""
        if self._key_pair is None:
            raise ChainError(
                "the sequencer's secret key is not here, so blocks can be checked and not sealed; "
                "give ordering=SingleSequencer(key_pair) to go on sealing"
            )
        return self._key_pair.sign(signing_message(self._DOMAIN, chain_id, header_hash))

    def accepts(self, chain_id: str, header_hash: bytes, certificate: bytes) -> bool:
        """Say whether the certificate is the sequencer's signature of this block of this chain."""
        return verify(self._public_key, signing_message(self._DOMAIN, chain_id, header_hash), certificate)


_KNOWN: dict[str, Callable[[bytes], Ordering]] = {SingleSequencer.name: SingleSequencer}


def ordering_of(name: str, authority: bytes) -> Ordering:
    """Return the ordering that genesis names, able to check blocks.

    Raises
    ------
    ChainError
        The name is not known.
    ArgumentError
        The authority is not one of that ordering.
    """
    if name not in _KNOWN:
        raise ChainError(f"ordering {name!r} is not known; {nearest(name, _KNOWN)}")
    return _KNOWN[name](authority)


def require_ordering(value: object) -> Ordering:
    """Return `value` if it is an `Ordering`, or raise ArgumentTypeError."""
    if not isinstance(value, Ordering):
        raise ArgumentTypeError(
            f"ordering is a {type(value).__name__}, allowed: an Ordering such as SingleSequencer(key_pair)"
        )
    return value
