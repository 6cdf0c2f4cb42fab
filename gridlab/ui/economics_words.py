"""How figures of the GRID economy are written: their units, the names of the bands."""

from __future__ import annotations

from gridlab.ui.figures import unit
from gridlab.ui.words import Word

__all__ = ["BAND_WORDS", "scaled"]

_MILLION = 1e6
# The outer band first, so that the inner one lies on it.
BAND_WORDS = {
    ("p5", "p95"): Word("9 of 10 paths", "เส้นทาง 9 ใน 10"),
    ("p25", "p75"): Word("half of the paths", "เส้นทางครึ่งหนึ่ง"),
}


def scaled(unit_name: str) -> tuple[float, str]:
    """Return what a figure is divided by, and its unit in words: GRID are shown in millions."""
    if unit_name == "GRID":
        return _MILLION, str(Word("million GRID", "ล้าน GRID"))
    return 1.0, unit(unit_name)
