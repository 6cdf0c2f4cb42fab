"""The best welfare under landed costs: a transport problem over the levels of the grid, solved by HiGHS.

Energy from a seller reaches a buyer through a pool: that of a transformer, a feeder, …, or of the whole book. With x
the energy that a buyer draws from a pool of his and y what a seller puts into one of his::

    maximise    sum h x - sum s y          h: the buyer's limit less the charges of the pool's path
    such that   each pool is balanced, and no order passes its energy

Every column stands in two rows, so the matrix is that of a network and the best corner is whole (Hoffman and Kruskal,
"Integral boundary points of convex polyhedra", 1956). HiGHS computes in floating point; the corner is rounded to Wh,
checked in integers, and its welfare added up exactly. (Q. Huangfu and J. A. J. Hall, "Parallelizing the dual revised
simplex method", Mathematical Programming Computation 10, 2018.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.errors import MarketError
from gridlab.market.core.books import Books
from gridlab.market.local_first.landed_limits import LandedLimits
from gridlab.market.local_first.places import Level
from gridlab.market.local_first.sieve import number_places, rows_that_cross

__all__ = ["best_welfare"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Flows:
    """Columns of the program: which order, which pool, sign in the pool's balance (+1 draws), gain (THB/MWh)."""

    order: Int64s
    pool: Int64s
    sign: Int64s
    gain: Int64s


def best_welfare(books: Books, levels: Sequence[Level], limits: LandedLimits) -> Int64s:
    """Return the best welfare of each book (micro-THB, at the seller's meter; int64, shape (books,)).

    Parameters
    ----------
    books : Books
    levels : sequence of Level
    limits : LandedLimits

    Raises
    ------
    MarketError
        The solver finds no optimum, or energies are too large for its floating point.
    """
    flows = _flows(books, levels, limits)
    welfare = np.zeros(books.count, dtype=np.int64)
    if len(flows.order):
        energy = _solve(books, flows)
        np.add.at(welfare, books.book[flows.order], energy * flows.gain)
    return welfare


def _flows(books: Books, levels: Sequence[Level], limits: LandedLimits) -> _Flows:
    """Return the columns of every order that crosses somebody in its pool."""
    columns: list[_Flows] = []
    pools = 0
    for level in levels:
        rows = np.arange(len(books.book)) if level.known is None else np.flatnonzero(level.known)
        limit = books.price[rows].copy()
        buys = books.side[rows] == 0
        limit[buys] = limits.energy_limits(limit[buys], level.path)
        place = np.zeros(len(rows), dtype=np.int64) if level.place is None else level.place[rows]
        stay = rows_that_cross(books.book[rows], place, books.side[rows], limit)
        rows, limit, place = rows[stay], limit[stay], place[stay]
        numbers, count = number_places(books, rows, place)
        sign = 1 - 2 * books.side[rows].astype(np.int64)
        columns.append(_Flows(rows, numbers.astype(np.int64) + pools, sign, sign * limit))
        pools += count
    fields = ("order", "pool", "sign", "gain")
    return _Flows(*(np.concatenate([getattr(part, name) for part in columns]) for name in fields))


def _solve(books: Books, flows: _Flows) -> Int64s:
    """Return the best energy of each column (Wh)."""
    from scipy.optimize import linprog

    orders, order = np.unique(flows.order, return_inverse=True)
    pools, pool = np.unique(flows.pool, return_inverse=True)
    capacity = books.energy[orders]
    result = linprog(
        -flows.gain.astype(np.float64),
        A_ub=_matrix(order, np.ones(len(order)), len(orders)),
        b_ub=capacity.astype(np.float64),
        A_eq=_matrix(pool, flows.sign.astype(np.float64), len(pools)),
        b_eq=np.zeros(len(pools)),
        method="highs-ds",
    )
    if result.x is None:
        raise MarketError(f"the transport program has no optimum: {result.message}; check prices and energies")
    energy: Int64s = np.rint(result.x).astype(np.int64)
    used, balance = np.zeros(len(orders), dtype=np.int64), np.zeros(len(pools), dtype=np.int64)
    np.add.at(used, order, energy)
    np.add.at(balance, pool, energy * flows.sign)
    if (used > capacity).any() or balance.any() or (energy < 0).any():
        raise MarketError(
            f"the transport program's optimum is not whole to the Wh (largest order {int(capacity.max())} Wh); "
            "energies this large pass the solver's floating point: clear in a larger unit, or split the book"
        )
    return energy


def _matrix(rows: Int64s, values: npt.NDArray[np.float64], height: int) -> Any:
    """Return the sparse matrix with one entry per column."""
    from scipy.sparse import csr_array

    return csr_array((values, (rows, np.arange(len(rows)))), shape=(height, len(rows)))
