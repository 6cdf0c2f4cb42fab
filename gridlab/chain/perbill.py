"""Shares as whole parts of a billion, with the roundings of Substrate's `Perbill`.

Every rounding has a direction, and two nodes that round differently fork. A share that is made of two numbers is
rounded down; a share of an amount goes to the nearest whole unit, and a half goes down.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/primitives/arithmetic/src/per_things.rs``, 2024.
"""

from __future__ import annotations

from fractions import Fraction

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentError

__all__ = ["BILLION", "QUINTILLION", "ceiling_of", "floor_of", "from_rational", "multiply", "part_of", "square"]

BILLION = 10**9
QUINTILLION = 10**18


def from_rational(numerator: int, denominator: int, accuracy: int = BILLION) -> int:
    """Return ``numerator / denominator`` in parts of `accuracy`, rounded down and never more than the whole.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is not a whole number, is negative, or the denominator is 0.
    """
    require_int("numerator", numerator, 0)
    if not require_int("denominator", denominator, 0):
        raise ArgumentError(f"the share {numerator} of 0 has no value, allowed: a denominator of 1 or more")
    return min(numerator * accuracy // denominator, accuracy)


def square(parts: int, accuracy: int = BILLION) -> int:
    """Return the square of a share, rounded down."""
    return multiply(parts, parts, accuracy)


def multiply(first: int, second: int, accuracy: int = BILLION) -> int:
    """Return the product of two shares, rounded down."""
    return first * second // accuracy


def part_of(parts: int, amount: int, accuracy: int = BILLION) -> int:
    """Return this share of `amount` to the nearest whole unit, a half rounded down (Substrate's ``share * amount``)."""
    whole, rest = divmod(parts * amount, accuracy)
    return whole + (2 * rest > accuracy)


def floor_of(parts: int, amount: int, accuracy: int = BILLION) -> int:
    """Return this share of `amount`, rounded down (Substrate's ``mul_floor``)."""
    return parts * amount // accuracy


def ceiling_of(share: Fraction, amount: int) -> int:
    """Return this share of `amount`, rounded up (Substrate's ``mul_ceil``)."""
    return -(-share.numerator * amount // share.denominator)
