"""Static pictures of the oracle network: providers side by side, one round, and a day of a feed, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from gridlab.oracle.run import OracleRun
from gridlab.ui import svg
from gridlab.ui.axes import Entry, Panel
from gridlab.ui.figures import clock, number
from gridlab.ui.oracle_rounds import round_rows, said_in
from gridlab.ui.oracle_words import PROVIDER_KINDS, STATUS_GROUPS, feed_scale, feed_words
from gridlab.ui.palette import RIVALS, STATES, Ink
from gridlab.ui.svg import Floats
from gridlab.ui.validator_strip import mark
from gridlab.ui.word import Word, lookup

__all__ = ["MEDIAN", "RANGE", "TRUTH", "day_picture", "provider_state", "provider_strip", "round_picture"]

MEDIAN = (Word("median", "มัธยฐาน"), RIVALS["A"])
TRUTH = (Word("truth", "ค่าจริง"), Ink("#5e5e5e", "6 4"))
RANGE = (Word("what honest providers saw", "ช่วงค่าที่ผู้ซื่อสัตย์เห็น"), Ink("#009e73"))
_OBSERVED = {
    "honest": Word("accepted", "ยอมรับ"),
    "lies": Word("outlier or not counted", "ค่าผิดปกติหรือไม่นับ"),
    "down": Word("nothing came in time", "ไม่มาทันเวลา"),
}
_STANDING = {
    "honest": Word("honest", "ซื่อสัตย์"),
    "lies": Word("dishonest", "ไม่ซื่อสัตย์"),
    "down": Word("silent", "เงียบ"),
}
_STRIP = 640.0
_CELL = 41.0
_IN_A_ROW = 15
_ONE_DAY = timedelta(hours=24)


def provider_state(kind: str) -> str:
    """Return how a provider of a kind stands, as keys of `gridlab.ui.palette.STATES`."""
    return {"honest": "honest", "silent": "down"}.get(kind, "lies")


def _marks(words: dict[str, Word], width: float) -> list[str]:
    parts, x = [], 8.0
    for state, word in words.items():
        parts += [mark(state, x, 10, 6), svg.text(x + 12, 14, word, size=11)]
        x += min(12 + svg.text_width(word, 11) + 20, width)
    return parts


def provider_strip(kinds: Sequence[str], below: Sequence[str] = ()) -> str:
    """Return all providers side by side: number, mark, and a line of small text under each.

    Parameters
    ----------
    kinds : sequence of str
        Keys of `gridlab.oracle.roster.KINDS`, one for each provider.
    below : sequence of str, optional
        One text for each, such as its reputation.
    """
    parts, tall = _marks(_STANDING, _STRIP), 62.0 if below else 46.0
    for provider, kind in enumerate(kinds):
        row, place = divmod(provider, _IN_A_ROW)
        x, y = 20 + place * _CELL, 28 + row * tall
        told = svg.tag("title", f"{provider} {lookup(PROVIDER_KINDS, kind)}")
        cell = [told, mark(provider_state(kind), x, y + 12, 9.5), svg.text(x, y + 36, provider, anchor="middle")]
        if below:
            cell.append(svg.text(x, y + 50, below[provider], size=10, anchor="middle", opacity=0.8))
        parts.append(svg.group(cell))
    count = {state: sum(provider_state(kind) == state for kind in kinds) for state in _STANDING}
    title = ", ".join(f"{_STANDING[state]} {many}" for state, many in count.items())
    rows = -(-len(kinds) // _IN_A_ROW)
    return svg.picture(_STRIP, 30 + rows * tall, f"{Word('Providers', 'ผู้ให้ข้อมูล')}: {title}", parts)


def _entries(*, reported: bool = True) -> list[Entry]:
    shown = [(RANGE, "area"), (TRUTH, "line")] + ([(MEDIAN, "line")] if reported else [])
    return [Entry(str(words), ink, how) for (words, ink), how in shown]


def _span(inside: Floats, floor: float) -> tuple[float, float]:
    """Return the ends of a scale around what must be seen, a share `floor` of its size at least on either side."""
    known = inside[np.isfinite(inside)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    room = max(0.6 * (high - low), floor * max(abs(low), abs(high))) or 1.0  # the sun at night is 0 for everybody
    return low - room, high + room


def round_picture(run: OracleRun, feed: str, place: int, *, height: float = 280.0) -> str:
    """Return one round: every observation by provider, the honest range, truth and median.

    The scale is that of the honest range, truth and median. What lies beyond is drawn at the edge, as an arrow with its
    distance from the truth.

    Parameters
    ----------
    run : OracleRun
    feed : str
    place : int
        Of the round among those of the feed, from 0.
    height : float
    """
    rows, (scale, words) = round_rows(run, feed), feed_scale(feed)
    row = rows.row(place, named=True)
    said = said_in(run, feed, row["round"])
    levels = {name: np.nan if row[name] is None else row[name] / scale for name in ("value", "truth", "low", "high")}
    count = said.height
    panel = Panel(
        (-0.7, count - 0.3), _span(np.array(list(levels.values())), 0.001),
        entries=_entries(reported=np.isfinite(levels["value"])), height=height, y_unit=words,
        x_unit=str(Word("provider", "ผู้ให้ข้อมูล")),
    )  # fmt: skip
    step = max(1, count // 20)
    panel.rule_x([float(each) for each in range(0, count, step)], [str(each) for each in range(0, count, step)])
    panel.parts += _levels(panel, levels)
    shown = said.select("provider", pl.col("value") / scale, "state").rows()
    panel.parts += [_observation(panel, each, levels["truth"]) for each in shown]
    marks = svg.picture(480, 20, Word("Marks", "สัญลักษณ์"), _marks(_OBSERVED, 480))
    title = Word(f"{feed_words(feed)} at {clock(row['time'])}", f"{feed_words(feed)} เวลา {clock(row['time'])}")
    return marks + panel.picture(str(title))


def _levels(panel: Panel, levels: dict[str, float]) -> list[str]:
    left, right = panel.x.start, panel.x.end
    parts = []
    if np.isfinite(levels["low"]):
        top, bottom = panel.y.at(levels["high"]), panel.y.at(levels["low"])
        parts.append(svg.rectangle(left, top, right - left, max(bottom - top, 1.0), fill=RANGE[1].colour, opacity=0.3))
    for name, (_, ink) in (("truth", TRUTH), ("value", MEDIAN)):
        if np.isfinite(levels[name]):
            y = panel.y.at(levels[name])
            parts.append(svg.line(left, y, right, y, stroke=ink.colour, width=2, dash=ink.dash))
    return parts


def _observation(panel: Panel, said: tuple[int, float | None, str], truth: float) -> str:
    provider, value, state = said
    x = panel.x.at(provider)
    if value is None:
        return mark("down", x, panel.bottom - 8, 6.5)
    if panel.y.low <= value <= panel.y.high:
        return mark(state, x, panel.y.at(value), 6.5)
    return _beyond(panel, x, value, truth, state)


def _beyond(panel: Panel, x: float, value: float, truth: float, state: str) -> str:
    """Return an observation outside the scale: an arrow at the edge, and how far from the truth it is."""
    above = value > panel.y.high
    y, way = (panel.top + 16, -1) if above else (panel.bottom - 16, 1)
    ink = STATES[state].colour
    points = f"{x:g},{y + 9 * way:g} {x + 6:g},{y:g} {x - 6:g},{y:g}"
    far = number(100 * (value - truth) / abs(truth), 0, signed=True) + "%" if truth else ""
    words = svg.text(x, y + (14 if above else -5), far, size=9, anchor="middle")
    return svg.tag("polygon", points=points, fill=ink) + words


def day_picture(run: OracleRun, feed: str, place: int | None = None, *, height: float = 250.0) -> str:
    """Return all rounds of a feed: the honest range, truth and reports; refused rounds are crossed.

    Parameters
    ----------
    run : OracleRun
    feed : str
    place : int, optional
        A round to mark with an upright line.
    height : float
    """
    rows, (scale, words) = round_rows(run, feed), feed_scale(feed)
    arrays = {name: rows[name].cast(pl.Float64).to_numpy() / scale for name in ("value", "truth", "low", "high")}
    x = np.arange(rows.height, dtype=np.float64)
    groups = np.array([STATUS_GROUPS[status] for status in rows["status"].to_list()])
    refused = groups == "refused"
    inside = np.concatenate([arrays["truth"], arrays["value"][~refused]])
    low, high = _span(inside, 0.002)
    cross = (Word("refused", "ถูกปฏิเสธ"), STATES["lies"])
    told = [Entry(f"× {cross[0]}: {number(int(refused.sum()))}", cross[1], "dot")] if refused.any() else []
    panel = Panel(
        (0.0, max(float(rows.height - 1), 1.0)), (low, high), entries=_entries() + told, height=height, y_unit=words,
        x_unit=str(Word("time of day", "เวลา")),
    )  # fmt: skip
    _rule_times(panel, rows["time"])
    panel.parts.append(_band(panel, x, arrays))
    panel.parts.append(_steady(panel, x, arrays["truth"], TRUTH[1]))
    reported = np.where(groups == "refused", np.nan, arrays["value"])
    panel.parts.append(_steady(panel, x, reported, MEDIAN[1]))
    panel.parts += [_cross(panel, at, value) for at, value in zip(x[refused], arrays["value"][refused], strict=True)]
    if place is not None:
        at = panel.x.at(float(place))
        panel.parts.append(svg.line(at, panel.top, at, panel.bottom, width=1.5, opacity=0.7))
    return panel.picture(feed_words(feed))


def _rule_times(panel: Panel, times: pl.Series) -> None:
    step = max(1, -(-len(times) // 6))
    places = list(range(0, len(times), step))
    form = "%H:%M" if times[-1] - times[0] <= _ONE_DAY else "%d/%m %H:%M"
    panel.rule_x([float(place) for place in places], [f"{times[place]:{form}}" for place in places])


def _band(panel: Panel, x: Floats, arrays: dict[str, Floats]) -> str:
    known = np.isfinite(arrays["low"])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    parts = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        at = panel.x(x[start:end])
        # A range narrower than a line would not be seen.
        top = panel.y(arrays["high"][start:end]) - 1.5
        bottom = panel.y(arrays["low"][start:end]) + 1.5
        outline = np.concatenate([at, at[::-1]]), np.concatenate([top, bottom[::-1]])
        parts.append(svg.polygon(*outline, fill=RANGE[1].colour, opacity=0.3))
    return "".join(parts)


def _steady(panel: Panel, x: Floats, y: Floats, ink: Ink) -> str:
    return svg.polyline(panel.x(x), panel.y(y), stroke=ink.colour, width=1.8, dash=ink.dash)


def _cross(panel: Panel, x: float, value: float) -> str:
    """Return the mark of a refused round, at its median or, without one or beyond the scale, at the edge."""
    y = panel.bottom - 7 if np.isnan(value) else float(np.clip(panel.y.at(value), panel.top + 5, panel.bottom - 7))
    at, ink = panel.x.at(x), STATES["lies"].colour
    return "".join(svg.line(at - 3, y - a, at + 3, y + a, stroke=ink, width=1.8) for a in (3, -3))
