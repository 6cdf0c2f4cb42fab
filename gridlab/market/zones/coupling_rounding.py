"""From the solver's floating-point schedule to whole Wh.

Without losses every corner of the programme is whole already (its matrix is a network's, which is totally unimodular:
Hoffman and Kruskal 1956), so rounding only removes the noise of the solver. With losses or lines it is not:

- **Losses.** A zone whose export lies at the edge of a step stays there, so that no order trades a stray Wh; zones
  inside a step, and the losses, take up what rounding leaves. Energy lost is within a few Wh of ``loss * sent``.
- **Lines.** Exports inside a step are rounded by largest remainder, so that they sum to 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.market.zones.coupling_curve import NetCurve
from gridlab.market.zones.coupling_solver import Programme, solve_programme
from gridlab.market.zones.transfer_limits import PPM, Corridors

__all__ = ["Schedule", "near_whole", "net_exports", "round_exports", "round_flows", "round_with_losses"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Schedule = tuple[Int64s, Int64s, Int64s]

# Floats nearer than this to a whole number mean that number (Wh).
_NOISE = 0.05
# How far rounding may move a flow or an export (Wh).
_ROOM = 3
# What a stray Wh of a zone counts, in Wh of losses that miss their share.
_STRAY = 1000.0


def round_flows(net: Corridors, sent: Floats, zones: int) -> Schedule:
    """Round a schedule without losses.

    Parameters
    ----------
    net : Corridors
    sent : ndarray of float64, shape (slots, corridors)
    zones : int

    Returns
    -------
    export : ndarray of int64, shape (slots, zones)
    sent, arrived : ndarray of int64, shape (slots, corridors)
        All in Wh; ``export = sent - arrived`` in every zone.
    """
    whole = np.clip(np.rint(sent).astype(np.int64), 0, net.capacity)
    return net_exports(net, whole, whole, zones), whole, whole


def net_exports(net: Corridors, sent: Int64s, arrived: Int64s, zones: int) -> Int64s:
    """Return what each zone sends less what arrives there (Wh), shape (slots, zones)."""
    export = np.zeros((zones, len(sent)), dtype=np.int64)
    np.add.at(export, net.start, sent.T)
    np.subtract.at(export, net.end, arrived.T)
    return export.T


def round_with_losses(curve: NetCurve, net: Corridors, export: Floats, sent: Floats) -> Schedule:
    """Round a schedule with losses, all slots in one small programme of whole numbers.

    Parameters
    ----------
    curve : NetCurve
    net : Corridors
    export : ndarray of float64, shape (slots, zones)
    sent : ndarray of float64, shape (slots, corridors)

    Returns
    -------
    Schedule
        As `round_flows`.
    """
    slots, zones = export.shape
    programme = Programme()
    sent_base, sent_move = _moves(programme, near_whole(sent), net.capacity)
    share = 1 - net.loss / PPM
    lossy = (net.loss > 0) & (sent > _NOISE)
    arrived_base, arrived_move = _moves(programme, np.where(lossy, near_whole(sent * share), 0.0), net.capacity)
    export_base, strays = _stray(programme, curve, near_whole(export))
    row = np.arange(slots)[:, None] * zones
    missing = net_exports(net, sent_base, np.where(lossy, arrived_base, sent_base), zones) - export_base
    balance = programme.rows(missing.ravel(), missing.ravel(), slots * zones)
    for column, sign in strays:
        programme.add(balance, column, sign)
    start, end = (balance[row + ends] for ends in (net.start, net.end))
    programme.add(start.ravel(), sent_move.ravel(), -1.0)
    programme.add(end[lossy], arrived_move[lossy], 1.0)
    programme.add(end[~lossy], sent_move[~lossy], 1.0)
    target = sent_base[lossy] * share[lossy] - arrived_base[lossy]
    _add_misses(programme, sent_move[lossy], arrived_move[lossy], share[lossy], target)
    solution = solve_programme(programme, "coupling, rounding to whole Wh", presolve=False)
    found = np.rint(solution).astype(np.int64)
    whole_sent = sent_base + found[sent_move]
    whole_arrived = np.where(lossy, arrived_base + found[arrived_move], whole_sent)
    return net_exports(net, whole_sent, whole_arrived, zones), whole_sent, whole_arrived


def _add_misses(programme: Programme, sent: Int64s, arrived: Int64s, share: Floats, target: Floats) -> None:
    """Add what energy that misses its share costs: ``|arrived - share * sent - target|``."""
    error = programme.variables(1.0, 0.0, 4 * _ROOM, len(sent))
    for sign in (1.0, -1.0):
        bound = programme.rows(-np.inf, sign * target, len(error))
        programme.add(bound, arrived, sign)
        programme.add(bound, sent, -sign * share)
        programme.add(bound, error, -1.0)


def near_whole(values: Floats) -> Floats:
    """Return values with those that mean a whole number made whole."""
    whole = np.rint(values)
    return np.where(np.abs(values - whole) < _NOISE, whole, values)


def _moves(programme: Programme, values: Floats, most: Int64s) -> tuple[Int64s, Int64s]:
    """Return whole values and the variables that may move them; a corridor that is empty or full stays so."""
    base = np.clip(np.floor(values).astype(np.int64), 0, most)
    still = ((values <= 0) | (values >= most)).ravel()
    low = np.where(still, 0, -np.minimum(base.ravel(), _ROOM))
    high = np.where(still, 0, np.minimum((most - base).ravel(), _ROOM))
    return base, programme.variables(0.0, low, high, base.size, whole=True).reshape(base.shape)


def _stray(programme: Programme, curve: NetCurve, export: Floats) -> tuple[Int64s, list[tuple[Int64s, float]]]:
    """Return whole exports and variables that move them: for nothing inside a step, dearly beyond its edges."""
    base = np.floor(export).astype(np.int64).ravel()
    most, least = curve.supply, -curve.demand
    base = np.clip(base, least, most)
    inside = export.ravel() != np.floor(export).ravel()
    low, high = curve.bounds(base, 0, 0)
    inside |= (low == high) & (base > least) & (base < most)
    steps = curve.at(base, low)
    down = np.where(inside, np.clip(base - steps.least, 0, _ROOM), 0)
    up = np.where(inside, np.clip(steps.most - base, 0, _ROOM), 0)
    # A zone between two steps at base may still have a fraction above it: the step above is then the one it is inside.
    above = inside & (low != high)
    over = curve.at(base, high)
    down = np.where(above, 0, down)
    up = np.where(above, np.clip(over.most - base, 0, _ROOM), up)
    free = programme.variables(0.0, -down, up, len(base), whole=True)
    rise = programme.variables(_STRAY, 0, np.minimum(most - base, _ROOM), len(base), whole=True)
    fall = programme.variables(_STRAY, 0, np.minimum(base - least, _ROOM), len(base), whole=True)
    return base.reshape(export.shape), [(free, 1.0), (rise, 1.0), (fall, -1.0)]


def round_exports(export: Floats) -> Int64s:
    """Round the exports of a flow-based market so that they sum to 0 in every slot: largest remainder.

    Parameters
    ----------
    export : ndarray of float64, shape (slots, zones)

    Returns
    -------
    ndarray of int64, shape (slots, zones)
        Whole exports stay as they are; others move by less than 1 Wh.
    """
    near = near_whole(export)
    base = np.floor(near).astype(np.int64)
    rest = near - base
    rank = np.argsort(np.argsort(-rest, axis=1, kind="stable"), axis=1, kind="stable")
    whole: Int64s = base + (rank < -base.sum(axis=1, keepdims=True))
    return whole
