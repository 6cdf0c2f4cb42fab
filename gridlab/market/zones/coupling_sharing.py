"""Who gets the energy of a step that is cut, where zones of one price share it.

The solver leaves open which of several equal limits in different zones trade. Zones of one price that corridors join
are a pool: its orders at the price are rationed together, as if they stood in one book, so a shortage is shared pro
rata over the whole area. Where the corridors cannot carry that, flows come as near to it as they can, and the pool is
cut in two along the corridors that are full: the same rule again in each part, until every part can have its share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills, fill_orders
from gridlab.market.core.kernels import NONE, Levels
from gridlab.market.zones.coupling_curve import NetCurve
from gridlab.market.zones.coupling_rounding import Schedule, net_exports
from gridlab.market.zones.coupling_solver import Lines, Programme, energy_unit, solve_programme
from gridlab.market.zones.transfer_limits import Corridors

__all__ = ["Shares", "cell_sums", "pool_levels", "share_out"]

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shares:
    """What a coupling decided.

    Attributes
    ----------
    fills : Fills
        Of every order.
    schedule : tuple of ndarray
        export (slots, zones), sent and arrived (slots, corridors), all in Wh.
    price : ndarray of int64, shape (slots, zones)
        THB/MWh; `NONE` where nothing trades in the zone's pool.
    """

    fills: Fills
    schedule: Schedule
    price: Int64s


def cell_sums(cells: int, cell: npt.NDArray[np.integer], values: Int64s) -> Int64s:
    """Return the sum of values per cell (exact, int64)."""
    sums = np.zeros(cells, dtype=np.int64)
    np.add.at(sums, cell, values)
    return sums


def share_out(
    books: Books,
    curve: NetCurve,
    net: Corridors,
    schedule: Schedule,
    price: Int64s,
    *,
    rationing: str,
    lines: Lines | None = None,
) -> Shares:
    """Fill every order, sharing out over zones what one price leaves open.

    Parameters
    ----------
    books : Books
        Book ``t * zones + z`` is zone z in slot t.
    curve : NetCurve
        Of the same books.
    net : Corridors
    schedule : tuple of ndarray
        Optimal exports and flows (Wh).
    price : ndarray of int64, shape (slots, zones)
        Prices that support the schedule (THB/MWh).
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.
    lines : Lines, optional
        In a flow-based market, a pool is all zones of a slot with one price.

    Returns
    -------
    Shares
    """
    joined = (net.capacity > 0) & (net.loss == 0) & (price[:, net.start] == price[:, net.end])
    pool = _one_pool(price) if lines is not None else _pools(net, joined, price.shape[1])
    while True:
        shares, target = _fill(books, curve, net, schedule, price, pool=pool, rationing=rationing)
        slots = np.flatnonzero((target != schedule[0]).any(axis=1))
        if not len(slots):
            return shares
        if lines is not None:
            schedule, pool = _within_lines(lines, schedule, target, pool)
            continue
        allowed = _range(curve, schedule[0], price)
        schedule, excess = _approach(net, schedule, target, joined, allowed=allowed, slots=slots)
        _split(net, schedule[1], excess, joined)
        # A pool whose excess no full corridor explains would come round again: its zones share each for itself.
        before, pool = pool, _pools(net, joined, price.shape[1])
        joined &= ~((excess != 0).any(axis=1) & (pool == before).all(axis=1))[:, None]
        pool = _pools(net, joined, price.shape[1])


def _range(curve: NetCurve, export: Int64s, price: Int64s) -> tuple[Int64s, Int64s]:
    """Return the exports that a price allows, from the least to the most (Wh)."""
    steps = curve.at(export.ravel(), price.ravel())
    return steps.least.reshape(export.shape), steps.most.reshape(export.shape)


def _pools(net: Corridors, joined: Bools, zones: int) -> Int64s:
    """Return for each slot and zone the lowest number of a zone that joined corridors lead to."""
    pool = np.tile(np.arange(zones), (len(joined), 1))
    while True:
        before = pool.copy()
        for corridor, (one, other) in enumerate(zip(net.start, net.end, strict=True)):
            least = np.where(joined[:, corridor], np.minimum(pool[:, one], pool[:, other]), zones)
            pool[:, one], pool[:, other] = np.minimum(pool[:, one], least), np.minimum(pool[:, other], least)
        if np.array_equal(before, pool):
            return pool


def _one_pool(price: Int64s) -> Int64s:
    """Return one pool for slots with one price, and every zone for itself in the others."""
    single = (price == price[:, :1]).all(axis=1, keepdims=True)
    return np.where(single, 0, np.arange(price.shape[1]))


def _fill(
    books: Books,
    curve: NetCurve,
    net: Corridors,
    schedule: Schedule,
    price: Int64s,
    *,
    pool: Int64s,
    rationing: str,
) -> tuple[Shares, Int64s]:
    """Fill all orders pool by pool; return with it the exports that come of it."""
    export, sent, _ = schedule
    slots, zones = price.shape
    group = (np.arange(slots)[:, None] * zones + pool).ravel()
    carried = np.zeros_like(export)
    np.add.at(carried.T, net.start, sent.T)
    np.add.at(carried.T, net.end, sent.T)
    levels = pool_levels(curve, export.ravel(), price.ravel(), group, carried.ravel())
    others = _reachable(net, np.stack((curve.supply, curve.demand)).reshape(2, slots, zones))
    levels.supply[:], levels.demand[:] = (cell_sums(len(group), group, side.ravel()) for side in others)
    group_price = np.where(levels.energy > 0, price.ravel(), NONE)
    pooled = replace(books, book=group[books.book].astype(np.int32), count=len(group))
    fills = fill_orders(pooled, levels, group_price, rationing)
    target = cell_sums(len(group), books.book, np.where(books.side == 1, fills.filled, -fills.filled))
    zone_price = np.where(levels.energy[group] > 0, price.ravel(), NONE).reshape(price.shape)
    return Shares(fills, schedule, zone_price), target.reshape(price.shape)


def pool_levels(curve: NetCurve, export: Int64s, price: Int64s, group: Int64s, carried: Int64s) -> Levels:
    """Return where each pool is cut: as much trades at its price as its export allows.

    Parameters
    ----------
    curve : NetCurve
    export, price, carried : ndarray of int64, shape (books,)
        Net export of each book (Wh), its price (THB/MWh) and other energy that passes through it (Wh).
    group : ndarray of int64, shape (books,)
        Pool of each book, the number of one of its books.

    Returns
    -------
    Levels
        Per pool, what `gridlab.market.core.filling.fill_orders` reads; ``energy`` is above 0 where anything trades.
    """
    cells = len(group)
    steps = curve.at(export, price)
    ask, bid, asks, bids, exported, moved = (
        cell_sums(cells, group, values)
        for values in (steps.ask_at, steps.bid_at, steps.ask_before, steps.bid_before, export, carried)
    )
    surplus = exported - (asks - bids)
    levels = Levels.of_books(cells)
    ask_fill = np.minimum(ask, bid + surplus)
    bid_fill = ask_fill - surplus
    levels.energy[:] = asks + bids + ask_fill + bid_fill + moved
    for name, sign, fill, total in (("bid", -1, bid_fill, bid), ("ask", 1, ask_fill, ask)):
        # Where nothing trades at the price, only limits better than it do.
        getattr(levels, f"{name}_last")[:] = np.where(fill > 0, price, price - sign)
        getattr(levels, f"{name}_fill")[:] = fill
        getattr(levels, f"{name}_total")[:] = np.where(fill > 0, total, 0)
    return levels


def _reachable(net: Corridors, offered: Int64s) -> Int64s:
    """Return 1 where a zone could ever meet some energy of a side, itself included, 0 elsewhere."""
    reached = (offered > 0).astype(np.int64)
    supply, demand = reached
    for _ in range(offered.shape[2]):
        for corridor, (start, end) in enumerate(zip(net.start, net.end, strict=True)):
            is_open = net.capacity[:, corridor] > 0
            supply[:, end] |= supply[:, start] & is_open
            demand[:, start] |= demand[:, end] & is_open
    return reached


def _within_lines(lines: Lines, schedule: Schedule, target: Int64s, pool: Int64s) -> tuple[Schedule, Int64s]:
    """Take the exports of the pools where every line carries them; elsewhere let each zone share its own."""
    export, sent, arrived = schedule
    fits = (np.abs(target @ lines.factor.T) <= lines.limit).all(axis=1, keepdims=True)
    pool = np.where(fits, pool, np.arange(pool.shape[1]))
    return (np.where(fits, target, export), sent, arrived), pool


def _approach(
    net: Corridors,
    schedule: Schedule,
    target: Int64s,
    joined: Bools,
    *,
    allowed: tuple[Int64s, Int64s],
    slots: Int64s,
) -> tuple[Schedule, Int64s]:
    """Bring exports as near to their targets as the joined corridors can, in some slots.

    A network flow once more, so the solution is whole. Returns the schedule and what each zone still exports too much.
    """
    export, sent, arrived = (part.copy() for part in schedule)
    zones = export.shape[1]
    free = joined[slots]
    held = net_exports(net, np.where(free, 0, sent[slots]), np.where(free, 0, arrived[slots]), zones)
    wanted = target[slots]
    up, down = (allowed[1][slots] - wanted).ravel(), (wanted - allowed[0][slots]).ravel()
    capacity = np.where(free, net.capacity[slots], 0)
    unit = energy_unit(int(max(up.max(), down.max(), capacity.max(initial=1))))
    programme = Programme()
    more, less = (programme.variables(1.0, 0.0, bound / unit, wanted.size) for bound in (up, down))
    flow = programme.variables(1 / (2 * zones + 2), 0.0, capacity.ravel() / unit, capacity.size)
    missing = ((held - wanted) / unit).ravel()
    balance = programme.rows(missing, missing, wanted.size)
    row = np.arange(len(slots))[:, None] * zones
    for rows, columns, sign in (
        (balance, more, 1.0),
        (balance, less, -1.0),
        (balance[(row + net.start).ravel()], flow, -1.0),
        (balance[(row + net.end).ravel()], flow, 1.0),
    ):
        programme.add(rows, columns, sign)
    found = solve_programme(programme, "coupling, sharing out")
    flows = np.rint(found[flow].reshape(capacity.shape) * unit).astype(np.int64)
    sent[slots], arrived[slots] = np.where(free, flows, sent[slots]), np.where(free, flows, arrived[slots])
    export[slots] = net_exports(net, sent[slots], arrived[slots], zones)
    excess = np.zeros_like(export)
    excess[slots] = export[slots] - wanted
    return (export, sent, arrived), excess


def _split(net: Corridors, sent: Int64s, excess: Int64s, joined: Bools) -> None:
    """Cut pools (in `joined`, in place) between the zones that export too little and those that cannot get less."""
    short = excess < 0
    for _ in range(excess.shape[1]):
        for corridor, (start, end) in enumerate(zip(net.start, net.end, strict=True)):
            inside = joined[:, corridor]
            short[:, end] |= short[:, start] & inside & (sent[:, corridor] < net.capacity[:, corridor])
            short[:, start] |= short[:, end] & inside & (sent[:, corridor] > 0)
    joined &= short[:, net.start] == short[:, net.end]
