"""Shares in parts per billion, as Substrate's ``Perbill`` computes them.

A share of two integers is rounded down; a share of an amount is rounded to the nearest unit, halves down.
Source: paritytech/polkadot-sdk, substrate/primitives/arithmetic/src/per_things.rs (2024).
"""

from __future__ import annotations

import numpy as np

from gridlab.chain.npos.electorate import Integers

__all__ = ["BILLION", "portions", "share", "share_of", "shares"]

BILLION = 1_000_000_000


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


def share_of(parts_per_billion: int, amount: int) -> int:
    """Return `amount` x `parts_per_billion` / 10^9 to the nearest unit, halves down.

    >>> share_of(500_000_000, 3)
    1
    """
    whole, remainder = divmod(amount * parts_per_billion, BILLION)
    return whole + (2 * remainder > BILLION)


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
    """Return what `share_of` returns for every pair of two arrays (int64 below 2**62, or Python integers)."""
    whole, rest = amount // BILLION, amount % BILLION
    product = rest * parts_per_billion  # below 10^18, which int64 holds
    found: Integers = whole * parts_per_billion + product // BILLION + (2 * (product % BILLION) > BILLION)
    return found
