"""The seam between execution and consensus: who puts transactions in order, and what makes a block final.

The chain executes what an `Ordering` has arranged and asks it for a certificate over the header. Twenty-one validators
that agree by PBFT stand in `gridlab.chain.pbft_ordering`. What stands here is the plainest honest one: a single
sequencer that takes transactions as they arrive and signs each block. It is no consensus: whoever trusts the chain
trusts that one key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import polars as pl

from gridlab.chain.arguments import require_bytes
from gridlab.chain.blocks import Block, Header
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.hashing import signing_message
from gridlab.chain.keys import KeyPair, require_key_pair, verify
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError, nearest

__all__ = ["ROUNDS", "Execute", "Ordering", "SingleSequencer", "ordering_of", "require_ordering"]


ROUNDS: Mapping[str, Any] = {
    "height": pl.UInt64,
    "view": pl.UInt64,
    "view_changes": pl.UInt32,
    "proposed_ms": pl.Float64,
    "final_ms": pl.Float64,
    "finality_ms": pl.Float64,
    "messages": pl.UInt64,
    "signatures": pl.UInt32,
}

Execute = Callable[[Sequence[Transaction]], Block]


@runtime_checkable
class Ordering(Protocol):
    """What the chain needs of whoever orders its transactions."""

    @property
    def name(self) -> str:
        """Name under which `ordering_of` finds the way to check this ordering's certificates."""

    @property
    def rounds(self) -> pl.DataFrame:
        """How each block became final, as `ROUNDS`; empty where nobody had to agree."""

    @property
    def authority(self) -> bytes:
        """What genesis commits to, and all that is needed to check certificates of the first blocks."""

    def twin(self) -> Ordering:
        """Return an ordering with the same keys that has decided nothing, for a copy of the chain."""

    def arrange(self, pending: Sequence[Transaction]) -> Sequence[Transaction]:
        """Put the pending transactions in the order in which the next block executes them."""

    def decide(self, proposed: Block, execute: Execute, authority: bytes) -> tuple[Block, bytes]:
        """Return the block that is final and its certificate, or raise ChainError where there is none.

        Parameters
        ----------
        proposed : Block
            What the arranged transactions give.
        execute : callable
            Gives the block of other transactions in its place, should whoever orders want to show one.
        authority : bytes
            The authority in force.
        """

    def accepts(self, header: Header, certificate: bytes, authority: bytes) -> bool:
        """Say whether a certificate makes the block of this header final under the authority in force."""


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
    def rounds(self) -> pl.DataFrame:
        """No rows: one key agrees with itself at once."""
        return pl.DataFrame(schema=dict(ROUNDS))

    @property
    def authority(self) -> bytes:
        """The sequencer's public key."""
        return self._public_key

    @property
    def can_seal(self) -> bool:
        """Whether the sequencer's secret key is here."""
        return self._key_pair is not None

    def twin(self) -> SingleSequencer:
        """Return the sequencer itself: it keeps no memory of what it has signed."""
        return self

    def arrange(self, pending: Sequence[Transaction]) -> Sequence[Transaction]:
        """Keep the order of arrival."""
        return pending

    def decide(
        self,
        proposed: Block,
        execute: Execute,  # noqa: ARG002 - it shows what it was given
        authority: bytes,  # noqa: ARG002 - it is the only authority itself
    ) -> tuple[Block, bytes]:
        """Sign the block; raises ChainError where only the public key is known."""
        if self._key_pair is None:
            raise ChainError(
                "the sequencer's secret key is not here, so blocks can be checked and not sealed; "
                "give ordering=SingleSequencer(key_pair) to go on sealing"
            )
        return proposed, self._key_pair.sign(self._message(proposed.header))

    def accepts(self, header: Header, certificate: bytes, authority: bytes) -> bool:
        """Say whether the certificate is the sequencer's signature of this block of this chain."""
        return verify(authority, self._message(header), certificate)

    def _message(self, header: Header) -> bytes:
        return signing_message(self._DOMAIN, header.chain_id, header.hash)


def _pbft(authority: bytes) -> Ordering:
    from gridlab.chain.pbft_ordering import PbftOrdering

    return PbftOrdering.checking(authority)


_KNOWN: dict[str, Callable[[bytes], Ordering]] = {SingleSequencer.name: SingleSequencer, "pbft": _pbft}


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
            f"ordering is a {type(value).__name__}, allowed: an Ordering such as PbftOrdering.of(21) or "
            "SingleSequencer(key_pair)"
        )
    return value
