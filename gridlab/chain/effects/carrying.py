"""Carrying resting orders over to other terms of the market.

When other terms come into force, every order that rests was accepted, and paid for in advance, under the old ones. At
the start of the first block under the new terms its reservation goes, the new exchange says what it may cost now, and
that is reserved in its place. What a batch holds for one slot has one reservation and stands or falls together. It
lapses, and its funds are free, where

* the new exchange refuses it (``refused``), for it could never be cleared, and the gate would never close; or
* its account cannot pay what it may cost now (``unfunded``), taken slot by slot from the earliest on.

Nothing of this can fail, so a change of terms cannot stop the chain. The other ways were thought through: to refuse a
change while orders rest would let a single order for a distant slot keep the old terms for ever; to clear old orders
under old terms would let it keep them for its slot; to leave reservations as they are would let a gate that cannot be
paid for stay open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.effects.stopping import expire
from gridlab.chain.effects.trading import reserve, void
from gridlab.chain.exchange import Exchange
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.resting import Lapse, OrderBatch, RestingOrders
from gridlab.chain.state import State
from gridlab.errors import GridlabError

__all__ = ["carry_orders"]

Int64Array = npt.NDArray[np.int64]
_MOST_RESERVED = float(1 << 62)
# A batch that the new terms refuse is asked for slot by slot as far as ten days of quarters of an hour; a longer one,
# which could be made to keep everybody busy, lapses as a whole.
_MOST_TRIED = 1_000


@dataclass(frozen=True, slots=True)
class _Part:
    """What a batch holds for one slot."""

    slot: int
    rows: Int64Array
    released: int
    costs: Int64Array | None
    """None where the new exchange refuses them."""

    @property
    def cost(self) -> int | None:
        """What the part may cost; None beyond what an account can hold."""
        if self.costs is None or self.costs.sum(dtype=np.float64) > _MOST_RESERVED:
            return None
        return int(self.costs.sum())


def carry_orders(state: State, exchange: Exchange, *, height: int, now: int) -> None:
    """Reserve anew what resting orders may cost under `exchange`, and let go those that cannot be carried over.

    Parameters
    ----------
    state : State
        Changed in place.
    exchange : Exchange
        Whose terms come into force.
    height, now : int
        Of the block, and its moment in microseconds since 1970-01-01 UTC.
    """
    resting = state.resting
    if not resting.batches:
        return
    expire(state, now)
    void(state, [batch.reservations(_open(resting, batch)) for batch in resting.batches], now)
    carried: list[OrderBatch] = []
    lapsed: list[Lapse] = []
    for batch in resting.batches:
        parts = _parts(exchange, batch, _open(resting, batch))
        kept, gone = _carried(state, batch, parts, resting.taken + len(carried), now)
        carried += [] if kept is None else [kept]
        lapsed += [Lapse(height, batch.account, part.slot, len(part.rows), part.released, why) for part, why in gone]
    left = replace(resting, batches=tuple(carried), taken=resting.taken + len(carried))
    state.resting = left.with_lapses(lapsed)


def _open(resting: RestingOrders, batch: OrderBatch) -> Int64Array:
    return batch.slots[~np.isin(batch.slots, resting.closed)]


def _carried(
    state: State, batch: OrderBatch, parts: list[_Part], number: int, now: int
) -> tuple[OrderBatch | None, list[tuple[_Part, str]]]:
    """Return what is left of a batch under its new number, and what lapses of it and why."""
    kept: list[_Part] = []
    gone: list[tuple[_Part, str]] = []
    left = state.ledger.available(batch.account, "WATT")
    for part in parts:
        cost = part.cost
        if part.costs is None:
            gone.append((part, "refused"))
        elif cost is None or cost > left:
            gone.append((part, "unfunded"))
        else:
            left -= cost
            kept.append(part)
    if not kept:
        return None, gone
    try:
        carried = _joined(batch, kept, number)
        reserve(state, carried.reservations(), now)
    except GridlabError:
        # A rule beside the balance, such as what a batch may reserve at most; whatever it is, the chain must go on.
        return None, [*gone, *((part, "unfunded") for part in kept)]
    return carried, gone


def _joined(batch: OrderBatch, kept: list[_Part], number: int) -> OrderBatch:
    # In the order of arrival, which decides between equal prices.
    rows = np.concatenate([part.rows for part in kept])
    costs = np.concatenate([part.costs for part in kept if part.costs is not None])
    order = np.argsort(rows, kind="stable")
    orders = batch.orders[rows[order].tolist()]
    return OrderBatch.of(number, batch.account, orders, costs[order], encode_frame(orders))


def _parts(exchange: Exchange, batch: OrderBatch, slots: Int64Array) -> list[_Part]:
    """Return the open slots of a batch, the earliest first, and what each order may cost under `exchange`."""
    rows_open = np.flatnonzero(np.isin(batch.orders["slot"].to_physical().to_numpy(), slots))
    orders = batch.orders[rows_open.tolist()]
    of_order, whole = orders["slot"].to_physical().to_numpy(), _costs(exchange, orders)
    by_slot = np.argsort(of_order, kind="stable")
    bounds = np.searchsorted(of_order[by_slot], slots)[1:]
    released = batch.reserved[np.searchsorted(batch.slots, slots)].tolist()
    tried = whole is None and len(slots) <= _MOST_TRIED
    parts = []
    for slot, inside, held in zip(slots.tolist(), np.split(by_slot, bounds), released, strict=True):
        alone = _costs(exchange, orders[inside.tolist()]) if tried else None
        parts.append(_Part(slot, rows_open[inside], held, alone if whole is None else whole[inside]))
    return parts


def _costs(exchange: Exchange, orders: pl.DataFrame) -> Int64Array | None:
    try:
        costs = exchange.reserve(orders).to_numpy()
        sound = costs.dtype == np.int64 and len(costs) == orders.height and bool((costs >= 0).all())
    except Exception:  # noqa: BLE001 - whatever a market's code may do, it must not stop the chain
        return None
    return costs if sound else None
