"""A referendum as static SVG: approval and support over time against the falling curves that are asked of it."""

from __future__ import annotations

import numpy as np

from gridlab.governance.tracks import Track
from gridlab.ui import svg
from gridlab.ui.axes import Entry, Panel
from gridlab.ui.figures import number, unit
from gridlab.ui.governance_words import MEASURE_WORDS
from gridlab.ui.palette import MEASURES, Ink
from gridlab.ui.referendum_view import Asked, Course, asked_of
from gridlab.ui.words import Word, lookup

__all__ = ["DOTTED", "curves_picture", "referendum_picture"]

_HEIGHT = 300.0
DOTTED = "2 3"


def _entries(*, with_course: bool) -> list[Entry]:
    entries = []
    for measure, ink in MEASURES.items():
        name = lookup(MEASURE_WORDS, measure)
        if with_course:
            entries.append(Entry(name, ink))
        entries.append(Entry(str(Word(f"{name} asked for", f"{name}ที่ต้องการ")), Ink(ink.colour, DOTTED)))
    return entries


def _panel(x: tuple[float, float], *, with_course: bool) -> Panel:
    return Panel(x, (0.0, 100.0), entries=_entries(with_course=with_course), height=_HEIGHT, y_unit="%",
                 x_unit=f"{Word('time', 'เวลา')} ({unit('min')})")  # fmt: skip


def _draw_asked(panel: Panel, asked: Asked) -> None:
    x = panel.x(asked.minute)
    for measure, ink in MEASURES.items():
        panel.parts.append(svg.polyline(x, panel.y(getattr(asked, measure)), stroke=ink.colour, width=1.6, dash=DOTTED))


def referendum_picture(course: Course, title: object) -> str:
    """Return the course of a referendum as SVG.

    Parameters
    ----------
    course : Course
    title : object
        What a screen reader says.
    """
    start = float(course.minute[0])
    panel = _panel((start, course.end), with_course=True)
    panel.rule_x_numbers()
    if course.asked is not None:
        _draw_asked(panel, course.asked)
    for measure, ink in MEASURES.items():
        values = getattr(course, measure)
        x, y = _held(course.minute, values)
        panel.parts.append(svg.polyline(panel.x(x), panel.y(y), stroke=ink.colour, width=2.5, dash=ink.dash))
        last = panel.y.at(float(values[-1]))
        panel.parts.append(svg.circle(panel.x.at(float(course.minute[-1])), last, 4.5, fill=ink.colour))
    _draw_marks(panel, course)
    return panel.picture(str(title))


def _held(x: svg.Floats, y: svg.Floats) -> tuple[svg.Floats, svg.Floats]:
    """Return the corners of steps: a tally stands until the next vote."""
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def _draw_marks(panel: Panel, course: Course) -> None:
    """Draw what happened as lines, each with its word above the panel; neighbours take turns in height."""
    for place, (minute, word) in enumerate(course.marks):
        x = panel.x.at(minute)
        right = x > (panel.x.start + panel.x.end) / 2
        panel.parts.append(svg.line(x, panel.top, x, panel.bottom, dash="4 3", opacity=0.45))
        panel.parts.append(
            svg.text(x + 3 if right else x - 3, panel.top - 4 - 12 * (place % 2), word, size=11,
                     anchor="end" if right else "")
        )  # fmt: skip


def curves_picture(track: Track, title: object) -> str:
    """Return what a track asks for over its decision period as SVG."""
    asked = asked_of(track)
    panel = _panel((0.0, float(asked.minute[-1])), with_course=False)
    panel.rule_x_numbers()
    _draw_asked(panel, asked)
    least = Word(
        f"at the end {number(asked.approval[-1], 1)} % and {number(asked.support[-1], 1)} %",
        f"ตอนสิ้นสุด {number(asked.approval[-1], 1)} % และ {number(asked.support[-1], 1)} %",
    )
    panel.parts.append(svg.text(panel.x.end, panel.top + 12, least, size=11, anchor="end", opacity=0.75))
    return panel.picture(str(title))
