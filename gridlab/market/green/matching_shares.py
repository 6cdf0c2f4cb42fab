"""Sharing whole units out among the rows of many groups at once: in proportion, or equally up to each one's need."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["equal_split", "pro_rata"]

Int64s = npt.NDArray[np.int64]

_INT64_MAX = 2**63 - 1


def _groups(group: npt.NDArray[Any]) -> tuple[Int64s, Int64s]:
    """Return the first row and the number of rows of each run of equal groups."""
    firsts = np.flatnonzero(np.diff(group.astype(np.int64), prepend=-1))
    return firsts, np.diff(firsts, append=len(group))


def _within(firsts: Int64s, sizes: Int64s) -> Int64s:
    """Return each row's place in its group, from 0."""
    return np.arange(int(sizes.sum())) - np.repeat(firsts, sizes)


def pro_rata(group: npt.NDArray[Any], energy: Int64s, total: Int64s) -> Int64s:
    """Share out each group's total in proportion, by largest remainder; equal remainders to the earlier row.

    Parameters
    ----------
    group : array of integer, shape (n,)
        Equal in the rows of a group, which stand together.
    energy : array of int64, shape (n,)
        Weights, 0 or more.
    total : array of int64, shape (n,)
        What the row's group has to share out, the same in all its rows; 0 where all its weights are.

    Returns
    -------
    array of int64, shape (n,)
        Their sum per group is its total; each is at most its weight where the total is at most the weights' sum.
    """
    if not len(group):
        return energy
    firsts, sizes = _groups(group)
    whole = np.repeat(np.add.reduceat(energy, firsts), sizes)
    share, rest = _split(energy, total, np.maximum(whole, 1))
    order = np.lexsort((-rest, group))
    left = total[firsts] - np.add.reduceat(share, firsts)
    share[order] += _within(firsts, sizes) < np.repeat(left, sizes)
    return share


def _split(energy: Int64s, total: Int64s, whole: Int64s) -> tuple[Int64s, Int64s]:
    """Return quotient and remainder of ``energy * total / whole``, exactly."""
    if int(energy.max()) * int(total.max()) <= _INT64_MAX:
        quotient, remainder = np.divmod(energy * total, whole)
        return quotient, remainder
    # Products beyond 64 bits: Python integers, row by row in C.
    wide = energy.astype(object) * total
    return (wide // whole).astype(np.int64), (wide % whole).astype(np.int64)


def equal_split(group: npt.NDArray[Any], energy: Int64s, total: Int64s) -> Int64s:
    """Share out each group's total equally, nobody getting more than `energy`; arguments and result as `pro_rata`.

    Those who need less than the equal part leave the rest to the others; the last units go to the earlier rows.
    """
    if not len(group):
        return energy
    firsts, sizes = _groups(group)
    order = np.lexsort((energy, group))
    small = energy[order]
    before = np.cumsum(small) - small
    before -= np.repeat(before[firsts], sizes)
    # Row k in upward order is served whole if k smaller ones whole, and the rest at its own size, are within reach.
    left = np.repeat(sizes, sizes) - _within(firsts, sizes)
    served = small <= (total[order] - before) // left
    count = np.add.reduceat(served.astype(np.int64), firsts)
    spent = np.add.reduceat(np.where(served, small, 0), firsts)
    waiting = sizes - count
    level, extra = np.divmod(total[firsts] - spent, np.maximum(waiting, 1))
    share = np.empty_like(energy)
    share[order] = np.where(served, small, np.repeat(level, sizes))
    unserved = np.empty(len(energy), np.bool_)
    unserved[order] = ~served
    # The running count of the unserved is their rank.
    rank: Int64s = np.cumsum(unserved) - unserved.astype(np.int64)
    rank -= np.repeat(rank[firsts], sizes)
    share += unserved & (rank < np.repeat(extra, sizes))
    return share
