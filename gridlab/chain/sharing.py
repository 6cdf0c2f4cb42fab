"""Sharing whole units exactly: the method of largest remainders, many rows at once.

A row shares out the amount A by weights w_j of sum W. Member j gets the whole part of ``A w_j / W``; the units left
over go one each to the largest remainders, equal ones to the earlier member. So the parts of a row sum to A exactly,
none is a whole unit away from its exact share, and where A is at most W none is more than its weight.

References
----------
M. L. Balinski and H. P. Young, "Fair Representation", Yale University Press, 1982 (the method of Hamilton, 1792).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PPB", "apportion", "pairwise", "shares_of"]

Int64s = npt.NDArray[np.int64]

PPB = 1_000_000_000
_INT64_MAX = 2**63 - 1


def apportion(amounts: Int64s, weights: Int64s) -> Int64s:
    """Share out whole amounts by weights.

    Parameters
    ----------
    amounts : ndarray of int64, shape (n,)
        At least 0.
    weights : ndarray of int64, shape (m,) or (n, m), with m at least 1
        At least 0; a row sums to at most 2**63 - 1. A row without weight is shared equally.

    Returns
    -------
    ndarray of int64, shape (n, m)
        Each row sums to its amount.
    """
    filled = np.where(weights.any(axis=-1, keepdims=True), weights, 1)
    totals = filled.sum(axis=-1, keepdims=True)
    # Quotient and remainder are scaled apart, so that products seldom leave 64 bits.
    whole, rest = np.divmod(amounts[:, None], totals)
    fits = int(rest.max(initial=0)) * int(filled.max(initial=0)) <= _INT64_MAX
    # Beyond 64 bits: Python integers, element by element in C.
    wide: npt.NDArray[Any] = rest if fits else rest.astype(object)
    product = wide * filled
    parts: Int64s = whole * filled + (product // totals).astype(np.int64)
    order = np.argsort(-(product % totals).astype(np.int64), axis=1, kind="stable")
    left = amounts - parts.sum(axis=1)
    parts[np.arange(len(parts))[:, None], order] += np.arange(parts.shape[1]) < left[:, None]
    return parts


def shares_of(weights: Int64s) -> Int64s:
    """Return each row of weights, shape (n, m), as parts per billion that sum to `PPB`."""
    return apportion(np.full(len(weights), PPB, np.int64), weights)


def pairwise(given: Int64s, taken: Int64s) -> Int64s:
    """Pair givers with takers in their order, the first giver with the first taker until one is done.

    Parameters
    ----------
    given : ndarray of int64, shape (n, s)
    taken : ndarray of int64, shape (n, b)
        Of the same sum in every row.

    Returns
    -------
    ndarray of int64, shape (n, s, b)
        Sums to `given` over the takers and to `taken` over the givers.
    """
    until_given, until_taken = np.cumsum(given, axis=1)[:, :, None], np.cumsum(taken, axis=1)[:, None, :]
    ends = np.minimum(until_given, until_taken)
    starts = np.maximum(until_given - given[:, :, None], until_taken - taken[:, None, :])
    energy: Int64s = np.maximum(ends - starts, 0)
    return energy
