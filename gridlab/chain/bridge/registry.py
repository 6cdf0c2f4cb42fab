"""The public registry of certificates and green credits: what was issued, handed on and retired, each proved."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_bytes
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.events import Event, EventProof, verify_event
from gridlab.chain.bridge.inclusion import Inclusion, ProofSpec
from gridlab.chain.bridge.log import Log
from gridlab.chain.encoding import text
from gridlab.chain.hashing import HASH_BYTES, hexadecimal
from gridlab.errors import ChainError, nearest
from gridlab.frames import SLOT

__all__ = ["EVENT_SPEC", "GREEN_KINDS", "REGISTER", "PublicRegistry"]

_PREFIX = text("gridlab/registry-event/1")
EVENT_SPEC = ProofSpec("the register of certificates", _PREFIX, 1, 2**24, 40)

GREEN_KINDS: Mapping[str, str] = MappingProxyType(
    {"certificate_issue": "issue", "certificate_transfer": "transfer", "certificate_retire": "retire"}
)
REGISTER: Mapping[str, Any] = MappingProxyType(
    {
        "chain": pl.String,
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
    """Events of certificates that were proved, each once. Never changed: `add` returns a new register.

    Accounts are numbers and keys: who stands behind them is not on the public chain. A chain's state is kept at every
    height, and each holds its register; like a `Log`, they share what they have in common, and only a fork copies it.

    Examples
    --------
    >>> registry = PublicRegistry()
    >>> len(registry), registry.events.height
    (0, 0)
    """

    __slots__ = ("_events", "_log")

    def __init__(self) -> None:
        self._log = Log()
        # By transaction, in the order in which they came; an older register sees the beginning.
        self._events: dict[bytes, tuple[int, Event]] = {}

    def __repr__(self) -> str:
        return f"PublicRegistry({len(self)} proved events)"

    def __len__(self) -> int:
        return len(self._log)

    def __contains__(self, transaction_id: object) -> bool:
        return isinstance(transaction_id, bytes) and self._place(transaction_id) is not None

    def _place(self, transaction_id: bytes) -> int | None:
        found = self._events.get(transaction_id)
        return found[0] if found is not None and found[0] < len(self) else None

    def add(self, proof: EventProof | bytes, client: LightClient) -> PublicRegistry:
        """Check an event against the anchored headers and return the register with it.

        Raises
        ------
        ArgumentTypeError, ChainError
            The proof does not hold, it is no event of a certificate, or it is entered already.
        """
        event = verify_event(proof, client)
        if event.kind not in GREEN_KINDS:
            raise ChainError(f"registry: {event.kind!r} is not of a certificate; {nearest(event.kind, GREEN_KINDS)}")
        name = event.transaction.id
        if name in self:
            raise ChainError(f"registry: transaction {hexadecimal(name)} is entered already")
        grown = object.__new__(PublicRegistry)
        count = len(self)
        shared = len(self._events) == count
        grown._events = self._events if shared else {each: it for each, it in self._events.items() if it[0] < count}
        grown._events[name] = count, event
        grown._log = self._log.append(_PREFIX + event.to_bytes())
        return grown

    @property
    def events(self) -> pl.DataFrame:
        """The explorer's frame: one row per range of certificates in an event, as `REGISTER`, by block and place."""
        nothing = pl.DataFrame(schema=dict(REGISTER))
        entered = [event for place, event in self._events.values() if place < len(self)]
        frames = [_rows(event) for event in sorted(entered, key=lambda each: (each.chain_id, each.height, each.index))]
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
        """RFC 6962 root over the events in the order in which they came, for a state root; 32 bytes."""
        return self._log.root

    def prove(self, transaction_id: bytes) -> Inclusion:
        """Prove that an event is under `hash`, against `EVENT_SPEC`; raises ChainError where it is not entered."""
        place = self._place(require_bytes("transaction_id", transaction_id, HASH_BYTES))
        if place is None:
            raise ChainError(
                f"registry: transaction {hexadecimal(transaction_id)} is not entered; bridge.publish() sends it"
            )
        return self._log.prove(place)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: all events in the order in which they came."""
        return self._log.to_bytes()


def _rows(event: Event) -> pl.DataFrame:
    names = {"owner": "new_owner"}
    frame = event.frame.rename({old: new for old, new in names.items() if old in event.frame.columns})
    kept = [name for name in REGISTER if name in frame.columns]
    added = {
        "chain": pl.lit(event.chain_id),
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
