"""An event of the consortium chain, proved to anybody who holds an anchored header and nothing else.

The proof holds the transaction, its places under the block's roots of transactions and of receipts, and the headers
from its block up to an anchored one. Each header is the parent of the next, so the trust in the last one's hash reaches
down to the first. An event that stands in the public chain's register is proved to those who know the public chain's
authorities alone (`gridlab.chain.bridge.registered`).
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.blocks import Header
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.inclusion import Inclusion, ProofSpec, inclusion_of
from gridlab.chain.bridge.signed_header import Anchor
from gridlab.chain.effects import RULES
from gridlab.chain.encoding import Reader, blob, compact, i64, text, u32, u64
from gridlab.chain.hashing import HASH_BYTES, hexadecimal
from gridlab.chain.payloads import decode_payload, effect_of
from gridlab.chain.receipts import ACCEPTED
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

if TYPE_CHECKING:
    from gridlab.chain.bridge.registered import RegisteredProof
    from gridlab.chain.consortium import ConsortiumChain
    from gridlab.chain.public.authorities import AuthoritySet

__all__ = ["Event", "EventProof", "prove_event", "verify_event"]

_DEEPEST = 40
_MOST_HEADERS = 100_000
_TRANSACTION_SPEC = ProofSpec("transactions", b"", HASH_BYTES, HASH_BYTES, _DEEPEST)


@dataclass(frozen=True, slots=True)
class Event:
    """What a proof shows: an accepted transaction.

    Attributes
    ----------
    chain_id : str
    height : int
    timestamp : int
        Of its block, microseconds since 1970-01-01 UTC.
    index : int
        Its place in the block.
    transaction : Transaction
    frame : polars.DataFrame
        Its payload, as the kind's schema declares.
    rules_version : int
        The rules that executed it.
    anchored : int
        Height of the anchored header from which it follows.
    """

    chain_id: str
    height: int
    timestamp: int
    index: int
    transaction: Transaction
    frame: pl.DataFrame = field(repr=False, compare=False)
    rules_version: int
    anchored: int

    @property
    def kind(self) -> str:
        """Kind of the transaction."""
        return self.transaction.kind

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: where and when, the rules, the anchor, the transaction."""
        where = u64(self.height) + i64(self.timestamp) + u32(self.index)
        return where + u32(self.rules_version) + u64(self.anchored) + blob(self.transaction.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Event:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged or the rules not known."""
        reader = Reader(data, "event")
        height, timestamp, index, version, anchored = (
            reader.u64(), reader.i64(), reader.u32(), reader.u32(), reader.u64()
        )  # fmt: skip
        transaction = Transaction.from_bytes(reader.blob())
        reader.finish()
        frame = _payload(transaction, version)
        return cls(transaction.chain_id, height, timestamp, index, transaction, frame, version, anchored)


def _payload(transaction: Transaction, version: int) -> pl.DataFrame:
    effects = RULES.get(version)
    if effects is None:
        raise ChainError(f"event: rules version {version} is not known here; update gridlab")
    return decode_payload(effect_of(transaction.kind, effects), transaction.payload)


@dataclass(frozen=True, slots=True)
class EventProof:
    """All that a stranger needs beside an anchored header.

    Attributes
    ----------
    transaction : bytes
        Canonical bytes.
    listed, receipt : Inclusion
        The transaction's id under `transactions_root`, and its receipt under `receipts_root`.
    headers : tuple of bytes
        Canonical headers, from the block of the transaction up to the anchored one.
    """

    transaction: bytes = field(repr=False)
    listed: Inclusion
    receipt: Inclusion
    headers: tuple[bytes, ...] = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        headers = b"".join([compact(len(self.headers)), *map(blob, self.headers)])
        return blob(self.transaction) + self.listed.to_bytes() + self.receipt.to_bytes() + headers

    @classmethod
    def from_bytes(cls, data: bytes) -> EventProof:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "event proof")
        transaction, listed, receipt = reader.blob(), Inclusion.read(reader), Inclusion.read(reader)
        proof = cls(transaction, listed, receipt, tuple(reader.blob() for _ in range(reader.compact())))
        reader.finish()
        return proof


def prove_event(chain: ConsortiumChain, transaction_id: bytes, anchors: LightClient) -> EventProof:
    """Make the proof of an accepted transaction, up to the first anchored header at or above its block.

    Parameters
    ----------
    chain : ConsortiumChain
    transaction_id : bytes
    anchors : LightClient
        The anchored headers of the chain.

    Raises
    ------
    ArgumentError
        The chain has no such transaction.
    ChainError
        It was rejected, or nothing at or above its block is anchored yet.
    """
    named = hexadecimal(require_bytes("transaction_id", transaction_id, HASH_BYTES))
    found = chain.transactions.filter(pl.col("id") == named).select("height", "index", "accepted").rows()
    if not found:
        raise ArgumentError(f"transaction {named} is in no block of {chain.chain_id!r}; seal first, then prove")
    height, index, accepted = found[-1]
    if not accepted:
        raise ChainError(f"transaction {named} was rejected, so it is no event; chain.transactions says why")
    place = bisect_left(anchors.anchors, height, key=lambda each: each.height)
    if place == len(anchors.anchors):
        raise ChainError(f"block {height} is above the newest anchor, {anchors.newest.height}; anchor first")
    block = chain.block(height)
    receipts = [receipt.to_bytes() for receipt in block.receipts]
    path = range(height, anchors.anchors[place].height + 1)
    return EventProof(
        block.transactions[index].to_bytes(),
        inclusion_of(block.transaction_ids, index),
        inclusion_of(receipts, index),
        tuple(chain.block(each).header.to_bytes() for each in path),
    )


def verify_event(
    proof: EventProof | RegisteredProof | bytes, anchor: Anchor | LightClient | AuthoritySet
) -> Event:  # fmt: skip
    """Check an event by its proof alone.

    Parameters
    ----------
    proof : EventProof, RegisteredProof or bytes
        A `RegisteredProof` goes with an authority set, an `EventProof` with the others.
    anchor : Anchor, LightClient or AuthoritySet
        An anchored header; a client, of whose headers the one at the proof's last height is taken; or the authorities
        of the public chain, in whose register the event stands.

    Returns
    -------
    Event

    Raises
    ------
    ArgumentTypeError
        An argument is of another type.
    ChainError
        The proof does not hold; the error says at which step.
    """
    from gridlab.chain.public.authorities import AuthoritySet

    if isinstance(anchor, AuthoritySet):
        from gridlab.chain.bridge.registered import verify_registered

        return verify_registered(proof, anchor)
    return _verify_anchored(proof, anchor)


def _verify_anchored(proof: object, anchor: Anchor | LightClient) -> Event:
    read = EventProof.from_bytes(proof) if isinstance(proof, bytes) else proof
    if not isinstance(read, EventProof):
        raise ArgumentTypeError(f"proof is a {type(proof).__name__}, allowed: an EventProof or its bytes")
    header, trusted = _descended(read, anchor)
    transaction = Transaction.from_bytes(read.transaction)
    if transaction.chain_id != header.chain_id:
        raise ChainError(f"event proof: a transaction of {transaction.chain_id!r} in a block of {header.chain_id!r}")
    listed = _TRANSACTION_SPEC.require(read.listed, header.transactions_root)
    if listed != transaction.id:
        raise ChainError("event proof: the leaf under the transactions' root is the id of another transaction")
    # A receipt begins with the transaction's id, so that of another one does not do.
    receipts = ProofSpec("receipts", transaction.id + text(ACCEPTED), 1, 1 + HASH_BYTES, _DEEPEST)
    receipts.require(read.receipt, header.receipts_root, size=read.listed.size)
    if read.receipt.index != read.listed.index:
        raise ChainError("event proof: transaction and receipt stand at different places; they are proved as of one")
    frame = _payload(transaction, header.rules_version)
    where = (header.chain_id, header.height, header.timestamp, read.listed.index)
    return Event(*where, transaction, frame, header.rules_version, trusted)


def _descended(proof: EventProof, anchor: Anchor | LightClient) -> tuple[Header, int]:
    """Return the header of the event's block, which the anchored one descends from, and the latter's height."""
    if not 1 <= len(proof.headers) <= _MOST_HEADERS:
        raise ChainError(f"event proof: {len(proof.headers)} headers, allowed: 1 to {_MOST_HEADERS}")
    headers = [Header.from_bytes(each) for each in proof.headers]
    trusted = _anchor_at(anchor, headers[-1].height)
    if headers[-1].hash != trusted.hash or headers[-1].chain_id != trusted.chain_id:
        raise ChainError(
            f"event proof: its last header is {hexadecimal(headers[-1].hash)}, anchored at height {trusted.height} is "
            f"{hexadecimal(trusted.hash)}"
        )
    for lower, upper in itertools.pairwise(headers):
        if upper.parent != lower.hash or upper.height != lower.height + 1:
            raise ChainError(f"event proof: header {upper.height} is no child of the header before it in the proof")
    return headers[0], trusted.height


def _anchor_at(anchor: Anchor | LightClient, height: int) -> Anchor:
    if isinstance(anchor, Anchor):
        return anchor
    if not isinstance(anchor, LightClient):
        raise ArgumentTypeError(
            f"anchor is a {type(anchor).__name__}, allowed: an Anchor, a LightClient or an AuthoritySet"
        )
    if anchor.frozen:
        raise ChainError(f"event proof: the client of {anchor.chain_id!r} is frozen ({anchor.frozen})")
    found = [each for each in anchor.anchors if each.height == require_int("height", height)]
    if not found:
        raise ChainError(f"event proof: it ends at height {height}, which is not anchored; prove up to an anchored one")
    return found[0]
