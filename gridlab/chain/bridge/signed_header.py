"""What a light client reads of a header, and the header with the proof that it is final."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.encoding import Reader, blob, i64, text, u64
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.moments import LATEST
from gridlab.frames import SLOT

__all__ = ["ANCHORS", "Anchor", "SignedHeader"]

_ROOTS = ("hash", "parent", "state_root", "transactions_root", "receipts_root", "next_authority")

ANCHORS: Mapping[str, Any] = {
    "chain": pl.String,
    "height": pl.UInt64,
    "slot": SLOT,
    "hash": pl.String,
    "state_root": pl.String,
    "transactions_root": pl.String,
    "receipts_root": pl.String,
}


@dataclass(frozen=True, slots=True)
class Anchor:
    """What is kept of a foreign chain's final header.

    Attributes
    ----------
    chain_id : str
    height : int
    timestamp : int
        Microseconds since 1970-01-01 UTC.
    hash, parent : bytes
        Of the header and of the one before it.
    state_root, transactions_root, receipts_root : bytes
    next_authority : bytes
        Hash of the authority that certifies the next block (`gridlab.chain.authority.authority_hash`).
    """

    chain_id: str
    height: int
    timestamp: int
    hash: bytes
    parent: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    next_authority: bytes

    def __post_init__(self) -> None:
        require_text("chain_id", self.chain_id)
        require_int("height", self.height, 0, 2**63 - 1)
        require_int("timestamp", self.timestamp, 0, LATEST)
        for name in _ROOTS:
            require_bytes(name, getattr(self, name), HASH_BYTES)

    @classmethod
    def of(cls, header: Any) -> Anchor:
        """Take what is kept from a header that has attributes of these names."""
        return cls(*(getattr(header, each.name) for each in fields(cls)))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        head = text(self.chain_id) + u64(self.height) + i64(self.timestamp)
        return head + b"".join(getattr(self, name) for name in _ROOTS)

    @classmethod
    def read(cls, reader: Reader) -> Anchor:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        return cls(reader.text(), reader.u64(), reader.i64(), *(reader.take(HASH_BYTES) for _ in _ROOTS))


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A header, the proof that it is final, and the authority that gave the proof.

    Attributes
    ----------
    header, proof, authority : bytes
        In the foreign chain's own encoding; what they mean is for the client's `FinalityProof` to say.
    """

    header: bytes = field(repr=False)
    proof: bytes = field(repr=False)
    authority: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for each in fields(self):
            require_bytes(each.name, getattr(self, each.name))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return blob(self.header) + blob(self.proof) + blob(self.authority)

    @classmethod
    def from_bytes(cls, data: bytes) -> SignedHeader:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "signed header")
        signed = cls(reader.blob(), reader.blob(), reader.blob())
        reader.finish()
        return signed
