r"""Curves: how much approval and support a referendum needs, falling as the time for deciding passes.

A curve maps the share :math:`x` of the decision period that is over to the share :math:`y` that is asked for. `delay`
is its inverse: the earliest :math:`x` at which :math:`y` is enough, and 1 where it never is before the end.

The shapes are those of pallet-referenda. It counts in parts per billion and rounds every step; here everything is an
exact fraction, from which the pallet's figures differ by less than a ten-millionth (``tests/governance/test_curves.py``
computes both).

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/referenda/src/types.rs`` (``Curve``), 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil as whole_above
from typing import TypeAlias

from gridlab.errors import GovernanceError
from gridlab.units import Number, exact

__all__ = ["Curve", "Linear", "Reciprocal", "Stepped"]


def _share(name: str, value: Number) -> Fraction:
    share = exact(value, what=name)
    if not 0 <= share <= 1:
        raise GovernanceError(f"{name} is {value}, allowed: a share from 0 to 1; Fraction(1, 2) or 0.5 is one half")
    return share


def _positive(name: str, value: Fraction) -> None:
    if value <= 0:
        raise GovernanceError(f"{name} is {value}, allowed: more than 0")


def _not_rising(high: str, high_value: Fraction, low: str, low_value: Fraction) -> None:
    if high_value < low_value:
        raise GovernanceError(f"{high} is {high_value}, below {low}, {low_value}; a curve never rises, so swap them")


def _set_shares(curve: object, names: tuple[str, ...]) -> None:
    for name in names:
        object.__setattr__(curve, name, _share(name, getattr(curve, name)))


@dataclass(frozen=True, slots=True)
class Linear:
    r"""A straight line from ``(0, ceil)`` to ``(length, floor)``, and level from there on.

    .. math:: y = c - (c - f) \min(x, l) / l

    Parameters
    ----------
    length : number
        Share of the decision period after which the floor is reached, more than 0.
    floor, ceil : number
        Least and most that is asked for, shares 0 … 1.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        An argument is no number, or no share; the length is 0, or the floor is above the ceiling.

    Examples
    --------
    >>> Linear(length=1, floor=0.5, ceil=1).threshold(0.5), Linear(1, 0.5, 1).delay(0.75)
    (Fraction(3, 4), Fraction(1, 2))
    """

    length: Fraction
    floor: Fraction
    ceil: Fraction

    def __post_init__(self) -> None:
        _set_shares(self, ("length", "floor", "ceil"))
        _positive("length", self.length)
        _not_rising("ceil", self.ceil, "floor", self.floor)

    def threshold(self, x: Number) -> Fraction:
        """Return the share that is asked for when the share `x` of the decision period is over."""
        return self.ceil - (self.ceil - self.floor) * min(_share("x", x), self.length) / self.length

    def delay(self, y: Number) -> Fraction:
        """Return the earliest share of the decision period at which `y` is enough; 1 if it never is."""
        share = _share("y", y)
        if share < self.floor:
            return Fraction(1)
        if share >= self.ceil:
            return Fraction(0)
        return (self.ceil - share) / (self.ceil - self.floor) * self.length


@dataclass(frozen=True, slots=True)
class Stepped:
    r"""Stairs: `begin` at first, and after every `period` one `step` less, but never below `end`.

    .. math:: y = \max(b - s \lfloor x / p \rfloor, e)

    Parameters
    ----------
    begin, end : number
        Most and least that is asked for, shares 0 … 1.
    step : number
        Height of a step, more than 0.
    period : number
        Share of the decision period that a step lasts, more than 0.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        An argument is no number, or no share; a step or period of 0, or an end above the beginning.

    Examples
    --------
    >>> Stepped(begin=0.8, end=0.3, step=0.1, period=0.15).threshold(0.3)
    Fraction(3, 5)
    """

    begin: Fraction
    end: Fraction
    step: Fraction
    period: Fraction

    def __post_init__(self) -> None:
        _set_shares(self, ("begin", "end", "step", "period"))
        _positive("step", self.step)
        _positive("period", self.period)
        _not_rising("begin", self.begin, "end", self.end)

    def threshold(self, x: Number) -> Fraction:
        """Return the share that is asked for when the share `x` of the decision period is over."""
        return max(self.begin - self.step * (_share("x", x) // self.period), self.end)

    def delay(self, y: Number) -> Fraction:
        """Return the earliest share of the decision period at which `y` is enough; 1 if it never is."""
        share = _share("y", y)
        if share < self.end:
            return Fraction(1)
        steps = whole_above(max(self.begin - share, Fraction(0)) / self.step)
        return min(self.period * steps, Fraction(1))


@dataclass(frozen=True, slots=True)
class Reciprocal:
    r"""A hyperbola, which falls fast at first and slowly later.

    .. math:: y = K / (x + S) + T

    held within 0 and 1.

    Parameters
    ----------
    factor : number
        K, more than 0.
    x_offset : number
        S, more than 0.
    y_offset : number
        T, of either sign.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        An argument is no number; a factor or x_offset that is not more than 0.
    """

    factor: Fraction
    x_offset: Fraction
    y_offset: Fraction

    def __post_init__(self) -> None:
        for name in ("factor", "x_offset", "y_offset"):
            object.__setattr__(self, name, exact(getattr(self, name), what=name))
        _positive("factor", self.factor)
        _positive("x_offset", self.x_offset)

    @classmethod
    def through(cls, delay: Number, level: Number, floor: Number, ceil: Number, period: Number = 1) -> Reciprocal:
        r"""Return the curve through ``(0, ceil)``, ``(delay / period, level)`` and ``(1, floor)``.

        With :math:`d` = delay / period, the three points give

        .. math:: S = \frac{d\,(l - f)}{(c - l) - (c - f)\,d}, \quad K = (c - f)\,S\,(1 + S), \quad T = c - K / S.

        Parameters
        ----------
        delay : number
            When `level` is reached, in the unit of `period`.
        level : number
            A share below the straight line from `ceil` to `floor`, and above `floor`.
        floor, ceil : number
            What is asked for at the end and at the beginning.
        period : number
            Length of the decision period.

        Raises
        ------
        ArgumentTypeError, GovernanceError
            An argument is no number, or no such curve goes through the three points.

        Examples
        --------
        >>> root = Reciprocal.through(delay=4, level=0.8, floor=0.5, ceil=1, period=28)
        >>> root.threshold(0), root.threshold(Fraction(4, 28)), root.threshold(1)
        (Fraction(1, 1), Fraction(4, 5), Fraction(1, 2))
        """
        low, middle, high = _share("floor", floor), _share("level", level), _share("ceil", ceil)
        whole = exact(period, what="period")
        _positive("period", whole)
        when = exact(delay, what="delay") / whole
        if not 0 < when < 1:
            raise GovernanceError(f"delay is {delay} of a period of {period}, allowed: more than 0 and less than all")
        line = high - (high - low) * when
        if not low < middle < line:
            raise GovernanceError(
                f"level is {level}, allowed: more than the floor, {low}, and less than {line}, where a straight line "
                "from ceil to floor is by then; Linear(length, floor, ceil) gives the line"
            )
        offset = when * (middle - low) / (line - middle)
        factor = (high - low) * offset * (1 + offset)
        return cls(factor, offset, high - factor / offset)

    def threshold(self, x: Number) -> Fraction:
        """Return the share that is asked for when the share `x` of the decision period is over."""
        wanted = self.factor / (_share("x", x) + self.x_offset) + self.y_offset
        return min(max(wanted, Fraction(0)), Fraction(1))

    def delay(self, y: Number) -> Fraction:
        """Return the earliest share of the decision period at which `y` is enough; 1 if it never is."""
        share = _share("y", y)
        if share >= self.threshold(0):
            return Fraction(0)
        if share < self.threshold(1):
            return Fraction(1)
        return self.factor / (share - self.y_offset) - self.x_offset


Curve: TypeAlias = Linear | Stepped | Reciprocal
