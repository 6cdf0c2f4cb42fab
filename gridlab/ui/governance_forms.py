"""What people type into the controls of governance, as the values that an assembly takes."""

from __future__ import annotations

from gridlab.errors import ArgumentError
from gridlab.units import exact

__all__ = ["lever_value", "micro_of"]

_MICRO = 1_000_000
_SWITCHES = {"true": True, "on": True, "เปิด": True, "false": False, "off": False, "ปิด": False}


def lever_value(written: str) -> float | bool | str:
    """Return what was typed as a number, a switch, or the name of a choice.

    Raises
    ------
    ArgumentError
        Nothing was typed.
    """
    words = written.strip()
    if not words:
        raise ArgumentError("new value: nothing is written there; type the value that the lever shall have")
    if words.lower() in _SWITCHES:
        return _SWITCHES[words.lower()]
    try:
        value = float(words.replace(",", ""))
    except ValueError:
        return words
    return value


def micro_of(grid: float) -> int:
    """Return GRID as micro-GRID.

    Raises
    ------
    ArgumentError
        It has more than six decimals.
    """
    amount = exact(grid, what="GRID") * _MICRO
    if amount.denominator != 1:
        raise ArgumentError(f"GRID: {grid} has more than six decimals; round it, for example to {round(grid, 6)}")
    return int(amount)
