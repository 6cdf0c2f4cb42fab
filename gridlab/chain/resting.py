"""Orders that rest on the chain until their gate closes, and what is reserved for them.

A batch of orders is kept as it came. For each of its slots the most that its orders may cost is reserved on the ledger
in one pending transfer; when the gate of a slot closes, the reservation goes and the trades' payments take its place.
Once closed, a slot takes no more orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.encoding import Reader, blob, compact, i64, u8, u32, u64
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import ZERO_HASH, tagged_hash
from gridlab.errors import ChainError
from gridlab.frames import ORDERS, SLOT, show_rows

__all__ = ["LAPSES", "Lapse", "OrderBatch", "Reservations", "RestingOrders"]

_BATCH_DOMAIN = "gridlab/resting-batch/1"
_DOMAIN = "gridlab/resting-orders/1"
_LAPSE_DOMAIN = "gridlab/lapsed-orders/1"
# A batch has at most this many slots, so that batch number and slot make one transfer id.
_SLOTS_PER_BATCH = 1 << 20
_MOST_RESERVED = 1 << 62

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reservations:
    """Pending transfers of one batch.

    Attributes
    ----------
    account : int
        Whose funds they hold.
    ids : array of uint64
    amounts : array of int64
        micro-WATT, more than 0.
    """

    account: int
    ids: npt.NDArray[np.uint64]
    amounts: Int64Array


LAPSES: Mapping[str, Any] = {
    "height": pl.UInt64,
    "account": pl.UInt32,
    "slot": SLOT,
    "orders": pl.UInt32,
    "released": pl.Int64,
    "reason": pl.String,
}
_REASONS = ("refused", "unfunded")


@dataclass(frozen=True, slots=True)
class Lapse:
    """Orders of one batch for one slot that could not be carried over to other terms of the market.

    Attributes
    ----------
    height : int
        The first block under the new terms.
    account : int
    slot : int
        Microseconds since 1970-01-01 UTC.
    orders : int
        How many.
    released : int
        What had been reserved for them, micro-WATT.
    reason : str
        "refused" where the new terms do not take them, "unfunded" where the account cannot pay what they may cost now.
    """

    height: int
    account: int
    slot: int
    orders: int
    released: int
    reason: str

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        numbers = u64(self.height) + u32(self.account) + i64(self.slot) + u32(self.orders) + i64(self.released)
        return numbers + u8(_REASONS.index(self.reason))

    @classmethod
    def read(cls, reader: Reader) -> Lapse:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        numbers = reader.u64(), reader.u32(), reader.i64(), reader.u32(), reader.i64()
        if (place := reader.u8()) >= len(_REASONS):
            raise reader.error(f"reason {place}, allowed: 0 … {len(_REASONS) - 1}")
        return cls(*numbers, _REASONS[place])


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """One accepted batch.

    Attributes
    ----------
    number : int
        Counts batches from 0.
    account : int
    orders : polars.DataFrame
        As `gridlab.frames.ORDERS`.
    slots : array of int64
        The slots its orders are for, sorted, microseconds since 1970.
    reserved : array of int64
        Per slot, micro-WATT.
    digest : bytes
        Hash of the batch, 32 bytes.
    """

    number: int
    account: int
    orders: pl.DataFrame = field(repr=False)
    slots: Int64Array = field(repr=False)
    reserved: Int64Array = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, number: int, account: int, orders: pl.DataFrame, costs: Int64Array, encoded: bytes) -> OrderBatch:
        """Make a batch of orders: `costs` is what each may cost at most, `encoded` the frame's canonical bytes."""
        slots, places = np.unique(orders["slot"].to_physical().to_numpy(), return_inverse=True)
        if len(slots) > _SLOTS_PER_BATCH:
            raise ChainError(f"orders: {len(slots)} slots in one batch, allowed: {_SLOTS_PER_BATCH}; send several")
        most = costs.sum(dtype=np.float64)
        if most > _MOST_RESERVED:
            # Beyond 64 bits the sum would wrap to less than the orders may cost.
            raise ChainError(f"orders: the batch may cost {most:.3g} micro-WATT, allowed: {_MOST_RESERVED}; split it")
        reserved = np.zeros(len(slots), np.int64)
        np.add.at(reserved, places, costs)
        body = cls._body(number, account, reserved, encoded)
        return cls(number, account, orders, slots, reserved, tagged_hash(_BATCH_DOMAIN, body))

    @staticmethod
    def _body(number: int, account: int, reserved: Int64Array, encoded: bytes) -> bytes:
        return u64(number) + u32(account) + blob(reserved.astype("<i8").tobytes()) + blob(encoded)

    def reservations(self, slots: Int64Array | None = None) -> Reservations:
        """Return the pending transfers of these slots, or of all."""
        places = np.arange(len(self.slots)) if slots is None else np.flatnonzero(np.isin(self.slots, slots))
        places = places[self.reserved[places] > 0]
        ids = np.uint64(self.number * _SLOTS_PER_BATCH) + places.astype(np.uint64)
        return Reservations(self.account, ids, self.reserved[places])

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, over which `digest` goes."""
        return self._body(self.number, self.account, self.reserved, encode_frame(self.orders))

    @classmethod
    def read(cls, reader: Reader) -> OrderBatch:
        """Read what `to_bytes` wrote."""
        number, account = reader.u64(), reader.u32()
        reserved, encoded = np.frombuffer(reader.blob(), "<i8"), reader.blob()
        orders = decode_frame(encoded, "resting orders")
        slots = np.unique(orders["slot"].to_physical().to_numpy())
        if len(slots) != len(reserved):
            raise reader.error(f"{len(reserved)} reservations for the {len(slots)} slots of a batch")
        body = cls._body(number, account, reserved, encoded)
        return cls(number, account, orders, slots, reserved, tagged_hash(_BATCH_DOMAIN, body))


@dataclass(frozen=True, slots=True)
class RestingOrders:
    """All batches of which a slot is still open, and the slots that are closed.

    Attributes
    ----------
    batches : tuple of OrderBatch
    closed : array of int64
        Closed slots, sorted, microseconds since 1970.
    taken : int
        How many batches there have been; one that is carried over to other terms counts again.
    lapsed : tuple of Lapse
        What could not be carried over, all that there ever was.
    lapse_digest : bytes
        Hash over these, each on top of the ones before, so that a block need not hash the past again.
    """

    batches: tuple[OrderBatch, ...] = ()
    closed: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))
    taken: int = 0
    lapsed: tuple[Lapse, ...] = ()
    lapse_digest: bytes = ZERO_HASH

    @property
    def is_empty(self) -> bool:
        """Whether no batch has come yet and no gate has closed."""
        return not (self.taken or len(self.closed))

    @property
    def hash(self) -> bytes:
        """Hash over the open batches and the closed slots, 32 bytes."""
        digests = b"".join(batch.digest for batch in self.batches)
        closed = blob(self.closed.astype("<i8").tobytes())
        return tagged_hash(_DOMAIN, u64(self.taken) + blob(digests) + closed + self.lapse_digest)

    def with_lapses(self, lapsed: Iterable[Lapse]) -> RestingOrders:
        """Return the same with more that lapsed."""
        new, digest = tuple(lapsed), self.lapse_digest
        for each in new:
            digest = tagged_hash(_LAPSE_DOMAIN, digest + each.to_bytes())
        return replace(self, lapsed=(*self.lapsed, *new), lapse_digest=digest)

    def lapse_frame(self) -> pl.DataFrame:
        """Return what could not be carried over to other terms, as `LAPSES`."""
        rows = [(e.height, e.account, e.slot, e.orders, e.released, e.reason) for e in self.lapsed]
        frame = pl.DataFrame(rows, schema={**LAPSES, "slot": pl.Int64}, orient="row")
        return frame.with_columns(pl.col("slot").cast(SLOT))

    def add(
        self, account: int, orders: pl.DataFrame, costs: Int64Array, encoded: bytes
    ) -> tuple[RestingOrders, OrderBatch]:
        """Return the orders with a batch more, and that batch; arguments as of `OrderBatch.of`.

        Raises
        ------
        ChainError
            An order is for a slot whose gate has closed.
        """
        late = np.isin(orders["slot"].to_physical().to_numpy(), self.closed)
        if late.any():
            raise ChainError(
                "orders: the gate of a slot has closed; order for a later one\n"
                f"{show_rows(orders, pl.lit(pl.Series(late)))}"
            )
        batch = OrderBatch.of(self.taken, account, orders, costs, encoded)
        return replace(self, batches=(*self.batches, batch), taken=self.taken + 1), batch

    def close(self, slots: Int64Array) -> tuple[RestingOrders, pl.DataFrame, list[Reservations]]:
        """Return what is left after the gate of `slots` closes, the orders in these, and what was reserved for them.

        Raises
        ------
        ChainError
            A slot is closed already.
        """
        again = np.intersect1d(slots, self.closed)
        if len(again):
            raise ChainError(f"gate_closure: {len(again)} of the slots are closed already, {again[0]} µs the first")
        parts, released, left = [], [], []
        closed = np.union1d(self.closed, slots)
        for batch in self.batches:
            if np.isin(batch.slots, slots).any():
                inside = np.isin(batch.orders["slot"].to_physical().to_numpy(), slots)
                parts.append(batch.orders if inside.all() else batch.orders.filter(pl.Series(inside)))
                released.append(batch.reservations(slots))
            if not np.isin(batch.slots, closed).all():
                left.append(batch)
        return replace(self, batches=tuple(left), closed=closed), _joined(parts), released

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        bodies = [batch.to_bytes() for batch in self.batches]
        closed = blob(self.closed.astype("<i8").tobytes())
        lapsed = [compact(len(self.lapsed)), *(each.to_bytes() for each in self.lapsed)]
        return b"".join([u64(self.taken), closed, compact(len(bodies)), *map(blob, bodies), *lapsed])

    @classmethod
    def from_bytes(cls, data: bytes) -> RestingOrders:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "resting orders")
        taken, closed = reader.u64(), np.frombuffer(reader.blob(), "<i8")
        batches = []
        for _ in range(reader.compact()):
            body = Reader(reader.blob(), "order batch")
            batches.append(OrderBatch.read(body))
            body.finish()
        lapsed = [Lapse.read(reader) for _ in range(reader.compact())]
        reader.finish()
        return cls(tuple(batches), closed, taken).with_lapses(lapsed)


def _joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the parts as one frame whose zones are one Enum, and whose column `seq` is there if it is anywhere."""
    if not parts:
        return ORDERS.empty()
    texts = [part.with_columns(pl.col("zone").cast(pl.String)) for part in parts]
    if len({part.width for part in parts}) > 1:
        texts = [t if "seq" in t.columns else t.with_columns(seq=pl.col("order_id")) for t in texts]
    joined = pl.concat(texts, how="vertical")
    return ORDERS.check(joined)
