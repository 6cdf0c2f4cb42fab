"""The linear programme of market coupling, all slots in one call of HiGHS.

::

    maximise    value of the buys - cost of the sells                        (over all zones and slots)
    where       export of a zone = sold - bought = sent - arrived            (per zone and slot)
                arrived = (1 - loss) * sent,  0 <= sent <= capacity          (transfer capacities)
    or          exports sum to 0,  |sum of ptdf * export| <= line limit      (flow-based)

Each zone enters through its net curve (`zones.coupling_curve`): one variable per step that the corridors of
the zone can reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import MarketError
from gridlab.market.zones.coupling_curve import NetCurve
from gridlab.market.zones.coupling_reach import steps_in_reach
from gridlab.market.zones.transfer_limits import PPM, Corridors

__all__ = ["Lines", "Programme", "check_digits", "energy_unit", "solve_coupling", "solve_programme"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Beyond these a solver in floating point cannot tell one Wh, or one THB/MWh, from its own tolerance.
_MOST_ENERGY = 10**16
_MOST_PRICE = 10**9

# HiGHS calls a bound kept within 1e-7, so one Wh must stay far above that in the unit of the programme.
_LARGEST_BOUND = 1e6


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a flow-based market.

    Attributes
    ----------
    factor : ndarray of float64, shape (lines, zones)
        Power transfer distribution factors: flow on the line per unit of export of the zone.
    limit : ndarray of float64, shape (slots, lines)
        Highest flow in either direction (Wh).
    """

    factor: Floats
    limit: Floats


@dataclass(slots=True)
class Programme:
    """A linear programme that is being written: blocks of variables, then entries of its rows.

    Attributes
    ----------
    cost, lower, upper, whole : list of ndarray
        Per block of variables: cost, bounds, and 1 where the variable is a whole number.
    size : int
        Number of variables so far.
    entries : list of (rows, columns, values)
    below, above : list of ndarray
        Bounds of the rows, block by block.
    height : int
        Number of rows so far.
    """

    cost: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    whole: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    size: int = 0
    entries: list[tuple[Int64s, Int64s, Floats]] = field(default_factory=list)
    below: list[Floats] = field(default_factory=list)
    above: list[Floats] = field(default_factory=list)
    height: int = 0

    def variables(self, cost: Any, lower: Any, upper: Any, count: int, *, whole: bool = False) -> Int64s:
        """Add `count` variables; return their numbers."""
        for block, values in ((self.cost, cost), (self.lower, lower), (self.upper, upper)):
            block.append(np.broadcast_to(np.asarray(values, dtype=np.float64), count))
        self.whole.append(np.full(count, whole, dtype=np.uint8))
        self.size += count
        return np.arange(self.size - count, self.size)

    def rows(self, below: Any, above: Any, count: int) -> Int64s:
        """Add `count` rows; return their numbers."""
        for block, values in ((self.below, below), (self.above, above)):
            block.append(np.broadcast_to(np.asarray(values, dtype=np.float64), count))
        self.height += count
        return np.arange(self.height - count, self.height)

    def add(self, rows: Int64s, columns: Int64s, values: Any) -> None:
        """Add entries; entries of the same place add up."""
        self.entries.append((rows, columns, np.broadcast_to(np.asarray(values, dtype=np.float64), len(rows))))


def solve_programme(programme: Programme, what: str, *, presolve: bool = True) -> Floats:
    """Return the variables at the optimum of a programme that is to be minimised.

    Parameters
    ----------
    programme : Programme
    what : str
        What is being solved, for the error.
    presolve : bool
        Whether HiGHS may reduce the programme first; does not pay for small ones.

    Raises
    ------
    MarketError
        HiGHS finds no optimum.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csc_array

    if not programme.size:
        return np.empty(0)
    rows, columns, values = (np.concatenate(part) for part in zip(*programme.entries, strict=True))
    matrix = csc_array((values, (rows, columns)), shape=(programme.height, programme.size))
    integrality = np.concatenate(programme.whole) if any(part.any() for part in programme.whole) else None
    # HiGHS 1.12 now and then loses a digit of a mixed-integer solution on its way back through presolve, and says so by
    # a solve error; the same programme without presolve then has its optimum.
    for reduce in (True, False) if presolve else (False,):
        result = milp(
            np.concatenate(programme.cost),
            constraints=LinearConstraint(matrix, np.concatenate(programme.below), np.concatenate(programme.above)),
            bounds=Bounds(np.concatenate(programme.lower), np.concatenate(programme.upper)),
            integrality=integrality,
            options={"mip_rel_gap": 0.0, "presolve": reduce},
        )
        if result.status == 0:
            solution: Floats = result.x
            return solution
    raise MarketError(
        f"{what}: HiGHS found no optimum ({result.message}); check that limits and energies are in MW and Wh, "
        "and clear fewer slots in one call to find the one that fails"
    )


def check_digits(orders: pl.DataFrame) -> None:
    """Refuse numbers beyond what the solver's floating point resolves to one Wh and one THB/MWh.

    Parameters
    ----------
    orders : polars.DataFrame
        With ``price`` (THB/MWh) and ``energy`` (Wh).

    Raises
    ------
    MarketError
        A price is beyond 10**9 THB/MWh, or the energies sum to more than 10**16 Wh.
    """
    if orders.is_empty():
        return
    prices = orders["price"].to_numpy()
    dearest, largest = max(-int(prices.min()), int(prices.max())), int(orders["energy"].cast(pl.Int128).sum())
    if dearest > _MOST_PRICE:
        raise MarketError(
            f"orders: a limit of {dearest} THB/MWh is beyond what the solver resolves; allowed: up to {_MOST_PRICE} "
            "(1 000 000 THB/kWh); check that prices are in THB/MWh"
        )
    if largest > _MOST_ENERGY:
        raise MarketError(
            f"orders: energies sum to {largest} Wh, beyond what the solver resolves; allowed: {_MOST_ENERGY} in one "
            "call; check that energies are in Wh, or clear fewer slots in one call"
        )


def energy_unit(largest: int) -> float:
    """Return the unit of energy of a programme (Wh), a power of ten, so that no bound is larger than a million."""
    unit = 1.0
    while largest / unit > _LARGEST_BOUND:
        unit *= 10.0
    return unit


def solve_coupling(curve: NetCurve, net: Corridors, zones: int, lines: Lines | None) -> tuple[Floats, Floats]:
    """Return the welfare-maximising exports and flows, not yet whole.

    Parameters
    ----------
    curve : NetCurve
        Book ``t * zones + z`` is zone z in slot t.
    net : Corridors
    zones : int
    lines : Lines or None
        For a flow-based market; `net` then has no corridors.

    Returns
    -------
    export : ndarray of float64, shape (slots, zones)
        Net export of each zone (Wh).
    sent : ndarray of float64, shape (slots, corridors)
        Energy sent over each corridor (Wh).

    Raises
    ------
    MarketError
        HiGHS finds no optimum.
    """
    one_way = np.zeros(net.capacity.shape, dtype=np.bool_)
    while True:
        export, sent = _solve(curve, net, zones, lines, one_way)
        burning = _burns(net, sent) & ~one_way
        if not burning.any():
            return export, sent
        # At prices below 0, sending energy to and fro to lose it pays. A corridor carries one way at a time.
        one_way |= burning


def _solve(curve: NetCurve, net: Corridors, zones: int, lines: Lines | None, one_way: Bools) -> tuple[Floats, Floats]:
    slots = len(net.capacity)
    programme = Programme()
    lossless = not net.loss.any()
    unit = energy_unit(int(max(net.capacity.max(initial=1), curve.width.max(initial=1))))
    if lines is None:
        fixed, steps = steps_in_reach(curve, net, zones)
    else:
        fixed, steps = np.zeros(slots * zones, dtype=np.int64), np.arange(len(curve.price))
    level = programme.variables(curve.price[steps], 0, curve.width[steps] / unit, len(steps))
    balance = programme.rows((curve.demand - fixed) / unit, (curve.demand - fixed) / unit, slots * zones)
    programme.add(balance[curve.book[steps]], level, 1.0)
    # Prices are whole, so a better schedule gains at least 1 THB/MWh; a cost of all hops together below that picks, of
    # equally good schedules, the one with the least flow, and leaves no energy going in circles.
    hop = 1 / (2 * zones + 2) if lossless else 0.0
    flow = programme.variables(hop, 0, net.capacity.ravel() / unit, net.capacity.size)
    row = np.arange(slots)[:, None] * zones
    programme.add(balance[(row + net.start).ravel()], flow, -1.0)
    programme.add(balance[(row + net.end).ravel()], flow, 1 - net.loss.ravel() / PPM)
    if lines is not None:
        _add_lines(programme, balance, lines, zones, unit)
    _add_one_way(programme, flow.reshape(net.capacity.shape), net, one_way, unit)
    solution = solve_programme(programme, "coupling")
    used: Floats = fixed + unit * np.bincount(curve.book[steps], weights=solution[level], minlength=slots * zones)
    return (used - curve.demand).reshape(slots, zones), solution[flow].reshape(net.capacity.shape) * unit


def _add_lines(programme: Programme, balance: Int64s, lines: Lines, zones: int, unit: float) -> None:
    """Add the exports into the flow-based area and the limits of its lines."""
    slots = len(balance) // max(zones, 1)
    export = programme.variables(0, -np.inf, np.inf, slots * zones)
    programme.add(balance, export, -1.0)
    programme.add(np.repeat(programme.rows(0, 0, slots), zones), export, 1.0)
    # Whole Wh move an export by less than 1, and a line by less than the sum of its factors: that much is kept free.
    limit = np.maximum(lines.limit - np.abs(lines.factor).sum(axis=1), 0).ravel() / unit
    line, zone = np.nonzero(lines.factor)
    row = programme.rows(-limit, limit, len(limit)).reshape(lines.limit.shape)
    columns = export.reshape(slots, zones)
    programme.add(row[:, line].ravel(), columns[:, zone].ravel(), np.tile(lines.factor[line, zone], slots))


def _opposite(net: Corridors) -> Int64s:
    """Return the number of the corridor that runs the other way; -1 where there is none."""
    number = {pair: i for i, pair in enumerate(zip(net.start.tolist(), net.end.tolist(), strict=True))}
    return np.array([number.get((j, i), -1) for i, j in number], dtype=np.int64)


def _burns(net: Corridors, sent: Floats) -> Bools:
    """Tell where a corridor carries both ways and loses energy by it; marks the lower number of the two."""
    opposite = _opposite(net)
    pair = np.flatnonzero(opposite > np.arange(len(opposite)))
    burning = np.zeros(sent.shape, dtype=np.bool_)
    both = (sent[:, pair] > 1) & (sent[:, opposite[pair]] > 1)
    burning[:, pair] = both & (net.loss[:, pair] + net.loss[:, opposite[pair]] > 0)
    return burning


def _add_one_way(programme: Programme, flow: Int64s, net: Corridors, one_way: Bools, unit: float) -> None:
    """Let a yes or no decide which way a corridor carries."""
    slot, corridor = np.nonzero(one_way)
    if not len(slot):
        return
    forth = programme.variables(0, 0, 1, len(slot), whole=True)
    for numbers, sign in ((corridor, 1), (_opposite(net)[corridor], -1)):
        capacity = net.capacity[slot, numbers] / unit
        row = programme.rows(-np.inf, capacity if sign < 0 else 0, len(slot))
        programme.add(row, flow[slot, numbers], 1.0)
        programme.add(row, forth, -sign * capacity)
