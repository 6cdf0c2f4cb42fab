"""Merit order without a row index: every order becomes one 64-bit word, and sorting the words sorts the market.

::

    | book | side | merit | energy |        merit = price - lowest price      for sells
                                            merit = highest price - price     for buys

Sorted words hold, book after book, the buys from the best limit to the worst and then the sells from the best to the
worst. A word carries all that matching needs, so nothing is gathered by row afterwards. Where the four fields do not
fit 64 bits, ranks take the place of prices and the energies are gathered beside the words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.parallel import over_chunks, sort_in_place

__all__ = ["MeritOrder", "merit_words", "sort_by_merit"]

Words = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]

WORD_BITS = 64


@dataclass(frozen=True, slots=True)
class MeritOrder:
    """Orders of all books in merit order.

    Attributes
    ----------
    words : ndarray of uint64, shape (n,)
        Sorted words.
    energies : ndarray of int64, shape (n,) or (0,)
        Energy of each word (Wh); empty where the words carry it in their last bits.
    energy_bits, merit_bits : int
        Width of these fields.
    top : int
        Merit of the dearest price on the sell side: a buy of merit m has the same limit as a sell of ``top - m``.
    low : int
        Price of sell merit 0 (THB/MWh).
    prices : ndarray of int64, shape (top + 1,) or (0,)
        Price of each sell merit; empty where it is ``low + merit``.
    """

    words: Words
    energies: Int64s
    energy_bits: int
    merit_bits: int
    top: int
    low: int
    prices: Int64s

    @property
    def layout(self) -> tuple[int, int, int, int, Int64s]:
        """What the kernels need to read a word: energy_bits, merit_bits, top, low, prices."""
        return (self.energy_bits, self.merit_bits, self.top, self.low, self.prices)


def merit_words(books: Books, tail: Int64s, tail_bits: int) -> MeritOrder | None:
    """Pack book, side, merit and a `tail` of `tail_bits` into unsorted words, or return None where they do not fit.

    Parameters
    ----------
    books : Books
    tail : ndarray of int64, shape (n,)
        What stands in the last bits, ``0 <= tail < 2**tail_bits``.
    tail_bits : int
    """
    low, high = int(books.price.min()), int(books.price.max())
    merit_bits = (high - low).bit_length()
    if (books.count - 1).bit_length() + 1 + merit_bits + tail_bits > WORD_BITS:
        return None
    words = np.empty(len(books.book), dtype=np.uint64)
    inputs = (books.book, books.side, books.price, tail)
    over_chunks(books.kernel.pack, len(words), words, *inputs, low, high, merit_bits, tail_bits)
    nothing = np.empty(0, dtype=np.int64)
    return MeritOrder(words, nothing, tail_bits, merit_bits, high - low, low, nothing)


def sort_by_merit(books: Books) -> MeritOrder:
    """Return the orders of all books in merit order (equal limits of one book and side in any order).

    Parameters
    ----------
    books : Books
        At least one order.

    Returns
    -------
    MeritOrder
    """
    packed = merit_words(books, books.energy, int(books.energy.max()).bit_length())
    if packed is None:
        return _sort_by_rank(books)
    sort_in_place(packed.words)
    return packed


def _sort_by_rank(books: Books) -> MeritOrder:
    """Sort with dense price ranks: ``1 + 2 log2(n)`` bits always fit."""
    prices, ranks = np.unique(books.price, return_inverse=True)
    top = len(prices) - 1
    merit_bits = top.bit_length()
    merits = np.where(books.side == 1, ranks, top - ranks)
    words = (books.book.astype(np.int64) * 2 + books.side << merit_bits | merits).astype(np.uint64)
    order = np.argsort(words)
    return MeritOrder(words[order], books.energy[order], 0, merit_bits, top, 0, prices)
