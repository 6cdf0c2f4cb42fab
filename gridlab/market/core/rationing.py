"""Who gets the energy of a level that is cut: all orders there have the same limit, and want more than there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.parallel import sort_in_place

__all__ = ["RATIONINGS", "CutLevels"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CutLevels:
    """All orders that stand at a cut level.

    Attributes
    ----------
    books : Books
    rows : ndarray of int64, shape (m,)
        Their rows, in the order of arrival. At most one side of a book is cut, so the book tells the level.
    shares, totals : ndarray of int64, shape (m,)
        Energy to share out at the order's level, and energy wanted there (Wh), ``0 < shares < totals``.
    """

    books: Books
    rows: Int64s
    shares: Int64s
    totals: Int64s


def _pro_rata(cut: CutLevels) -> Int64s:
    """Share out by energy; the Wh left over go one each to the largest remainders.

    Of equal remainders, the order that arrived first comes first.
    """
    book = cut.books.book[cut.rows]
    quotient, remainder = _split(cut.books.energy[cut.rows], cut.shares, cut.totals)
    order = _by_remainder(book, remainder)
    firsts, sizes = _groups(book[order])
    left = cut.shares[order][firsts] - np.add.reduceat(quotient[order], firsts)
    rank = np.arange(len(order)) - np.repeat(firsts, sizes)
    quotient[order] += rank < np.repeat(left, sizes)
    return quotient


def _by_time(cut: CutLevels) -> Int64s:
    """Fill whole in the order of arrival until nothing is left."""
    book = cut.books.book[cut.rows]
    order = np.argsort(book, kind="stable")
    firsts, sizes = _groups(book[order])
    energy = cut.books.energy[cut.rows][order]
    before = np.cumsum(energy) - energy
    before -= np.repeat(before[firsts], sizes)
    filled = np.empty_like(energy)
    filled[order] = np.clip(cut.shares[order] - before, 0, energy)
    return filled


# Each returns the energy of every order (Wh): at most what it asked for, and in sum the level's share.
RATIONINGS: dict[str, Callable[[CutLevels], Int64s]] = {"pro_rata": _pro_rata, "time": _by_time}


def _by_remainder(book: npt.NDArray[np.int32], remainder: Int64s) -> Int64s:
    """Return the order of the rows by book and then from the largest remainder, equal ones as they stand."""
    largest, places = int(remainder.max()), (len(book) - 1).bit_length()
    bits = largest.bit_length()
    if int(book.max()).bit_length() + bits + places > 64:
        return np.lexsort(np.stack([-remainder, book]))
    # One word per row sorts several times faster than two keys.
    words = (book.astype(np.uint64) << np.uint64(bits)) | (largest - remainder).view(np.uint64)
    words = (words << np.uint64(places)) | np.arange(len(book), dtype=np.uint64)
    sort_in_place(words)
    return (words & np.uint64((1 << places) - 1)).view(np.int64)


def _split(energy: Int64s, shares: Int64s, totals: Int64s) -> tuple[Int64s, Int64s]:
    """Return quotient and remainder of ``energy * shares / totals``, exactly."""
    if int(energy.max()) * int(shares.max()) <= INT64_MAX:
        return np.divmod(energy * shares, totals)
    # Products beyond 64 bits: Python integers, order by order in C.
    wanted = energy.astype(object) * shares
    return (wanted // totals).astype(np.int64), (wanted % totals).astype(np.int64)


def _groups(keys: npt.NDArray[np.int32]) -> tuple[Int64s, Int64s]:
    """Return the first position and the length of each run of equal keys."""
    firsts = np.concatenate((np.zeros(1, dtype=np.int64), np.flatnonzero(keys[1:] != keys[:-1]) + 1))
    return firsts, np.diff(firsts, append=len(keys))
