"""The compiled way through a tiered clearing: all levels of a book in one visit, while its orders are in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from math import prod

import numpy as np
import numpy.typing as npt

from gridlab.market.books import Books
from gridlab.market.landed_limits import LandedLimits
from gridlab.market.packing import merit_words
from gridlab.market.parallel import over_chunks, sort_in_place
from gridlab.market.places import Level
from gridlab.market.tiered_run import TieredRun

__all__ = ["clear_levels_compiled"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1
# A place number is the position in a table of the kernel; numbers beyond this go the other way.
_MOST_PLACES = 2**23


def clear_levels_compiled(run: TieredRun, levels: Sequence[Level], limits: LandedLimits) -> bool:
    """Clear all levels into `run`, if the compiled kernel is in use and everything fits its numbers.

    Parameters
    ----------
    run : TieredRun
        Before its first level.
    levels : sequence of Level
    limits : LandedLimits

    Returns
    -------
    bool
        Whether the levels were cleared; the result is the same as `TieredRun.clear_level`'s, which the tests hold.
    """
    books = run.books
    if not books.compiled or not len(books.book) or not _fits(run, levels):
        return False
    bits = (len(books.book) - 1).bit_length()
    packed = merit_words(books, np.arange(len(books.book)), bits)
    if packed is None:
        return False
    sort_in_place(packed.words)
    runs = books.kernel.find_runs(packed.words, packed.merit_bits + bits, books.count)
    rows = (packed.words & np.uint64((1 << bits) - 1)).view(np.int64)
    most = max(int(level.place.max()) + 1 for level in levels if level.place is not None)
    terms = np.array(
        [(limits.vat, limits.besides[level.path], limits.losses, run.k.numerator, run.k.denominator)
         for level in levels], dtype=np.int64,
    )  # fmt: skip
    state = (run.left, run.amount, run.reason, run.value, run.turnover, run.low, run.high)
    arrival = (*_arrival(books), run.rationing == "time")
    inputs = (rows, runs, books.price, _places(levels, books), terms, arrival, most)
    walk = import_module("gridlab.market.tiered_numba").walk
    over_chunks(walk, books.count, *state, *inputs, weight=len(books.book))
    return True


def _fits(run: TieredRun, levels: Sequence[Level]) -> bool:
    books = run.books
    span = int(books.price.max()) - int(books.price.min()) + 2**40
    sums = int(books.energy.max()) * int(books.energy.max()) * len(books.book)
    if prod((span, run.k.numerator + 1)) > INT64_MAX or sums > INT64_MAX or run.k.denominator > INT64_MAX:
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
