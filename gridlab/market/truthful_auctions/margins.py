"""The margin of a book: the last order of each side that the efficient volume reaches, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import NONE, Levels

__all__ = ["Margins", "find_margins"]

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Margins:
    """Merit order is by limit, then seq, then order_id; the last efficient order is the last that v* reaches.

    Of the arrays of shape (2, books), row 0 is for the buys and row 1 for the sells; where a book has no efficient
    trade, they hold 0, the limits `NONE`.

    Attributes
    ----------
    levels : Levels
        Where demand and supply meet.
    limit, energy : ndarray of int64, shape (2, books)
        Limit (THB/MWh) and whole energy (Wh) of the last efficient order.
    ahead, value_ahead : ndarray of int64, shape (2, books)
        Energy (Wh), and value at their limits (micro-THB), of all orders ahead of it.
    next_limit : ndarray of int64, shape (2, books)
        Limit of the order behind it, the first that trades nothing; `NONE` where there is none, or where
        `find_margins` was not asked for it.
    sides : ndarray of int64, shape (n,)
        Twice the book of each order, and one more for a sell.
    rows : ndarray of int64, shape (m,)
        Rows of all orders with the limit of their side's last efficient order.
    place : ndarray of int8, shape (m,)
        Of these rows: -1 ahead of the last efficient order, 0 that order, 1 behind it.
    """

    levels: Levels
    limit: Int64s
    energy: Int64s
    ahead: Int64s
    value_ahead: Int64s
    next_limit: Int64s
    sides: Int64s
    rows: Int64s
    place: npt.NDArray[np.int8]


def find_margins(books: Books, levels: Levels, *, next_limits: bool) -> Margins:
    """Find the last efficient orders of all books.

    Parameters
    ----------
    books : Books
    levels : Levels
        As `gridlab.market.core.matching.meet` returns them.
    next_limits : bool
        Whether to look for the orders behind as well, which costs another pass.

    Returns
    -------
    Margins
    """
    limit = np.stack((levels.bid_last, levels.ask_last))
    fill = np.stack((levels.bid_fill, levels.ask_fill))
    value = np.stack((levels.bid_value, levels.ask_value))
    sides = books.book * np.int64(2) + books.side
    rows = books.by_arrival(np.flatnonzero(books.price == np.take(limit.T.ravel(), sides)))
    rows = rows[np.argsort(sides[rows], kind="stable")]
    before, place = _place(sides[rows], books.energy[rows], fill.T.ravel())
    last = rows[place == 0]
    at = (books.side[last], books.book[last])
    energy, reached = np.zeros_like(limit), np.zeros_like(limit)
    energy[at] = books.energy[last]
    reached[at] = fill[at] - before[place == 0]
    ahead = levels.energy - reached
    value_ahead = value - reached * np.where(reached > 0, limit, 0)
    next_limit = _next_limits(books, levels, sides, rows[place == 1]) if next_limits else np.full_like(limit, NONE)
    return Margins(levels, limit, energy, ahead, value_ahead, next_limit, sides, rows, place)


def _place(sides: Int64s, energy: Int64s, fill: Int64s) -> tuple[Int64s, npt.NDArray[np.int8]]:
    """Return the energy ahead of each row at its level, and where the row stands to the level's last efficient order.

    `sides` is sorted; rows of one book and side stand in the order of arrival.
    """
    first = np.flatnonzero(np.diff(sides, prepend=-1))
    before = np.cumsum(energy) - energy
    before -= np.repeat(before[first], np.diff(first, append=len(sides)))
    reach = fill[sides]
    place = (before >= reach).astype(np.int8) - (before + energy < reach)
    return before, place.astype(np.int8)


def _next_limits(books: Books, levels: Levels, sides: Int64s, behind: Int64s) -> Int64s:
    """Return the limits of the first orders that trade nothing: at the last level, or the best of those beyond it."""
    found = np.stack((levels.bid_next, levels.ask_next))
    last, fill, total = (
        np.stack((getattr(levels, f"bid_{name}"), getattr(levels, f"ask_{name}"))) for name in ("last", "fill", "total")
    )
    # A level that is cut has its own limit as next: true if a whole order stands behind there, else look further.
    cut = fill < total
    cut[books.side[behind], books.book[behind]] = False
    if cut.any():
        best = _best_beyond(books, sides, np.where(cut, last, NONE).T.ravel())
        found[cut] = best.reshape(-1, 2).T[cut]
    return found


def _best_beyond(books: Books, sides: Int64s, last: Int64s) -> Int64s:
    """Return the best limit strictly worse than `last`, per book and side; `NONE` where there is none or no `last`."""
    worst = -NONE - 1
    signs = np.where(np.arange(len(last)) % 2 == 1, 1, -1)
    best = np.full(len(last), worst, dtype=np.int64)
    # As merits, less being better. Nothing is beyond the worst merit, so a side without a level finds none.
    beyond = np.where(last == NONE, worst, last * signs)
    if books.compiled:
        import_module("gridlab.market.truthful_auctions.margins_numba").best_beyond(best, sides, books.price, beyond)
    else:
        merit = books.price * (2 * books.side.astype(np.int64) - 1)
        rows = np.flatnonzero(merit > beyond[sides])
        np.minimum.at(best, sides[rows], merit[rows])
    return np.where(best == worst, NONE, best * signs)
