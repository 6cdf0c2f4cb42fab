"""Seeded lots that belong to an account and a slot: the same whatever the row order and whatever else is cleared."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books

__all__ = ["draw_lots"]

Words = npt.NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def draw_lots(books: Books, seed: int, purpose: int) -> Words:
    """Return a random 64-bit number for each order, equal for all orders of one account in one book.

    Where the books are told apart by slot, the slot is part of the draw, so that nobody draws the same lot all day.

    Parameters
    ----------
    books : Books
    seed : int
        From 0 to 2**63 - 1.
    purpose : int
        Keeps lots for different uses apart.

    Returns
    -------
    ndarray of uint64, shape (n,)
        By two rounds of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
        2014), which is a function of its input alone.
    """
    start = np.uint64((seed * _GOLDEN + purpose * 0xD1342543DE82EF95) & _MASK)
    lots = _mix(books.orders["account"].to_numpy().astype(np.uint64) + start)
    if "slot" in books.by:
        lots = _mix(lots ^ books.orders["slot"].to_physical().to_numpy().view(np.uint64))
    return lots


def _mix(words: Words) -> Words:
    words = words + np.uint64(_GOLDEN)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
