"""Who gets the energy of a level that is cut: every order there has the same limit, and there is less than they want."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gridlab.market.books import Books

__all__ = ["RATIONINGS", "arrival_keys", "ration"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1


def ration(books: Books, rows: Int64s, shares: Int64s, totals: Int64s, rationing: str) -> Int64s:
    """Return the energy that each order of the cut levels gets (Wh).

    Parameters
    ----------
    books : Books
    rows : ndarray of int64, shape (m,)
        All orders at a cut level. At most one side of a book is cut, so the book tells the level.
    shares, totals : ndarray of int64, shape (m,)
        Energy to share out at the order's level, and energy wanted there (Wh), ``0 < shares < totals``.
    rationing : str
        A key of `RATIONINGS`: ``pro_rata``, by energy, the Wh left over going one each to the largest remainders (equal
        remainders: to the lower seq, then the lower order_id); ``time``, whole by seq, then order_id, until nothing is
        left.

    Returns
    -------
    ndarray of int64, shape (m,)
        At most the order's energy; sums to the level's share.
    """
    return RATIONINGS[rationing](books, rows, shares, totals)


def arrival_keys(books: Books, rows: Int64s) -> tuple[npt.NDArray[np.uint64], ...]:
    """Return the columns that order rows by arrival, the last deciding first (as `numpy.lexsort` takes them)."""
    names = [name for name in ("order_id", "seq") if name in books.orders.columns]
    return tuple(books.orders[name].to_numpy()[rows] for name in names)


def _pro_rata(books: Books, rows: Int64s, shares: Int64s, totals: Int64s) -> Int64s:
    quotient, remainder = _split(books.energy[rows], shares, totals)
    order = np.lexsort((*arrival_keys(books, rows), -remainder, books.book[rows]))
    firsts, sizes = _groups(books.book[rows][order])
    left = shares[order][firsts] - np.add.reduceat(quotient[order], firsts)
    rank = np.arange(len(rows)) - np.repeat(firsts, sizes)
    quotient[order] += rank < np.repeat(left, sizes)
    return quotient


def _by_time(books: Books, rows: Int64s, shares: Int64s, totals: Int64s) -> Int64s:
    order = np.lexsort((*arrival_keys(books, rows), books.book[rows]))
    firsts, sizes = _groups(books.book[rows][order])
    energy = books.energy[rows][order]
    before = np.cumsum(energy) - energy
    before -= np.repeat(before[firsts], sizes)
    filled = np.empty_like(energy)
    filled[order] = np.clip(shares[order] - before, 0, energy)
    return filled


RATIONINGS: dict[str, Callable[[Books, Int64s, Int64s, Int64s], Int64s]] = {"pro_rata": _pro_rata, "time": _by_time}


def _split(energy: Int64s, shares: Int64s, totals: Int64s) -> tuple[Int64s, Int64s]:
    """Return quotient and remainder of ``energy * shares / totals``, exactly."""
    if int(energy.max()) * int(shares.max()) <= INT64_MAX:
        return np.divmod(energy * shares, totals)
    # Products beyond 64 bits: Python integers, order by order in C.
    quotient, remainder = np.divmod(energy.astype(object) * shares, totals)
    return quotient.astype(np.int64), remainder.astype(np.int64)


def _groups(keys: npt.NDArray[np.int32]) -> tuple[Int64s, Int64s]:
    """Return the first position and the length of each run of equal keys."""
    firsts = np.concatenate((np.zeros(1, dtype=np.int64), np.flatnonzero(keys[1:] != keys[:-1]) + 1))
    return firsts, np.diff(firsts, append=len(keys))
