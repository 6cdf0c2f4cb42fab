"""The compiled way through a tiered clearing: all levels of a book in one visit, while its orders are in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills
from gridlab.market.core.packing import merit_words
from gridlab.market.core.parallel import over_chunks, sort_in_place
from gridlab.market.local_first.landed_limits import LandedLimits
from gridlab.market.local_first.places import Level
from gridlab.market.local_first.tiered_run import TieredResult

__all__ = ["clear_levels_compiled"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1
# A place number is the position in a table of the kernel; numbers beyond this go the other way.
_MOST_PLACES = 2**23
_LARGEST_PRICE = 2**42


def clear_levels_compiled(
    books: Books, levels: Sequence[Level], limits: LandedLimits, k: Fraction, *, by_time: bool
) -> TieredResult | None:
    """Clear all levels, if the compiled kernel is in use and everything fits its numbers.

    Parameters
    ----------
    books : Books
    levels : sequence of Level
    limits : LandedLimits
    k : Fraction
    by_time : bool
        Whether a cut level is rationed by time rather than pro rata.

    Returns
    -------
    TieredResult or None
        The same as `local_first.tiered_run.TieredRun` finds, which the tests hold; None where it has to do it.
    """
    count = len(books.book)
    bits = max(count - 1, 0).bit_length()
    packed = merit_words(books, np.arange(count), bits) if _fits(books, levels, limits, k) else None
    if packed is None:
        return None
    sort_in_place(packed.words)
    runs = books.kernel.find_runs(packed.words, packed.merit_bits + bits, books.count)
    rows = (packed.words & np.uint64((1 << bits) - 1)).view(np.int64)
    most = max(int(level.place.max()) + 1 for level in levels if level.place is not None)
    terms = [(limits.vat, limits.besides[level.path], limits.losses, k.numerator, k.denominator) for level in levels]
    filled, amount, paid = (np.empty(count, dtype=np.int64) for _ in range(3))
    reason, sums = np.empty(count, dtype=np.uint8), TieredResult.empty_sums(books.count)
    inputs = (rows, runs, books.price, books.energy, _places(levels, books), np.array(terms, dtype=np.int64))
    arrival = (*_arrival(books), by_time)
    walk = import_module("gridlab.market.local_first.tiered_numba").walk
    over_chunks(walk, books.count, (filled, amount, paid, reason), sums, *inputs, arrival, most, weight=count)
    return TieredResult(Fills(filled, amount, paid, reason), sums)


def _fits(books: Books, levels: Sequence[Level], limits: LandedLimits, k: Fraction) -> bool:
    if not books.compiled or not len(books.book):
        return False
    largest = max(-int(books.price.min()), int(books.price.max())) + max(limits.besides.values())
    # Losses are taken off in parts per million; a share of a price interval and a share of a level are products too.
    if largest >= _LARGEST_PRICE or 2 * largest * k.numerator > INT64_MAX or k.denominator > INT64_MAX:
        return False
    if int(books.energy.max()) ** 2 * len(books.book) > INT64_MAX:
        return False
    return all(level.place is None or int(level.place.max()) < _MOST_PLACES for level in levels)


def _places(levels: Sequence[Level], books: Books) -> npt.NDArray[np.int32]:
    """Return the place of each order at each level, one row per order; -1 where it has none."""
    places = np.zeros((len(books.book), len(levels)), dtype=np.int32)
    for column, level in enumerate(levels):
        if level.place is not None:
            places[:, column] = level.place if level.known is None else np.where(level.known, level.place, -1)
    return places


def _arrival(books: Books) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    ids = books.orders["order_id"].to_numpy()
    return (books.orders["seq"].to_numpy() if "seq" in books.orders.columns else ids), ids
