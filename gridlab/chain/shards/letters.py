"""Letters between shards: a parcel, a receipt or a proof of non-receipt, each with its way up to a block's root.

A shard believes no messenger. It knows the roots of past blocks and their moments; all else a letter must prove: that
the shard's summary is under the block's root, and that the parcel, the receipt or the gap is under the summary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridlab.chain import merkle
from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.bridge.inclusion import HASH, Inclusion
from gridlab.chain.bridge.ranges import require_absent
from gridlab.chain.shards.parcels import Key, Parcel, Receipt, require_key
from gridlab.chain.shards.summary import ShardSummary
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = [
    "AbsenceLetter",
    "BlockMark",
    "KnownBlocks",
    "Letter",
    "ParcelLetter",
    "ReceiptLetter",
    "ShardProof",
    "prove_shard",
]


@dataclass(frozen=True, slots=True)
class BlockMark:
    """What every shard knows of a past block.

    Attributes
    ----------
    root : bytes
        Over the roots of all shards, 32 bytes.
    timestamp : int
        Microseconds since 1970-01-01 UTC.
    """

    root: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class ShardProof:
    """Proof that a shard had this summary after a block.

    Attributes
    ----------
    height : int
    summary : ShardSummary
    path : tuple of bytes
        Siblings from the shard's root up to the block's.
    """

    height: int
    summary: ShardSummary
    path: tuple[bytes, ...] = field(repr=False)

    def require(self, root: bytes, *, shard: int, shards: int) -> ShardSummary:
        """Return the summary if it is that of `shard` under `root`, one of `shards` leaves, else raise ChainError."""
        if not isinstance(self.summary, ShardSummary):
            raise ArgumentTypeError(f"summary is a {type(self.summary).__name__}, allowed: ShardSummary")
        if self.summary.shard != shard:
            raise ChainError(f"shard proof: it is of shard {self.summary.shard}, wanted is one of shard {shard}")
        path = list(require_sequence("path", self.path, bytes))
        if not merkle.verify_inclusion(root, self.summary.root, shard, shards, path, hash=HASH):
            raise ChainError(
                f"shard proof: the path does not lead to the root of block {self.height}, so it is damaged or of "
                "another block; ask for the proof again"
            )
        return self.summary


def prove_shard(
    height: int, summaries: Sequence[ShardSummary], shard: int, *, roots: Sequence[bytes] | None = None
) -> ShardProof:
    """Return the proof that `shard` had its summary after the block at `height`; `roots` are those of all shards."""
    known = [each.root for each in summaries] if roots is None else roots
    return ShardProof(height, summaries[shard], tuple(merkle.prove_inclusion(known, shard, hash=HASH)))


class KnownBlocks:
    """The blocks that a shard knows, and the proofs that it has checked against them.

    Letters of one shard and block carry the same proof, so that each is checked once per block and not once per letter.
    """

    __slots__ = ("_proved", "marks")

    def __init__(self) -> None:
        self.marks: list[BlockMark] = []
        self._proved: dict[tuple[int, int], ShardProof] = {}

    def __repr__(self) -> str:
        return f"KnownBlocks({len(self.marks)})"

    def fork(self) -> KnownBlocks:
        """Return an independent copy."""
        twin = KnownBlocks()
        twin.marks, twin._proved = list(self.marks), dict(self._proved)
        return twin

    def learn(self, marks: Sequence[BlockMark]) -> None:
        """Take in new blocks, and forget which proofs were checked."""
        self.marks.extend(marks)
        self._proved.clear()

    def summary(self, proof: ShardProof, shard: int, shards: int) -> ShardSummary:
        """Return the summary of `shard` if the proof holds, else raise a GridlabError."""
        if not isinstance(proof, ShardProof):
            raise ArgumentTypeError(f"proof is a {type(proof).__name__}, allowed: ShardProof")
        height = require_int("height", proof.height)
        if not 0 <= height < len(self.marks):
            raise ChainError(f"letter: block {height} is not final, allowed: 0 … {len(self.marks) - 1}")
        checked = self._proved.get((height, shard))
        if checked is None or checked != proof:
            proof.require(self.marks[height].root, shard=shard, shards=shards)
            self._proved[height, shard] = checked = proof
        return checked.summary


@dataclass(frozen=True, slots=True)
class _Letter:
    proof: ShardProof = field(repr=False)


def _require_leaf(what: str, leaf: bytes, inclusion: Inclusion, root: bytes, size: int) -> None:
    if not isinstance(inclusion, Inclusion):
        raise ArgumentTypeError(f"inclusion is a {type(inclusion).__name__}, allowed: Inclusion")
    path = require_sequence("path", inclusion.path, bytes)
    if inclusion.leaf != leaf or not merkle.verify_inclusion(root, leaf, inclusion.index, size, list(path), hash=HASH):
        raise ChainError(f"letter: the {what} is not under the root that its shard's summary names; it was changed")


@dataclass(frozen=True, slots=True)
class ParcelLetter(_Letter):
    """A parcel, proved to be in its shard's outbox.

    Attributes
    ----------
    proof : ShardProof
        Of the block that sent it.
    parcel : Parcel
    inclusion : Inclusion
    """

    parcel: Parcel
    inclusion: Inclusion = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.parcel, Parcel):
            raise ArgumentTypeError(f"parcel is a {type(self.parcel).__name__}, allowed: Parcel")

    @property
    def reader(self) -> int:
        """The shard that it is for."""
        return self.parcel.destination

    @property
    def key(self) -> Key:
        """Source, destination, sequence of the parcel."""
        return self.parcel.key

    def require(self, blocks: KnownBlocks, shards: int) -> None:
        """Raise a GridlabError unless the proof holds."""
        summary = blocks.summary(self.proof, self.parcel.source, shards)
        _require_leaf("parcel", self.parcel.leaf, self.inclusion, summary.outbox_root, summary.outbox)


@dataclass(frozen=True, slots=True)
class ReceiptLetter(_Letter):
    """A receipt, proved to be the destination's.

    Attributes
    ----------
    proof : ShardProof
        Of the block that executed the parcel.
    receipt : Receipt
    inclusion : Inclusion
    """

    receipt: Receipt
    inclusion: Inclusion = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.receipt, Receipt):
            raise ArgumentTypeError(f"receipt is a {type(self.receipt).__name__}, allowed: Receipt")

    @property
    def reader(self) -> int:
        """The shard that it is for: the parcel's source."""
        return self.receipt.source

    @property
    def key(self) -> Key:
        """Source, destination, sequence of the parcel."""
        return self.receipt.key

    def require(self, blocks: KnownBlocks, shards: int) -> None:
        """Raise a GridlabError unless the proof holds."""
        summary = blocks.summary(self.proof, self.receipt.destination, shards)
        _require_leaf("receipt", self.receipt.leaf, self.inclusion, summary.receipts_root, summary.receipts)


@dataclass(frozen=True, slots=True)
class AbsenceLetter(_Letter):
    """Proof that the destination had not received a parcel by some block.

    Attributes
    ----------
    proof : ShardProof
        Of a block of the parcel's timeout or later.
    key : tuple of (int, int, int)
        Source, destination, sequence of the parcel.
    neighbours : tuple of Inclusion
        As `gridlab.chain.bridge.ranges.Ranges.prove_absent` gives them.
    """

    key: Key
    neighbours: tuple[Inclusion, ...] = field(repr=False)

    def __post_init__(self) -> None:
        require_key(self.key)
        require_sequence("neighbours", self.neighbours, Inclusion)

    @property
    def reader(self) -> int:
        """The shard that it is for: the parcel's source."""
        return self.key[0]

    def require(self, blocks: KnownBlocks, shards: int, *, timeout: int) -> None:
        """Raise a GridlabError unless the proof holds, and is of a block at `timeout` or later."""
        source, destination, sequence = self.key
        summary = blocks.summary(self.proof, destination, shards)
        moment = blocks.marks[self.proof.height].timestamp
        if moment < timeout:
            raise ChainError(
                f"letter: block {self.proof.height} is of {moment}, the parcel may be executed until {timeout}; prove "
                "its absence from a later block"
            )
        seen = summary.received[source]
        require_absent(sequence, self.neighbours, root=seen.root, size=seen.ranges, past_last=seen.past)


Letter = ParcelLetter | ReceiptLetter | AbsenceLetter
