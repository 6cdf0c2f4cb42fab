"""Pictures over the slots of a run: step lines, stacked steps, and a sparkline for a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gridlab.ui import svg
from gridlab.ui.axes import Entry, Panel, Scale, nice_step
from gridlab.ui.figures import number
from gridlab.ui.palette import DEMAND, Ink
from gridlab.ui.svg import Floats
from gridlab.ui.words import Word

__all__ = ["Hours", "Series", "day_lines", "day_stack", "sparkline", "stairs"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one layer.

    Attributes
    ----------
    words : str
    ink : Ink
    values : ndarray of float64, shape (slots,)
        One per slot; not a number where there is none.
    """

    words: str
    ink: Ink
    values: Floats


@dataclass(frozen=True, slots=True)
class Hours:
    """The slots as hours.

    Attributes
    ----------
    edges : ndarray of float64, shape (slots + 1,)
        Where slots begin and end, in hours since the first midnight.
    dates : sequence of str
        Name of each day from the first on.
    on_peak : ndarray of bool, shape (slots,)
        Where the time-of-use tariff is on-peak; shaded.
    """

    edges: Floats
    dates: Sequence[str]
    on_peak: np.ndarray = field(repr=False)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return where the axis is marked: full hours on one day, midnights where there are several."""
        first, last = float(self.edges[0]), float(self.edges[-1])
        if last - first > 48:
            every = int(max(nice_step(len(self.dates), 8), 1))
            days = range(0, len(self.dates), every)
            return [24.0 * day for day in days], [self.dates[day] for day in days]
        step = next((s for s in (0.25, 0.5, 1, 2, 3, 6) if (last - first) / s <= 8), 6)
        marks = np.arange(np.ceil(first / step), np.floor(last / step) + 1) * step
        return marks.tolist(), [_clock(mark) for mark in marks]

    def bands(self) -> list[tuple[float, float]]:
        """Return the on-peak stretches as (begin, end) in hours."""
        turns = np.flatnonzero(np.diff(np.concatenate([[0], self.on_peak.astype(np.int8), [0]])))
        return [(float(self.edges[a]), float(self.edges[b])) for a, b in zip(turns[::2], turns[1::2], strict=True)]


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return "24:00" if minutes == 24 * 60 else f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def stairs(edges: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return the corners of `values` (n) held between `edges` (n + 1): 2 n points."""
    return np.column_stack([edges[:-1], edges[1:]]).ravel(), np.repeat(values, 2)


def _panel(hours: Hours, span: tuple[float, float], entries: Sequence[Entry], y_unit: str, height: float) -> Panel:
    entries = [*entries]
    if hours.on_peak.any():
        entries.append(Entry(str(Word("on-peak hours (TOU)", "ช่วง On-Peak (TOU)")), DEMAND, "area"))
    panel = Panel(
        (float(hours.edges[0]), float(hours.edges[-1])),
        span,
        entries=entries,
        height=height,
        y_unit=y_unit,
        x_unit=str(Word("time in Bangkok", "เวลาประเทศไทย (น.)")),
    )
    for begin, end in hours.bands():
        x = panel.x.at(begin)
        panel.parts.append(
            svg.rectangle(x, panel.top, panel.x.at(end) - x, panel.bottom - panel.top, fill=DEMAND.colour, opacity=0.1)
        )
    panel.rule_x(*hours.ticks())
    return panel


def day_lines(
    hours: Hours, series: Sequence[Series], *, y_unit: str, title: str, from_zero: bool = False, height: float = 250.0
) -> str:
    """Return step lines over the slots as SVG; slots without a value leave a gap."""
    values = np.concatenate([one.values for one in series]) if series else np.array([])
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    low = min(low, 0.0) if from_zero else low
    panel = _panel(hours, (low, high), [Entry(one.words, one.ink) for one in series], y_unit, height)
    for one in series:
        x, y = stairs(hours.edges, one.values)
        panel.parts.append(svg.polyline(panel.x(x), panel.y(y), stroke=one.ink.colour, width=1.8, dash=one.ink.dash))
    if not len(known):
        panel.parts.append(_nothing(panel))
    return panel.picture(title)


def _nothing(panel: Panel) -> str:
    words = Word("nothing was traded", "ไม่มีการซื้อขาย")
    middle = (panel.x.start + panel.x.end) / 2
    return svg.text(middle, (panel.top + panel.bottom) / 2, words, anchor="middle", opacity=0.7)


def day_stack(hours: Hours, series: Sequence[Series], *, y_unit: str, title: str, height: float = 250.0) -> str:
    """Return values >= 0 stacked over the slots as SVG, the first series lowest; a missing value counts 0."""
    layers = np.cumsum([np.zeros(len(hours.edges) - 1), *(np.nan_to_num(one.values) for one in series)], axis=0)
    highest = float(layers[-1].max(initial=0.0))
    panel = _panel(hours, (0.0, highest or 1.0), [Entry(s.words, s.ink, "layer") for s in series], y_unit, height)
    for one, lower, upper in zip(series, layers[:-1], layers[1:], strict=True):
        (x, bottom), (_, top) = stairs(hours.edges, lower), stairs(hours.edges, upper)
        outline = np.concatenate([panel.y(bottom), panel.y(top)[::-1]])
        panel.parts.append(
            svg.polygon(np.concatenate([panel.x(x), panel.x(x)[::-1]]), outline, fill=one.ink.colour, opacity=0.6)
        )
        # The edge tells the layers apart without their colours.
        edge = np.where(top > bottom, top, np.nan)
        panel.parts.append(svg.polyline(panel.x(x), panel.y(edge), stroke=one.ink.colour, width=1.2, dash=one.ink.dash))
    if not highest:
        panel.parts.append(_nothing(panel))
    return panel.picture(title)


def sparkline(values: Floats, *, ink: Ink, title: str, width: float = 120.0, height: float = 26.0) -> str:
    """Return a small step line without axes, its lowest and highest value in its title."""
    known = values[np.isfinite(values)]
    if not len(known):
        return svg.picture(width, height, f"{title}: –", [], decorative=True)
    x, y = stairs(np.linspace(0, width, len(values) + 1), values)
    scale = Scale(float(known.min()), float(known.max()), height - 3, 3)
    shown = svg.polyline(x, scale(y), stroke=ink.colour, width=1.6)
    span = f"{number(float(known.min()), 2)} – {number(float(known.max()), 2)}"
    return svg.picture(width, height, f"{title}: {span}", [shown], decorative=True)
