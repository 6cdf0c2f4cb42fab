"""Scales, ticks and the frame of a picture: where a value is drawn, and the numbers that let it be read off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridlab.ui import svg
from gridlab.ui.figures import number
from gridlab.ui.palette import Ink
from gridlab.ui.svg import Floats

__all__ = ["WIDTH", "Entry", "Panel", "Scale", "legend", "nice_step", "ticks"]

WIDTH = 480.0
_LEFT, _RIGHT, _BOTTOM = 46.0, 12.0, 36.0
_ROW = 17.0  # height of a row of the legend
_SMALL = 11.0
_MARK = 22.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to pixels.

    Attributes
    ----------
    low, high : float
        Values.
    start, end : float
        Where they are drawn.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, values: Floats | float) -> Floats:
        """Return the pixels of `values`."""
        width = self.high - self.low or 1.0
        share = (np.asarray(values, dtype=np.float64) - self.low) / width
        placed: Floats = self.start + share * (self.end - self.start)
        return placed

    def at(self, value: float) -> float:
        """Return the pixel of one value."""
        return float(self(value))


def nice_step(span: float, most: int) -> float:
    """Return the smallest step of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts."""
    if span <= 0:
        return 1.0
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= raw * (1 - 1e-9))


def ticks(low: float, high: float, most: int = 5) -> Floats:
    """Return round values that cover `low` to `high`: the first at or below `low`, the last at or above `high`."""
    if not high > low:
        low, high = (low - 0.5, low + 0.5) if low else (0.0, 1.0)
    step = nice_step(high - low, most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return np.arange(first, last + 1, dtype=np.float64) * step


def _decimals(values: Floats) -> int:
    step = float(values[1] - values[0]) if len(values) > 1 else 1.0
    return max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend: how a thing is drawn (line, area, layer, dot) and what it is called."""

    words: str
    ink: Ink
    mark: str = "line"


def _mark(entry: Entry, x: float, y: float) -> str:
    middle = y - 4
    if entry.mark == "area":
        return svg.rectangle(x, y - 9, _MARK - 6, 10, fill=entry.ink.colour, opacity=0.45)
    if entry.mark == "layer":
        shade = svg.rectangle(x, y - 9, _MARK - 5, 10, fill=entry.ink.colour, opacity=0.6)
        return shade + svg.line(x, y - 9, x + _MARK - 5, y - 9, stroke=entry.ink.colour, width=2, dash=entry.ink.dash)
    if entry.mark == "dot":
        return svg.circle(x + 8, middle, 4.5, fill=entry.ink.colour)
    return svg.line(x, middle, x + _MARK - 5, middle, stroke=entry.ink.colour, width=2.5, dash=entry.ink.dash)


def legend(entries: Sequence[Entry], width: float = WIDTH) -> tuple[list[str], float]:
    """Return the legend's elements, laid out in rows from the top, and its height."""
    parts, x, y = [], 2.0, _ROW - 4
    for entry in entries:
        needed = _MARK + svg.text_width(entry.words, _SMALL) + 12
        if x > 2 and x + needed > width:
            x, y = 2.0, y + _ROW
        parts += [_mark(entry, x, y), svg.text(x + _MARK, y, entry.words, size=_SMALL)]
        x += needed
    return parts, (y + 6 if entries else 0.0)


class Panel:
    """The frame of a picture with its two scales; elements are drawn into it in the order they are added.

    Parameters
    ----------
    x, y : tuple of float
        Lowest and highest value.
    entries : sequence of Entry
        The legend above.
    height : float
        Of the whole picture.
    y_unit, x_unit : str
        Names of the axes, with units.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        entries: Sequence[Entry],
        height: float,
        y_unit: str,
        x_unit: str,
    ) -> None:
        shown, top = legend(entries)
        self.height = height
        self.top = top + 22
        self.bottom = height - _BOTTOM
        self.marks = ticks(*y)
        self.x = Scale(*x, _LEFT, WIDTH - _RIGHT)
        self.y = Scale(float(self.marks[0]), float(self.marks[-1]), self.bottom, self.top)
        self.parts = [*shown, svg.text(2, self.top - 9, y_unit, size=_SMALL, opacity=0.75)]
        self.parts.append(svg.text(WIDTH - _RIGHT, height - 4, x_unit, size=_SMALL, anchor="end", opacity=0.75))
        self._rule_y()

    def _rule_y(self) -> None:
        decimals = _decimals(self.marks)
        for value in self.marks:
            at = self.y.at(value)
            strong = abs(value) < 1e-12
            self.parts.append(svg.line(_LEFT, at, WIDTH - _RIGHT, at, opacity=0.5 if strong else 0.13))
            self.parts.append(svg.text(_LEFT - 6, at + 4, number(float(value), decimals), size=_SMALL, anchor="end"))

    def rule_x(self, values: Sequence[float], labels: Sequence[str]) -> None:
        """Draw the ticks of the x axis."""
        self.parts.append(svg.line(_LEFT, self.bottom, WIDTH - _RIGHT, self.bottom, opacity=0.5))
        for value, label in zip(values, labels, strict=True):
            at = self.x.at(value)
            # The outermost labels stay inside the picture.
            anchor = "end" if at > WIDTH - _RIGHT - 8 else "middle"
            self.parts.append(svg.line(at, self.bottom, at, self.bottom + 4, opacity=0.5))
            self.parts.append(svg.text(at, self.bottom + 16, label, size=_SMALL, anchor=anchor))

    def rule_x_numbers(self) -> None:
        """Draw round numbers along the x axis, inside its two ends."""
        values = ticks(self.x.low, self.x.high, 6)
        decimals = _decimals(values)
        inside = [float(v) for v in values if self.x.low - 1e-9 <= v <= self.x.high + 1e-9]
        self.rule_x(inside, [number(value, decimals) for value in inside])

    def picture(self, title: str) -> str:
        """Return the finished picture."""
        return svg.picture(WIDTH, self.height, title, self.parts)
