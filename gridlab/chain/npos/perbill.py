"""Shares in parts per billion (`gridlab.chain.perbill`) of whole arrays, and what an election makes of 0 out of 0.

Source: paritytech/polkadot-sdk, substrate/primitives/arithmetic/src/per_things.rs (2024).
"""

from __future__ import annotations

import numpy as np

from gridlab.chain.npos.electorate import Integers
from gridlab.chain.perbill import BILLION

__all__ = ["portions", "share", "shares"]


def share(part: int, whole: int) -> int:
    """Return ``floor(10^9 part / whole)``; one (10^9) where `part` exceeds `whole` or `whole` is zero.

    Parameters
    ----------
    part, whole : int
        Any unit, the same for both, >= 0.

    Returns
    -------
    int
        Parts per billion.
    """
    return BILLION if whole == 0 or part > whole else BILLION * part // whole


def shares(part: Integers, whole: Integers) -> Integers:
    """Return what `share` returns for every pair of two arrays.

    Parameters
    ----------
    part, whole : numpy.ndarray of int64 (below 2**62) or of Python integers

    Returns
    -------
    numpy.ndarray
        Parts per billion, of the same dtype.
    """
    full = (whole == 0) | (part > whole)
    part, whole = np.where(full, 1, part), np.where(full, 1, whole)
    if part.dtype == object:
        found: Integers = BILLION * part // whole
        return found
    # The float is at most one off. The true remainder of such a guess lies within two divisors of zero, where a product
    # taken modulo 2**64 still shows it, and so puts the guess right.
    guess = (BILLION * (part / whole)).astype(np.int64)
    remainder = part * BILLION - guess * whole
    return guess + (remainder >= whole) - (remainder < 0)


def portions(parts_per_billion: Integers, amount: Integers) -> Integers:
    """Return what `gridlab.chain.perbill.part_of` returns for every pair of two arrays.

    Parameters
    ----------
    parts_per_billion, amount : numpy.ndarray of int64 (below 2**62) or of Python integers
    """
    whole, rest = amount // BILLION, amount % BILLION
    product = rest * parts_per_billion  # below 10^18, which int64 holds
    found: Integers = whole * parts_per_billion + product // BILLION + (2 * (product % BILLION) > BILLION)
    return found
