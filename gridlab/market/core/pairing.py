"""Who trades with whom: filled energies paired in merit order, best buy with best sell, in all books at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.packing import merit_words
from gridlab.market.core.parallel import sort_in_place

__all__ = ["Pairs", "pair_orders"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs by book, and within a book from the best buy and sell to the last.

    Attributes
    ----------
    buy, sell : ndarray of int64, shape (m,)
        Row of the buy and of the sell in the order frame. Pairs of one order stand together.
    energy : ndarray of int64, shape (m,)
        Energy of the pair (Wh), more than 0.
    """

    buy: Int64s
    sell: Int64s
    energy: Int64s


def pair_orders(books: Books, filled: Int64s) -> Pairs:
    """Pair what was filled: by limit, then seq, then order_id.

    Laid end to end in merit order, the bought and the sold Wh of all books are two rulers of equal length, with a
    common mark at the end of every book; each stretch between two neighbouring marks is one pair.

    Parameters
    ----------
    books : Books
    filled : ndarray of int64, shape (n,)
        Energy filled of each order (Wh); in each book, bought = sold.

    Returns
    -------
    Pairs
        At most one pair less than the filled orders.
    """
    rows = _merit_rows(books, np.flatnonzero(filled))
    sells = books.side[rows] == 1
    buy_rows, sell_rows = rows[~sells], rows[sells]
    # Marks fit: what is bought is at most half of all energy, so one bit is free to tell the sides apart.
    marks = np.concatenate((np.cumsum(filled[buy_rows]) * 2, np.cumsum(filled[sell_rows]) * 2 + 1)).view(np.uint64)
    sort_in_place(marks)
    ends = (marks >> np.uint64(1)).view(np.int64)
    sold = np.cumsum(marks & np.uint64(1), dtype=np.int64) - (marks & np.uint64(1)).view(np.int64)
    first = np.flatnonzero(np.diff(ends, prepend=0))
    return Pairs(buy_rows[first - sold[first]], sell_rows[sold[first]], np.diff(ends[first], prepend=0))


def _merit_rows(books: Books, rows: Int64s) -> Int64s:
    """Sort rows by book, side (buys first), limit (best first), seq and order_id."""
    rows = books.by_arrival(rows)
    if not len(rows):
        return rows
    chosen = books.take(rows)
    packed = merit_words(chosen, np.arange(len(rows)), (len(rows) - 1).bit_length())
    if packed is None:
        merit = np.where(chosen.side == 1, chosen.price, -chosen.price)
        return rows[np.lexsort((merit, chosen.side, chosen.book))]
    sort_in_place(packed.words)
    position = packed.words & np.uint64((1 << packed.energy_bits) - 1)
    return rows[position.view(np.int64)]

