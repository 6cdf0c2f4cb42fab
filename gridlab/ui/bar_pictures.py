"""Pictures of amounts: horizontal bars from zero to either side, and a table of shaded cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridlab.ui import svg
from gridlab.ui.axes import Scale, ticks
from gridlab.ui.figures import number
from gridlab.ui.palette import SIDES, Ink
from gridlab.ui.svg import Floats

__all__ = ["Bar", "bars", "heat"]

_WIDTH = 480.0
_BAR, _GAP = 20.0, 10.0
_SIZE = 12.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its value, the value as it is written, and its ink."""

    words: str
    value: float
    shown: str
    ink: Ink


def bars(entries: Sequence[Bar], *, title: str, x_unit: str) -> str:
    """Return horizontal bars from zero, each with its value written at its end, as SVG."""
    values = np.array([entry.value for entry in entries] or [0.0])
    room = max((svg.text_width(entry.shown, _SIZE) for entry in entries), default=0) + 10
    left = min(max((svg.text_width(entry.words, _SIZE) for entry in entries), default=0) + 10, 190.0)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    # Room for the written values beyond the longest bars.
    scale = Scale(low, high or (1.0 if low == 0 else 0.0), left + (room if low < 0 else 0), _WIDTH - room)
    bottom = len(entries) * (_BAR + _GAP) + 6
    parts = _grid(scale, bottom, x_unit)
    for place, entry in enumerate(entries):
        parts += _bar(entry, scale, place * (_BAR + _GAP) + 4)
    return svg.picture(_WIDTH, bottom + 36, title, parts)


def _grid(scale: Scale, bottom: float, x_unit: str) -> list[str]:
    marks = [float(v) for v in ticks(scale.low, scale.high, 4) if scale.low <= v <= scale.high]
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    parts = [svg.text(_WIDTH, bottom + 33, x_unit, size=11, anchor="end", opacity=0.75)]
    for mark in marks:
        x = scale.at(mark)
        parts.append(svg.line(x, 0, x, bottom, opacity=0.5 if mark == 0 else 0.13))
        parts.append(svg.text(x, bottom + 16, number(mark, decimals), size=11, anchor="middle"))
    return parts


def _bar(entry: Bar, scale: Scale, top: float) -> list[str]:
    zero, end = scale.at(0), scale.at(entry.value)
    base = top + _BAR - 5.5
    value_at, anchor = (end - 5, "end") if entry.value < 0 else (end + 5, "")
    return [
        svg.text(0, base, entry.words, size=_SIZE),
        svg.rectangle(zero, top, end - zero, _BAR, fill=entry.ink.colour, opacity=0.85),
        svg.text(value_at, base, entry.shown, size=_SIZE, anchor=anchor, weight="600"),
    ]


def heat(rows: Sequence[str], columns: Sequence[str], values: Floats, *, title: str, decimals: int = 2) -> str:
    """Return a table of shaded cells with the value written in each, as SVG.

    Parameters
    ----------
    rows, columns : sequence of str
    values : ndarray of float64, shape (rows, columns)
        Not a number where there is none: such a cell stays empty.
    title : str
    decimals : int
    """
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    left = max((svg.text_width(row, _SIZE) for row in rows), default=0) + 8
    cell, tall = 31.0, 26.0
    parts = [
        svg.text(left + cell * (j + 0.5), 14, name, size=10, anchor="middle", opacity=0.8)
        for j, name in enumerate(columns)
    ]
    for i, row in enumerate(rows):
        y = 20 + i * (tall + 2)
        parts.append(svg.text(0, y + 17, row, size=_SIZE))
        strength = 0.12 + 0.43 * (values[i] - low) / ((high - low) or 1.0)
        parts += [
            _cell(number(values[i, j], decimals), strength[j], left + j * cell, y)
            if np.isfinite(values[i, j])
            else svg.text(left + j * cell + 15, y + 17, "·", size=10, anchor="middle", opacity=0.4)
            for j in range(len(columns))
        ]
    return svg.picture(left + cell * len(columns), 20 + len(rows) * (tall + 2), title, parts)


def _cell(words: str, strength: float, x: float, y: float) -> str:
    shade = svg.rectangle(x, y, 30, 26, fill=SIDES["sell"].colour, opacity=strength)
    return shade + svg.text(x + 15, y + 17, words, size=10, anchor="middle")
