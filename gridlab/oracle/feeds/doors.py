"""What the calls of this room accept as numbers and regions."""

from __future__ import annotations

import math
from numbers import Real

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.oracle.feeds.places import REGIONS

__all__ = ["require_number", "require_region"]


def require_number(name: str, value: object, low: float, high: float) -> float:
    """Return `value` as a float if it is a number from `low` to `high`.

    Raises
    ------
    ArgumentTypeError
        It is not a number.
    ArgumentError
        It is outside.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ArgumentTypeError(f"{name}: expected a number from {low:g} to {high:g}, got {value!r}")
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise ArgumentError(f"{name}: {value!r} is not allowed; allowed: {low:g} to {high:g}")
    return number


def require_region(name: str, value: object) -> str:
    """Return `value` if it is the code of an EGAT region.

    Raises
    ------
    ArgumentTypeError
        It is not text.
    ArgumentError
        There is no such region.
    """
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name}: expected one of {REGIONS}, got {value!r}")
    if value not in REGIONS:
        raise ArgumentError(f"{name}: there is no region {value!r}; {nearest(value, REGIONS)}")
    return value
