"""Zonal prices: the duals of the coupling programme, as whole numbers.

A price vector is a dual optimum exactly if every zone's price lies in the interval of its net curve and no corridor
could gain by another flow:

    room left from i to j:   (1 - loss) * price_j <= price_i
    flow from i to j > 0:    (1 - loss) * price_j >= price_i

Without losses these are differences of prices against 0: all solutions have a lowest and a highest, whole numbers both,
and ``low + floor(k * (high - low))`` of the two is a solution again. That they exist proves the schedule optimal. With
losses or lines, two linear programmes find the ends, and prices are rounded down to whole THB/MWh inside the interval
of the zone's own orders, so that nobody trades at a price worse than his limit.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gridlab.errors import MarketError
from gridlab.market.core.pricing import point_between
from gridlab.market.zones.coupling_solver import Lines, Programme, solve_programme
from gridlab.market.zones.transfer_limits import PPM, Corridors

__all__ = ["line_prices", "loss_prices", "network_prices"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# What a THB/MWh by which a condition is missed costs, in THB/MWh of price: conditions are only missed by rounding.
_MISS = 1e4
# How far a whole price may move from where rounding left it, to keep a rent from falling below 0 (THB/MWh).
_STEP = 2
# Prices of the solver nearer than this below a whole number mean that number.
_FUZZ = 1e-5


def network_prices(
    net: Corridors, sent: Int64s, low: Int64s, high: Int64s, k: Fraction
) -> tuple[Int64s, Int64s, Int64s]:
    """Price the zones of a network without losses.

    Parameters
    ----------
    net : Corridors
    sent : ndarray of int64, shape (slots, corridors)
        Flows (Wh).
    low, high : ndarray of int64, shape (slots, zones)
        Interval of each zone's own curve (THB/MWh).
    k : Fraction
        Where in the interval the price lies, 0 to 1.

    Returns
    -------
    price, low, high : ndarray of int64, shape (slots, zones)
        THB/MWh; the interval is the one that the whole network leaves.

    Raises
    ------
    MarketError
        There are no such prices: the schedule is not optimal.
    """
    below = _below(net, sent, low.shape[1])
    farthest = np.iinfo(np.int64)
    lowest = np.where(below, low[:, None, :], farthest.min).max(axis=2, initial=farthest.min)
    highest = np.where(below, high[:, :, None], farthest.max).min(axis=1, initial=farthest.max)
    if (lowest > highest).any():
        slot, zone = np.argwhere(lowest > highest)[0]
        raise MarketError(
            f"coupling: the solver's schedule of slot number {slot} is not exactly optimal at zone number {zone} "
            f"(prices from {lowest[slot, zone]} to {highest[slot, zone]} THB/MWh); energies or prices of this slot "
            "span too many digits; clear it apart, or leave out orders that are out of all proportion"
        )
    return point_between(lowest, highest, k), lowest, highest


def _below(net: Corridors, sent: Int64s, zones: int) -> Bools:
    """Return ``below[t, i, j]``: in slot t the price of j must not be above that of i."""
    below = np.zeros((len(sent), zones, zones), dtype=np.bool_)
    below[:, np.arange(zones), np.arange(zones)] = True
    below[:, net.start, net.end] |= sent < net.capacity
    # A second look, since a pair of zones may be joined both ways and fancy assignment would lose one of the two.
    below[:, net.end, net.start] |= sent > 0
    for middle in range(zones):
        below |= below[:, :, middle, None] & below[:, None, middle, :]
    return below


def loss_prices(
    net: Corridors, flows: tuple[Int64s, Int64s], low: Int64s, high: Int64s, k: Fraction
) -> tuple[Int64s, Int64s, Int64s]:
    """Price the zones of a network with losses.

    Parameters and results as `network_prices`, but for `flows`: energy sent and energy that arrives (Wh).
    """
    sent, arrived = flows
    programme = Programme()
    ends = []
    for sign in (1.0, -1.0):
        price = programme.variables(sign, low.ravel(), high.ravel(), low.size).reshape(low.shape)
        share = 1 - net.loss / PPM
        for holds, direction in ((sent < net.capacity, 1.0), (sent > 0, -1.0)):
            slot, corridor = np.nonzero(holds)
            miss = programme.variables(_MISS, 0.0, np.inf, len(slot))
            row = programme.rows(-np.inf, 0.0, len(slot))
            programme.add(row, price[slot, net.end[corridor]], direction * share[slot, corridor])
            programme.add(row, price[slot, net.start[corridor]], -direction)
            programme.add(row, miss, -1.0)
        ends.append(price)
    price, lowest, highest = _whole(solve_programme(programme, "coupling, prices"), ends, low, high, k)
    price = _earning(net, sent, arrived, price, (low, high))
    return price, np.minimum(lowest, price), np.maximum(highest, price)


def _earning(net: Corridors, sent: Int64s, arrived: Int64s, price: Int64s, bounds: tuple[Int64s, Int64s]) -> Int64s:
    """Move whole prices by what rounding took, so that corridors do not pay for what they carry.

    A zone that receives is raised, or, where its own orders fix its price, the zone that sends is lowered. Zones joined
    by a corridor without losses that is not full keep one price.
    """
    first, price = price, price.copy()
    low, high = np.maximum(bounds[0], first - _STEP), np.minimum(bounds[1], first + _STEP)
    room = (net.loss == 0) & (sent < net.capacity)
    one = np.ones(len(price), dtype=np.int64)
    for raises in (True, False):
        for _ in range(price.shape[1]):
            for i, (start, end) in enumerate(zip(net.start, net.end, strict=True)):
                flow, landed = np.maximum(sent[:, i], 1), np.maximum(arrived[:, i], 1)
                _restore(price, (low, high), (start, end), (flow, landed), arrived[:, i] > 0, raises=raises)
                _restore(price, (low, high), (end, start), (one, one), room[:, i], raises=raises)
    return price


def _restore(
    price: Int64s,
    bounds: tuple[Int64s, Int64s],
    zones: tuple[int, int],
    weights: tuple[Int64s, Int64s],
    holds: Bools,
    *,
    raises: bool,
) -> None:
    """Restore ``weights[0] * price of zones[0] <= weights[1] * price of zones[1]`` where it holds, in place."""
    (cheap, dear), (out, into) = zones, weights
    broken = holds & (price[:, cheap] * out > price[:, dear] * into)
    if raises:
        wanted = -(-price[:, cheap] * out // into)
        moved = broken & (wanted <= bounds[1][:, dear])
        price[moved, dear] = wanted[moved]
    else:
        wanted = price[:, dear] * into // out
        moved = broken & (wanted >= bounds[0][:, cheap])
        price[moved, cheap] = wanted[moved]


def line_prices(
    lines: Lines, export: Int64s, low: Int64s, high: Int64s, k: Fraction
) -> tuple[Int64s, Int64s, Int64s, Floats]:
    """Price the zones of a flow-based market: ``price_z = price_0 - sum over lines of ptdf * shadow price``.

    Parameters
    ----------
    lines : Lines
    export : ndarray of int64, shape (slots, zones)
    low, high : ndarray of int64, shape (slots, zones)
    k : Fraction

    Returns
    -------
    price, low, high : ndarray of int64, shape (slots, zones)
    shadow : ndarray of float64, shape (slots, lines)
        What one more MWh of limit is worth (THB/MWh), positive in the direction of the flow.
    """
    load = export @ lines.factor.T
    # The solver kept this much free on a full line (see `coupling_solver`), and rounding moved as much again.
    near = lines.limit - 2 * np.abs(lines.factor).sum(axis=1) - 1e-3
    full = load >= near, -load >= near
    programme = Programme()
    ends, shadows = zip(*(_line_end(programme, lines, full, low, high, sign) for sign in (1.0, -1.0)), strict=True)
    found = solve_programme(programme, "coupling, prices")
    lowest, highest = (found[forth] - found[back] for forth, back in shadows)
    shadow = (lowest + float(k) * (highest - lowest)).reshape(load.shape)
    return *_whole(found, list(ends), low, high, k), shadow


def _line_end(  # noqa: PLR0917 - one end of the interval needs all that the other does
    programme: Programme, lines: Lines, full: tuple[Bools, Bools], low: Int64s, high: Int64s, sign: float
) -> tuple[Int64s, tuple[Int64s, Int64s]]:
    """Add the conditions of one end of the interval; return its prices and its shadow prices both ways."""
    slots, zones = low.shape
    price = programme.variables(sign, low.ravel(), high.ravel(), low.size).reshape(low.shape)
    common = programme.variables(0.0, -np.inf, np.inf, slots)
    forth, back = (programme.variables(0.0, 0.0, np.where(at, np.inf, 0.0).ravel(), at.size) for at in full)
    over, under = (programme.variables(_MISS, 0.0, np.inf, low.size) for _ in range(2))
    row = programme.rows(0.0, 0.0, low.size).reshape(low.shape)
    for columns, value in ((price.ravel(), 1.0), (np.repeat(common, zones), -1.0), (over, 1.0), (under, -1.0)):
        programme.add(row.ravel(), columns, value)
    line, zone = np.nonzero(lines.factor)
    factors = np.tile(lines.factor[line, zone], slots)
    for columns, direction in ((forth, 1.0), (back, -1.0)):
        programme.add(row[:, zone].ravel(), columns.reshape(full[0].shape)[:, line].ravel(), direction * factors)
    return price, (forth, back)


def _whole(found: Floats, ends: list[Int64s], low: Int64s, high: Int64s, k: Fraction) -> tuple[Int64s, Int64s, Int64s]:
    """Return whole prices between the two ends that the solver found."""
    lowest, highest = (found[end] for end in ends)
    price = np.floor(lowest + float(k) * (highest - lowest) + _FUZZ).astype(np.int64)
    inside_low = np.clip(np.ceil(lowest - _FUZZ).astype(np.int64), low, high)
    inside_high = np.clip(np.floor(highest + _FUZZ).astype(np.int64), low, high)
    price = np.clip(price, low, high)
    return price, np.minimum(inside_low, price), np.maximum(inside_high, price)
