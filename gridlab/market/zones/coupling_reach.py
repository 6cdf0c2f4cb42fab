"""Which steps of the zones' curves coupling can decide about at all; the others stay out of the programme.

Two things are known beforehand. No zone exports or imports more than its corridors carry. And without losses no zone's
price leaves the range of the prices that the zones of the slot have on their own: the dearest zones export nothing, so
dearer than all zones on their own they would have to trade more than their own orders do; the same for the cheapest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.market.zones.coupling_curve import NetCurve
from gridlab.market.zones.transfer_limits import Corridors

__all__ = ["steps_in_reach"]

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_INT64 = np.iinfo(np.int64)


def steps_in_reach(curve: NetCurve, net: Corridors, zones: int) -> tuple[Int64s, Int64s]:
    """Return the energy of the steps that run in every optimum, and the steps about which there is a choice.

    Parameters
    ----------
    curve : NetCurve
        Book ``t * zones + z`` is zone z in slot t.
    net : Corridors
    zones : int

    Returns
    -------
    fixed : ndarray of int64, shape (books,)
        Energy of the steps that surely run (Wh).
    steps : ndarray of int64
        Numbers of the steps in reach.
    """
    full, empty = _by_energy(curve, net, zones)
    if not net.loss.any():
        cheap, dear = _by_price(curve, zones)
        full, empty = full | cheap, empty | dear
    fixed = np.zeros(len(curve.first) - 1, dtype=np.int64)
    np.add.at(fixed, curve.book[full], curve.width[full])
    return fixed, np.flatnonzero(~full & ~empty)


def _by_energy(curve: NetCurve, net: Corridors, zones: int) -> tuple[Bools, Bools]:
    """Tell which steps are full at the lowest export that the corridors allow, and empty at the highest."""
    out, into = (np.zeros((zones, len(net.capacity)), dtype=np.int64) for _ in range(2))
    np.add.at(out, net.start, net.capacity.T)
    np.add.at(into, net.end, net.capacity.T)
    totals, book = curve.asks + curve.bids, curve.book
    before = totals[:-1] - totals[curve.first[:-1]][book]
    full = before + curve.width <= (curve.demand - into.T.ravel())[book]
    return full, before >= (curve.demand + out.T.ravel())[book]


def _by_price(curve: NetCurve, zones: int) -> tuple[Bools, Bools]:
    """Tell which steps are cheaper, and dearer, than any price a zone of the slot has on its own."""
    books = len(curve.first) - 1
    if not books:
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_)
    low, high = curve.bounds(np.zeros(books, dtype=np.int64), _INT64.min, _INT64.max)
    # A zone with orders of one side alone has its interval open at one end; the other end stands for both.
    lowest = np.where(low > _INT64.min, low, high).reshape(-1, zones).min(axis=1, initial=_INT64.max)
    highest = np.where(high < _INT64.max, high, low).reshape(-1, zones).max(axis=1, initial=_INT64.min)
    slot = curve.book // zones
    return curve.price < lowest[slot], curve.price > highest[slot]
