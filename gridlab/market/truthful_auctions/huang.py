"""The rule ``huang``: trade reduction for orders of many units, in which the longer side bears equal burdens.

P. Huang, A. Scheller-Wolf and K. Sycara, "Design of a multi-unit double auction e-market", Computational Intelligence
18(4), 2002, 596-617.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.rationing import CutLevels
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.trade_reduction import reduce_both_sides
from gridlab.market.truthful_auctions.truthful import clear_by_margins

__all__ = ["clear_huang", "equal_burdens"]

Int64s = npt.NDArray[np.int64]


def clear_huang(books: Books) -> Clearing:
    """Clear every book by Huang's mechanism.

    As `truthful_auctions.trade_reduction.clear_trade_reduction`, but what the longer side has too much is taken from
    all its orders in equal parts (`equal_burdens`), whatever their energies.

    **Truthful in the limit** for orders of any energy, one per account and book, as its authors claim; not in the
    energy. Nobody trades at a loss, and the operator keeps (b_k - s_k) times energy, never below 0.

    Parameters
    ----------
    books : Books

    Returns
    -------
    Clearing
    """
    return clear_by_margins("huang", books, reduce_both_sides, equal_burdens)


def equal_burdens(cut: CutLevels) -> Int64s:
    """Take the excess of each book's side from its orders in equal parts.

    An order loses at most what it has; the others bear the rest, again in equal parts: each loses ``min(energy, x)``
    with the one x that makes the sum right. Where x is no whole number, the Wh left over are taken one each from the
    orders that arrived last.

    Parameters
    ----------
    cut : CutLevels

    Returns
    -------
    ndarray of int64, shape (m,)
        Energy of every order (Wh).
    """
    book, energy = cut.books.book[cut.rows], cut.books.energy[cut.rows]
    order = np.lexsort((energy, book))
    keys, sizes = book[order], energy[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    length = np.diff(first, append=len(keys))
    over = (cut.totals - cut.shares)[order][first]
    before = np.cumsum(sizes) - sizes
    before -= np.repeat(before[first], length)
    rank = np.arange(len(keys)) - np.repeat(first, length)
    # Were x this order's energy, the smaller ones would lose all, and it and the larger ones this much each.
    borne = before + (np.repeat(length, length) - rank) * sizes
    whole = np.add.reduceat((borne < np.repeat(over, length)).astype(np.int64), first)
    level, rest = np.divmod(over - before[first + whole], length - whole)
    numbers = np.repeat(np.arange(len(first)), length)
    loss = np.empty_like(energy)
    loss[order] = np.where(rank < whole[numbers], sizes, level[numbers])
    carries = np.empty(len(order), dtype=np.bool_)
    carries[order] = rank >= whole[numbers]
    group = np.empty_like(order)
    group[order] = numbers
    loss += _last_to_arrive(group, carries, rest)
    return energy - loss


def _last_to_arrive(group: Int64s, carries: npt.NDArray[np.bool_], rest: Int64s) -> Int64s:
    """Return 1 for the last ``rest[g]`` carrying entries of each group g, else 0; entries stand by arrival."""
    rows = np.flatnonzero(carries)[::-1]
    rows = rows[np.argsort(group[rows], kind="stable")]
    owner = group[rows]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    place = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
    extra = np.zeros(len(group), dtype=np.int64)
    extra[rows] = place < rest[owner]
    return extra
