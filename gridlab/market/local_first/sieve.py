"""Which orders can trade at all in their place: a cheap look before anything is sorted.

In a place that holds few orders, most meet nobody. An order stays if somebody on the other side of its place has a
limit that crosses its own. Places are told apart by a table that is smaller than the number of places may be; where two
share an entry, an order may stay that meets nobody, and the clearing finds that out: the sieve drops none that trades.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import NONE

__all__ = ["number_places", "rows_that_cross"]

Int64s = npt.NDArray[np.int64]

# Entries of the table: with 8 bytes each and two tables, what the caches of a small machine still serve quickly.
_ENTRIES = 2**20


def rows_that_cross(book: npt.NDArray[np.int32], place: Int64s, side: npt.NDArray[np.uint8], limit: Int64s) -> Int64s:
    """Return the positions of the orders whose limit crosses that of somebody in their book and place, or nearly so.

    Parameters
    ----------
    book : ndarray of int32, shape (n,)
    place : ndarray of int64, shape (n,)
    side : ndarray of uint8, shape (n,)
    limit : ndarray of int64, shape (n,)
        Limits on the energy price (THB/MWh).

    Returns
    -------
    ndarray of int64
    """
    entry = (book.astype(np.int64) * 0x9E3779B1 + place) & (_ENTRIES - 1)
    sells = side == 1
    buy_rows, sell_rows = np.flatnonzero(~sells), np.flatnonzero(sells)
    highest, lowest = np.full(_ENTRIES, NONE, dtype=np.int64), np.full(_ENTRIES, -(NONE + 1), dtype=np.int64)
    np.maximum.at(highest, entry[buy_rows], limit[buy_rows])
    np.minimum.at(lowest, entry[sell_rows], limit[sell_rows])
    stays = np.empty(len(book), dtype=np.bool_)
    stays[buy_rows] = limit[buy_rows] >= lowest[entry[buy_rows]]
    stays[sell_rows] = limit[sell_rows] <= highest[entry[sell_rows]]
    return np.flatnonzero(stays)


def number_places(books: Books, rows: Int64s, place: Int64s) -> tuple[npt.NDArray[np.int32], int]:
    """Return the number of each row's book and place, and how many numbers there are (not all need occur).

    Parameters
    ----------
    books : Books
    rows : ndarray of int64, shape (m,)
    place : ndarray of int64, shape (m,)
    """
    if not len(rows):
        return np.zeros(0, dtype=np.int32), 0
    span = int(place.max()) + 1
    if books.count * span >= 2**62:
        values, place = np.unique(place, return_inverse=True)
        span = len(values)
    numbers = books.book[rows] * np.int64(span) + place
    if books.count * span <= max(2 * len(rows), 1024):
        return numbers.astype(np.int32), books.count * span
    found, short = np.unique(numbers, return_inverse=True)
    return short.astype(np.int32), len(found)
