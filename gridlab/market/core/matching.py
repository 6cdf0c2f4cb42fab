"""From a checked frame to the point where demand and supply of every book meet: number, sort, walk."""

from __future__ import annotations

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import NONE, Levels
from gridlab.market.core.packing import sort_by_merit
from gridlab.market.core.parallel import over_chunks

__all__ = ["meet"]


def meet(books: Books) -> Levels:
    """Find the largest volume of each book and the limits around it.

    The volume is v* = max over p of min(D(p), S(p)), D and S counting limits at or better than p.

    Parameters
    ----------
    books : Books

    Returns
    -------
    Levels
    """
    levels = Levels.of_books(books.count)
    if not books.count:
        return levels
    merit = sort_by_merit(books)
    runs = books.kernel.find_runs(merit.words, merit.merit_bits + merit.energy_bits, books.count)
    for limits in (levels.bid_last, levels.bid_next, levels.ask_last, levels.ask_next):
        limits[:] = NONE
    inputs = (runs, merit.words, merit.energies, merit.layout)
    over_chunks(books.kernel.walk, books.count, levels.table, *inputs, weight=len(books.book))
    return levels
