"""The levers that votes may move, as data in the chain's state: path, bounds, steps, choices.

The chain knows no lab. It gets this table at genesis, with its hash in the state, so that every node refuses a proposal
on an unknown lever, or out of bounds, when it is made. The value itself stays with the lab, which moves the lever by
the door it always uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_mapping
from gridlab.chain.encoding import blob, compact, text
from gridlab.chain.hashing import tagged_hash
from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError, nearest
from gridlab.frames import Column, Schema
from gridlab.governance.actions import SetLevers
from gridlab.units import exact

__all__ = ["LEVERS", "LeverTable"]

_DOMAIN = "gridlab/lever-table/1"
# As a lever of a lab: a float this close to a whole step (in steps) is that step, written by binary arithmetic.
_NOISE = Fraction(1, 10**9)
_DIGITS = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")
_SWITCH = {"true": True, "false": False}

# What of `lab.levers()` counts here; the frame may have its other columns too.
LEVERS = Schema(
    "levers",
    (
        Column("path", pl.String, "text", "name of the lever, unique"),
        Column("low", pl.Float64, "float", "least value; null for a choice or a switch", nullable=True),
        Column("high", pl.Float64, "float", "most; null for a choice or a switch", nullable=True),
        Column("step", pl.Float64, "float", "the values are low and whole steps above it", nullable=True),
        Column("governed_by", pl.String, "text", "who may change it in the real world"),
    ),
)


@dataclass(frozen=True, slots=True)
class _Row:
    low: Fraction | None
    high: Fraction | None
    step: Fraction | None
    choices: tuple[str, ...]
    governed_by: str

    @property
    def allowed(self) -> str:
        if self.low is not None:
            return f"{_decimal(self.low)} to {_decimal(self.high)} in steps of {_decimal(self.step)}"
        return ", ".join(map(repr, self.choices)) if self.choices else "True or False"

    def to_bytes(self) -> bytes:
        numbers = [each for each in (self.low, self.high, self.step) if each is not None]
        written = [compact(len(numbers)), *(text(str(each)) for each in numbers), compact(len(self.choices))]
        return b"".join([*written, *map(text, self.choices), text(self.governed_by)])

    def admit(self, value: object) -> str | None:
        """Return the value as text, None where it is not allowed."""
        if self.low is None:
            if self.choices:
                return value if isinstance(value, str) and value in self.choices else None
            return str(value).lower() if isinstance(value, bool) else None
        try:
            number = exact(value, what="value")  # type: ignore[arg-type]
        except (ArgumentError, ArgumentTypeError):
            return None
        steps = (number - self.low) / self._step
        if isinstance(value, float) and abs(steps - round(steps)) < _NOISE:
            steps = Fraction(round(steps))
            number = self.low + steps * self._step
        return _decimal(number) if self.low <= number <= self._high and steps.denominator == 1 else None

    def typed(self, value: str) -> Any:
        """Return the value that `admit` wrote, None where it wrote no such thing."""
        if self.low is None:
            return value if self.choices else _SWITCH.get(value)
        # Digits only: what a stranger writes as 1e999999999 must not be worked out.
        if not _DIGITS.fullmatch(value):
            return None
        number = exact(Decimal(value))
        return int(number) if number.denominator == 1 else float(number)

    @property
    def _step(self) -> Fraction:
        return Fraction(1) if self.step is None else self.step

    @property
    def _high(self) -> Fraction:
        return Fraction(0) if self.high is None else self.high


class LeverTable:
    """The levers that votes may move.

    Parameters
    ----------
    levers : polars.DataFrame, optional
        As `LEVERS`, and a column ``choices`` (list of text, null where there are none); ``lab.levers()`` is one. None
        for a chain whose votes move no lever.

    Raises
    ------
    ArgumentTypeError, FrameError, GovernanceError
        It is no frame, a column is missing, a path stands there twice, or a number has no step.

    Examples
    --------
    >>> table = LeverTable(pl.DataFrame({"path": ["market.fee", "market.rule"], "low": [0.0, None],
    ...     "high": [2.0, None], "step": [0.001, None], "governed_by": ["operator"] * 2,
    ...     "choices": [None, ["uniform", "pay_as_bid"]]}))
    >>> print(table.action({"market.fee": 0.1 * 3, "market.rule": "pay_as_bid"}))
    set market.fee = 0.3, market.rule = pay_as_bid
    """

    __slots__ = ("_hash", "_rows")

    def __init__(self, levers: pl.DataFrame | pl.LazyFrame | None = None) -> None:
        rows: dict[str, _Row] = {}
        if levers is not None:
            frame = LEVERS.check(levers)
            if frame["path"].is_duplicated().any():
                raise GovernanceError("levers: a path stands there twice; each lever has one row")
            choices = frame["choices"] if "choices" in frame.columns else pl.Series([None] * frame.height)
            columns = frame.select("path", "low", "high", "step", "governed_by")
            for row, names in zip(columns.rows(), choices.to_list(), strict=True):
                rows[row[0]] = _row(row, names)
        self._rows = dict(sorted(rows.items()))
        body = b"".join(text(path) + blob(row.to_bytes()) for path, row in self._rows.items())
        self._hash = tagged_hash(_DOMAIN, body)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, path: object) -> bool:
        return path in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"LeverTable({len(self)} levers)"

    @property
    def hash(self) -> bytes:
        """Hash over all rows, 32 bytes."""
        return self._hash

    def action(self, levers: Mapping[str, object]) -> SetLevers:
        """Return the action that moves levers to these values.

        Parameters
        ----------
        levers : mapping of str to object
            Path -> value, in the unit of the lever.

        Raises
        ------
        ArgumentTypeError, GovernanceError
            It is no mapping, or names an unknown lever or a value that its lever does not take.
        """
        written = []
        for path, value in require_mapping("levers", levers).items():
            row = self._row(path)
            admitted = row.admit(value)
            if admitted is None:
                raise GovernanceError(f"{path}: {value!r} is not allowed; allowed: {row.allowed}")
            written.append((path, admitted))
        return SetLevers(tuple(sorted(written)))

    def values(self, action: SetLevers) -> dict[str, Any]:
        """Return path -> value of an action, as ``lab.set`` takes them.

        Raises
        ------
        GovernanceError
            A lever is not known, or a value is not allowed or not written as `action` writes it.
        """
        found: dict[str, Any] = {}
        for path, written in action.levers:
            row = self._row(path)
            value = row.typed(written)
            if value is None or row.admit(value) != written:
                raise GovernanceError(f"{path}: {written!r} is not allowed; allowed: {row.allowed}")
            found[path] = value
        return found

    def _row(self, path: object) -> _Row:
        row = self._rows.get(path) if isinstance(path, str) else None
        if row is None:
            raise GovernanceError(
                f"no lever {path!r} that votes may move; {nearest(path, self._rows) if self._rows else 'there is none'}"
            )
        return row


def _row(columns: tuple[Any, ...], choices: list[str] | None) -> _Row:
    path, *numbers, governed_by = columns
    given = [None if each is None else exact(each, what=f"levers: {path}") for each in numbers]
    low, high, step = given
    if any(each is None for each in given) and any(each is not None for each in given):
        raise GovernanceError(f"levers: {path} has only some of low, high and step; give all three, or none")
    if low is not None and high is not None and step is not None and not (low <= high and step > 0):
        raise GovernanceError(f"levers: {path} goes from {low} to {high} in steps of {step}, allowed: upwards")
    return _Row(low, high, step, tuple(choices or ()), governed_by)


def _decimal(number: Fraction | None) -> str:
    """Return a number in digits, "0.8" or "-12"; a lever's values have finitely many."""
    if number is None:
        return ""
    with localcontext(prec=60):
        return f"{(Decimal(number.numerator) / Decimal(number.denominator)).normalize():f}"
