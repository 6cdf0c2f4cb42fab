"""The public registry of certificates and green credits: what was issued, handed on and retired, each proved."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain import merkle
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.events import Event, EventProof, verify_event
from gridlab.chain.bridge.inclusion import HASH
from gridlab.chain.encoding import compact, u32, u64
from gridlab.chain.hashing import hexadecimal
from gridlab.errors import ChainError, nearest
from gridlab.frames import SLOT

__all__ = ["GREEN_KINDS", "REGISTER", "PublicRegistry"]

GREEN_KINDS: Mapping[str, str] = MappingProxyType(
    {"certificate_issue": "issue", "certificate_transfer": "transfer", "certificate_retire": "retire"}
)
REGISTER: Mapping[str, Any] = MappingProxyType(
    {
        "height": pl.UInt64,
        "slot": SLOT,
        "index": pl.UInt32,
        "event": pl.Enum(list(GREEN_KINDS.values())),
        "certificate_id": pl.UInt64,
        "quantity": pl.Int64,
        "instrument": pl.String,
        "energy": pl.Int64,
        "device": pl.UInt32,
        "technology": pl.String,
        "zone": pl.String,
        "vintage_start": SLOT,
        "new_owner": pl.UInt32,
        "beneficiary": pl.String,
        "sender": pl.String,
        "transaction": pl.String,
        "anchored": pl.UInt64,
    }
)


class PublicRegistry:
    """Events of certificates that were proved, in the order of the consortium's blocks, each once.

    Accounts are numbers and keys: who stands behind them is not on the public chain.
    """

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: dict[tuple[int, int], Event] = {}

    def __repr__(self) -> str:
        return f"PublicRegistry({len(self)} proved events)"

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, transaction_id: object) -> bool:
        return any(event.transaction.id == transaction_id for event in self._events.values())

    def add(self, proof: EventProof | bytes, client: LightClient) -> Event:
        """Check an event against the anchored headers and enter it.

        Raises
        ------
        ArgumentTypeError, ChainError
            The proof does not hold, it is no event of a certificate, or it is entered already.
        """
        event = verify_event(proof, client)
        if event.kind not in GREEN_KINDS:
            raise ChainError(f"registry: {event.kind!r} is not of a certificate; {nearest(event.kind, GREEN_KINDS)}")
        place = event.height, event.index
        if place in self._events:
            raise ChainError(f"registry: transaction {hexadecimal(event.transaction.id)} is entered already")
        self._events[place] = event
        return event

    @property
    def events(self) -> pl.DataFrame:
        """The explorer's frame: one row per range of certificates in an event, as `REGISTER`, by block and place."""
        nothing = pl.DataFrame(schema=dict(REGISTER))
        frames = [_rows(self._events[place]) for place in sorted(self._events)]
        return pl.concat([nothing, *frames], how="diagonal") if frames else nothing

    def explore(self, certificate_id: int) -> pl.DataFrame:
        """Return the events of one certificate."""
        first = pl.col("certificate_id").cast(pl.Int64)
        return self.events.filter((first <= certificate_id) & (certificate_id < first + pl.col("quantity")))

    @property
    def totals(self) -> pl.DataFrame:
        """How many certificates were issued, handed on and retired: ``event``, ``events``, ``quantity``."""
        grouped = self.events.group_by("event").agg(events=pl.len(), quantity=pl.col("quantity").sum())
        return grouped.sort("event")

    @property
    def hash(self) -> bytes:
        """RFC 6962 root over the events, for a state root; 32 bytes."""
        return merkle.root(self._leaves(), hash=HASH)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: height, place in the block and transaction id of each event."""
        return b"".join([compact(len(self)), *self._leaves()])

    def _leaves(self) -> list[bytes]:
        rows = sorted(self._events.items())
        return [u64(height) + u32(index) + event.transaction.id for (height, index), event in rows]


def _rows(event: Event) -> pl.DataFrame:
    names = {"owner": "new_owner"}
    frame = event.frame.rename({old: new for old, new in names.items() if old in event.frame.columns})
    kept = [name for name in REGISTER if name in frame.columns]
    added = {
        "height": pl.lit(event.height),
        "slot": pl.lit(event.timestamp).cast(SLOT),
        "index": pl.lit(event.index),
        "event": pl.lit(GREEN_KINDS[event.kind]),
        "sender": pl.lit(hexadecimal(event.transaction.sender)),
        "transaction": pl.lit(hexadecimal(event.transaction.id)),
        "anchored": pl.lit(event.anchored),
    }
    whole = frame.select(kept).with_columns(**added)
    return whole.select(pl.col(name).cast(REGISTER[name]) for name in REGISTER if name in whole.columns)
