"""What a shard's root commits to after a block, and the block's root over all shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_sequence
from gridlab.chain.bridge.inclusion import HASH
from gridlab.chain.bridge.ranges import Ranges
from gridlab.chain.encoding import compact, text, u32, u64
from gridlab.chain.hashing import HASH_BYTES, tagged_hash

__all__ = ["Received", "ShardSummary", "block_root"]

_DOMAIN = "gridlab/shard/1"


@dataclass(frozen=True, slots=True)
class Received:
    """Which parcels of one other shard were received, as ranges of sequences under a root.

    Attributes
    ----------
    ranges : int
        How many ranges there are.
    past : int
        The first sequence above all received ones.
    root : bytes
        RFC 6962 root over the ranges, 32 bytes.
    """

    ranges: int
    past: int
    root: bytes

    @classmethod
    def of(cls, ranges: Ranges) -> Received:
        """Sum up ranges."""
        return cls(len(ranges.bounds), ranges.past_last, ranges.root)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return u64(self.ranges) + u64(self.past) + _hash(self.root)


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """A shard after a block.

    Attributes
    ----------
    shard : int
    name : str
    accounts : int
        How many leaves there are under `accounts_root`.
    accounts_root : bytes
        RFC 6962 root over its accounts, with BLAKE2b-256; 32 bytes, as all below.
    ledger : bytes
        Commitment of the shard's ledger: issuers, limits, backing, what is pending, every transfer.
    memory : bytes
        Hash over all transfers that its accounts sent, by which one sent twice is known.
    outbox, outbox_root : int, bytes
        How many parcels this block sends, and the root over them.
    receipts, receipts_root : int, bytes
        How many receipts this block gives, and the root over them.
    sent : tuple of int
        Per shard, how many parcels were sent to it so far.
    received : tuple of Received
        Per shard, which of its parcels were received.
    """

    shard: int
    name: str
    accounts: int
    accounts_root: bytes = field(repr=False)
    ledger: bytes = field(repr=False)
    memory: bytes = field(repr=False)
    outbox: int
    outbox_root: bytes = field(repr=False)
    receipts: int
    receipts_root: bytes = field(repr=False)
    sent: tuple[int, ...] = field(repr=False)
    received: tuple[Received, ...] = field(repr=False)

    def __post_init__(self) -> None:
        require_sequence("sent", self.sent, int)
        require_sequence("received", self.received, Received)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        accounts = u32(self.shard) + text(self.name) + u64(self.accounts) + _hash(self.accounts_root)
        outbox, receipts = u64(self.outbox) + _hash(self.outbox_root), u64(self.receipts) + _hash(self.receipts_root)
        sent = compact(len(self.sent)) + b"".join(u64(each) for each in self.sent)
        received = compact(len(self.received)) + b"".join(each.to_bytes() for each in self.received)
        return accounts + _hash(self.ledger) + _hash(self.memory) + outbox + receipts + sent + received

    @property
    def root(self) -> bytes:
        """The shard's root, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())


def _hash(value: bytes) -> bytes:
    return require_bytes("a hash of a shard's summary", value, HASH_BYTES)


def block_root(summaries: Sequence[ShardSummary]) -> bytes:
    """Return the RFC 6962 root over the shards' roots, with BLAKE2b-256; 32 bytes."""
    return merkle.root([each.root for each in summaries], hash=HASH)
