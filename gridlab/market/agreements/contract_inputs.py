"""What people type into a contract's templates, turned into what its terms hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from math import lcm

import numpy as np

from gridlab import units
from gridlab.chain.arguments import require_text
from gridlab.chain.sharing import PPB, shares_of
from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["moment", "shares"]


def moment(name: str, value: object) -> datetime:
    """Return a datetime, read from ISO 8601 where it is text.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `value` is neither, or not a moment.
    """
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(require_text(name, value))
    except ValueError as problem:
        if isinstance(problem, ArgumentError):
            raise
        hint = "write ISO 8601, such as '2026-05-06T18:00'"
        raise ArgumentError(f"{name}: {value!r} is not a moment; {hint}") from problem


def shares(coefficients: Sequence[units.Number] | None, parties: int) -> tuple[int, ...]:
    """Return coefficients at any scale as parts per billion that sum to one.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        They are not numbers, not one for each party, below 0, or all 0.
    """
    if coefficients is None:
        raise ArgumentError(f"coefficients: {parties} buyers share and nothing says how; give one number for each")
    if not isinstance(coefficients, Sequence) or isinstance(coefficients, (str, bytes)):
        raise ArgumentTypeError(f"coefficients: expected a list of numbers, got {coefficients!r}")
    numbers = [units.exact(value, what=f"coefficients[{place}]") for place, value in enumerate(coefficients)]
    if len(numbers) != parties or min(numbers, default=Fraction(0)) < 0 or not sum(numbers):
        raise ArgumentError(
            f"coefficients: {list(coefficients)}; allowed: {parties} numbers, none below 0, not all of them 0"
        )
    scale = lcm(*(number.denominator for number in numbers))
    weights = [int(number * scale) for number in numbers]
    # Integers of any size: shares of a billion are all that is kept, so scale down what 64 bits cannot hold.
    if sum(weights) * PPB >= 2**63:
        whole = sum(weights)
        weights = [weight * PPB * PPB // whole for weight in weights]
    return tuple(shares_of(np.array([weights], np.int64))[0].tolist())
