"""Levers: every number or choice that a policy maker, an operator or a student may move, declared once.

A lever is a `param` parameter that also knows its unit, its label in English and Thai, the source of its default and
who governs it in the real world. Validation, widgets, sweeps, scenario files and `lab.levers()` are all read off that
one declaration. Parts own levers by subclassing `Levers`; a part inside a part gives the path its dots
(``market.wheeling.postage_stamp``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import param
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError, UnknownLeverError, nearest
from gridlab.units import exact

__all__ = ["ChoiceLever", "LeverInfo", "Levers", "NumberLever", "SwitchLever", "choice", "number", "switch"]


# A float this close to a whole step (in steps) is that step, written by binary arithmetic.
_NOISE = Fraction(1, 10**9)


@dataclass(frozen=True, slots=True)
class LeverInfo:
    """What a lever knows beside its value.

    Attributes
    ----------
    unit : str
        What people type, for example ``THB/kWh``; empty for a pure number or a choice.
    label, label_th : str
    source : str
        Where the default comes from, with its date and, for figures of the fact sheet, its confidence mark.
    governed_by : str
        Who may change it in the real world.
    """

    unit: str
    label: str
    label_th: str
    source: str
    governed_by: str


class _Lever(param.Parameter[Any]):
    """What the three kinds of lever share."""

    @property
    def info(self) -> LeverInfo:
        """The lever's unit, labels, source and governor."""
        info: LeverInfo = self.metadata["lever"]
        return info

    def value_on(self, owner: Levers) -> Any:
        """Return the lever's value on the part that owns it."""
        return getattr(owner, str(self.name))

    def allowed(self) -> str:
        """Return what the lever accepts, as words."""
        return "any value"

    def admit(self, value: object, path: str) -> Any:  # noqa: ARG002 - each kind of lever names the path in its refusal
        """Return `value` as the lever stores it, or raise `LeverError` naming path, value and what is allowed."""
        return value

    def _refuse(self, value: object, path: str, hint: str = "") -> LeverError:
        return LeverError(
            f"{path}: {value!r} is not allowed; allowed: {self.allowed()}; default: {self.default!r}"
            + (f"; {hint}" if hint else "")
        )

    def _validate(self, val: Any) -> None:
        owner = self.owner
        name = owner.__name__ if isinstance(owner, type) else type(owner).__name__
        self.admit(val, f"{name}.{self.name}" if owner is not None else "lever")


class NumberLever(_Lever, param.Number[Any]):
    """A number between two bounds, in whole steps."""

    bounds: tuple[float, float]
    step: float

    def allowed(self) -> str:
        """Return bounds, unit and step."""
        low, high = self.bounds
        unit = f" {self.info.unit}" if self.info.unit else ""
        return f"{low} to {high}{unit} in steps of {self.step}"

    def admit(self, value: object, path: str) -> float | int:
        """Return the number as float, or as int where the default is one."""
        try:
            number = exact(value, what=path)  # type: ignore[arg-type]
        except (ArgumentError, ArgumentTypeError) as problem:
            raise self._refuse(value, path) from problem
        low, high = self.bounds
        if isinstance(value, float):  # 0.1 * 3 is meant to be 0.3
            steps = (number - exact(low)) / exact(self.step)
            if abs(steps - round(steps)) < _NOISE:
                number = exact(low) + round(steps) * exact(self.step)
        if not exact(low) <= number <= exact(high):
            raise self._refuse(value, path)
        if (number - exact(low)) % exact(self.step):
            raise self._refuse(value, path, "round it to a whole step")
        return int(number) if isinstance(self.default, int) else float(number)


class ChoiceLever(_Lever, param.Selector[Any]):
    """One of several named choices."""

    def allowed(self) -> str:
        """Return the names."""
        return ", ".join(repr(name) for name in self.objects)

    def admit(self, value: object, path: str) -> str:
        """Return the name if it is one of the choices."""
        if not isinstance(value, str) or value not in list(self.objects):
            raise self._refuse(value, path, nearest(value, self.objects))
        return value


class SwitchLever(_Lever, param.Boolean[Any]):
    """On or off."""

    def allowed(self) -> str:
        """Return the two values."""
        return "True or False"

    def admit(self, value: object, path: str) -> bool:
        """Return the value if it is a Boolean."""
        if not isinstance(value, bool):
            raise self._refuse(value, path)
        return value


def number(
    default: float,
    low: float,
    high: float,
    step: float,
    *,
    unit: str,
    label: str,
    label_th: str,
    source: str,
    governed_by: str,
) -> Any:
    """Declare a lever that is a number from `low` to `high` (in `unit`) in whole steps of `step`."""
    info = LeverInfo(unit, label, label_th, source, governed_by)
    return NumberLever(default=default, bounds=(low, high), step=step, label=label, metadata={"lever": info})


def choice(default: str, objects: Sequence[str], *, label: str, label_th: str, source: str, governed_by: str) -> Any:
    """Declare a lever that is one of `objects`."""
    info = LeverInfo("", label, label_th, source, governed_by)
    return ChoiceLever(default=default, objects=list(objects), label=label, metadata={"lever": info})


def switch(*, default: bool, label: str, label_th: str, source: str, governed_by: str) -> Any:
    """Declare a lever that is on or off."""
    info = LeverInfo("", label, label_th, source, governed_by)
    return SwitchLever(default=default, label=label, metadata={"lever": info})


class Levers(param.Parameterized):
    """A part that owns levers, and may hold other parts that own theirs.

    Subclasses declare levers as class attributes with `number`, `choice` and `switch`, name their inner parts in
    `parts`, and may refuse combinations in `conflict`.
    """

    parts: tuple[str, ...] = ()

    def __init__(self, **values: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # param ships it untyped
        self.set(values)

    def __str__(self) -> str:
        return repr(self)

    def conflict(self, values: Mapping[str, Any]) -> str | None:  # noqa: ARG002 - a part without rules has none
        """Return why levers do not go together, or None.

        `values` holds every lever of this part and of the parts inside it, by path from here.
        """
        return None

    def lever_paths(self, prefix: str = "") -> Iterator[tuple[str, Levers, _Lever]]:
        """Yield (path, owner, lever) for every lever of this part and of the parts inside it, in declared order."""
        for name, parameter in self.param.objects("existing").items():
            if isinstance(parameter, _Lever):
                yield f"{prefix}{name}", self, parameter
        for part in self.parts:
            yield from getattr(self, part).lever_paths(f"{prefix}{part}.")

    def _find(self) -> dict[str, tuple[Levers, _Lever]]:
        return {path: (owner, lever) for path, owner, lever in self.lever_paths()}

    def get(self, path: str) -> Any:
        """Return the value of the lever at `path`, in the unit that `levers()` shows.

        Raises
        ------
        UnknownLeverError
            No lever has this path.
        """
        found = self._find()
        if not isinstance(path, str) or path not in found:
            raise _unknown(path, found)
        owner, lever = found[path]
        return lever.value_on(owner)

    def set(self, levers: Mapping[str, object]) -> Self:
        """Move levers, all or none, and return this object.

        Parameters
        ----------
        levers : mapping of str to object
            Lever path -> value in human units.

        Raises
        ------
        UnknownLeverError
            A path does not exist.
        LeverError
            A value is out of bounds, of the wrong kind, or does not go with the others. Nothing was changed.
        """
        if not isinstance(levers, Mapping):
            raise ArgumentTypeError(
                f"set: expected a mapping of lever path to value, got {levers!r}; "
                'write for example {"market.wheeling.postage_stamp": 0.8}'
            )
        found = self._find()
        admitted: dict[Levers, dict[str, Any]] = {}
        for path, value in levers.items():
            if not isinstance(path, str) or path not in found:
                raise _unknown(path, found)
            owner, lever = found[path]
            admitted.setdefault(owner, {})[str(lever.name)] = lever.admit(value, path)
        after = self.lever_values() | {p: found[p][1].admit(value, p) for p, value in levers.items()}
        for reason in self.conflicts(after):
            raise LeverError(f"{', '.join(levers)}: {reason}; nothing was changed")
        for owner, values in admitted.items():
            owner.param.update(**values)
        return self

    def conflicts(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Yield the conflicts of this part and of the parts inside it under `values` (path -> value)."""
        reason = self.conflict(values)
        if reason:
            yield reason
        for part in self.parts:
            inner = {path.removeprefix(f"{part}."): v for path, v in values.items() if path.startswith(f"{part}.")}
            yield from getattr(self, part).conflicts(inner)

    def values(self) -> dict[str, Any]:
        """Return this part's own levers as name -> value (inner parts not included)."""
        return {n: getattr(self, n) for n, p in self.param.objects("existing").items() if isinstance(p, _Lever)}

    def lever_values(self) -> dict[str, Any]:
        """Return path -> value of every lever of this part and the parts inside it."""
        return {path: lever.value_on(owner) for path, owner, lever in self.lever_paths()}

    def levers(self) -> pl.DataFrame:
        """Return every lever as a frame.

        Returns
        -------
        polars.DataFrame
            ``path``, ``value`` (text), ``low``, ``high``, ``step`` (numbers, null for a choice), ``choices`` (list),
            ``unit``, ``label``, ``label_th``, ``source``, ``governed_by``.
        """
        rows = [_row(path, owner, lever) for path, owner, lever in self.lever_paths()]
        return pl.DataFrame(rows, schema=_LEVER_FRAME)


_LEVER_FRAME: dict[str, Any] = {
    "path": pl.String,
    "value": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "step": pl.Float64,
    "choices": pl.List(pl.String),
    "unit": pl.String,
    "label": pl.String,
    "label_th": pl.String,
    "source": pl.String,
    "governed_by": pl.String,
}


def _row(path: str, owner: Levers, lever: _Lever) -> dict[str, Any]:
    is_number = isinstance(lever, NumberLever)
    info = lever.info
    return {
        "path": path,
        "value": str(lever.value_on(owner)),
        "low": lever.bounds[0] if is_number else None,
        "high": lever.bounds[1] if is_number else None,
        "step": lever.step if is_number else None,
        "choices": list(lever.objects) if isinstance(lever, ChoiceLever) else None,
        "unit": info.unit,
        "label": info.label,
        "label_th": info.label_th,
        "source": info.source,
        "governed_by": info.governed_by,
    }


def _unknown(path: object, found: Mapping[str, object]) -> UnknownLeverError:
    return UnknownLeverError(f"no lever {path!r}; {nearest(path, found)}; lab.levers() lists them all")
