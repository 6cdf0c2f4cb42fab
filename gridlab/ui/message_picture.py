"""The messages of one block: time from left to right, one line per validator, a stroke for every message."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.pbft.trace import Trace
from gridlab.ui import svg
from gridlab.ui.axes import Entry, legend, ticks
from gridlab.ui.broken_axis import BrokenAxis
from gridlab.ui.consensus_words import MESSAGE_CLASSES, liars_words, message_class, ranges
from gridlab.ui.convert import columns
from gridlab.ui.figures import number, unit
from gridlab.ui.logged_messages import logged, require_trace, rivals
from gridlab.ui.palette import MESSAGES, RIVALS
from gridlab.ui.svg import Floats
from gridlab.ui.validator_strip import Validator, mark
from gridlab.ui.words import Word

__all__ = ["MOST_DRAWN", "message_picture"]

MOST_DRAWN = 3000
_WIDTH = 860.0
_LEFT, _RIGHT = 74.0, 40.0
_LABEL = 11.0
_PATIENCE = 5.0  # delays of a message without an event, after which time is cut out
_OPACITY = {"pre_prepare": 0.9, "prepare": 0.32, "commit": 0.32, "view_change": 0.4, "other": 0.3}


def message_picture(trace: Trace, height: int | None = None) -> svg.Drawing:
    """Return the logged messages of one block.

    Parameters
    ----------
    trace : Trace
        Made with ``message_log``.
    height : int, optional

    Returns
    -------
    Drawing
        SVG. Of more than `MOST_DRAWN` messages the first ones, and the picture says so.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `trace` is none, or has no log of that height.
    """
    return _Picture(require_trace(trace), height).drawing()


class _Picture:
    def __init__(self, trace: Trace, height: int | None) -> None:
        self.trace = trace
        everything = logged(trace, height)
        self.height = int(everything["height"][0])
        self.all = everything.height
        self.log = everything.head(MOST_DRAWN)
        self.letters = rivals(trace, everything)
        self.finals = trace.finals.filter(pl.col("height") == self.height)
        self.table = columns(self.log)
        self.clients = bool((self.log["from"] < 0).any() or (self.log["to"] < 0).any())
        self.row = min(max(440.0 / (trace.n + self.clients), 5.0), 20.0)
        self.parts, below = self._legend()
        self.top = below + 26.0
        self.bottom = self.top + (trace.n + self.clients) * self.row
        self.axis = self._axis()

    def _axis(self) -> BrokenAxis:
        sent, arrived = self.table["time_ms"], self.table["arrival_ms"]
        whole = np.concatenate([sent, arrived, self.finals["final_ms"].to_numpy()])
        latest = float(arrived.max()) if self.all <= MOST_DRAWN else float(sent.max())
        moments = np.minimum(whole, latest)
        patience = max(_PATIENCE * float(np.median(arrived - sent)), 1.0)
        return BrokenAxis(moments, patience, _LEFT, _WIDTH - _RIGHT)

    def y(self, line: int) -> float:
        """Return the height of a validator's line; clients (-1) stand above all."""
        return self.top + (line + self.clients + 0.5) * self.row

    def drawing(self) -> svg.Drawing:
        """Return the picture."""
        parts = [*self.parts, *self._time(), *self._lines(), *self._strokes(), *self._views(), *self._final()]
        below = self.bottom + 44
        for place, told in enumerate(self._told()):
            parts.append(svg.text(4, below + 17 * place, told, size=12))
        bottom = below + 17 * len(self._told())
        return svg.Drawing(svg.picture(_WIDTH, bottom, self._title(), parts))

    def _title(self) -> str:
        state = (
            Word("a fork", "เกิดการแยกสาย") if self.finals["hash"].n_unique() > 1 else Word("no fork", "ไม่มีการแยกสาย")
        )
        return f"{Word('Messages of block', 'ข้อความของบล็อก')} {self.height}: {number(self.all)}, {state}"

    def _legend(self) -> tuple[list[str], float]:
        shown = set(self._classes())
        entries = [Entry(str(MESSAGE_CLASSES[name]), MESSAGES[name]) for name in MESSAGE_CLASSES if name in shown]
        entries += [
            Entry(f"{Word('holds as final: block', 'ถือว่าบล็อกนี้เป็นที่สิ้นสุด:')} {letter}", RIVALS[letter])
            for digest, letter in self.letters.items()
            if digest in set(self.finals["hash"])
        ]
        return legend(entries, _WIDTH)

    # Time ------------------------------------------------------------------------------------------------------------

    def _time(self) -> list[str]:
        parts = [svg.line(_LEFT, self.bottom, _WIDTH - _RIGHT, self.bottom, opacity=0.5)]
        words = f"{Word('virtual time', 'เวลาจำลอง')} ({unit('ms')})"
        parts.append(svg.text(_WIDTH - _RIGHT, self.bottom + 29, words, size=_LABEL, anchor="end", opacity=0.75))
        reached = -1e9
        for first, last in self.axis.stretches():
            for moment in self._marks(first, last):
                x, label = self.axis.at(moment), number(moment)
                half = svg.text_width(label, _LABEL) / 2 + 4
                if x - half > reached:
                    parts.append(svg.line(x, self.top, x, self.bottom, opacity=0.12))
                    parts.append(svg.text(x, self.bottom + 14, label, size=_LABEL, anchor="middle"))
                    reached = x + half
        return parts + self._gaps()

    def _marks(self, first: float, last: float) -> list[float]:
        room = (self.axis.at(last) - self.axis.at(first)) / 70.0
        values = ticks(first, last, max(int(room), 1))
        return [float(value) for value in values if first <= value <= last]

    def _gaps(self) -> list[str]:
        parts = []
        for first, last in self.axis.gaps:
            left, right = self.axis.at(first), self.axis.at(last)
            parts.append(
                svg.rectangle(
                    left + 3, self.top, right - left - 6, self.bottom - self.top, fill="#7d7d7d", opacity=0.12
                )
            )
            words = f"{number((last - first) / 1000, 1)} {unit('s')}"
            if right - left > svg.text_width(words, _LABEL):
                parts.append(
                    svg.text((left + right) / 2, self.top - 4, words, size=_LABEL, anchor="middle", opacity=0.75)
                )
        return parts

    # Validators ------------------------------------------------------------------------------------------------------

    def _lines(self) -> list[str]:
        parts = []
        every = max(int(np.ceil(12.0 / self.row)), 1)
        for line in range(-1 if self.clients else 0, self.trace.n):
            y = self.y(line)
            down = line in self.trace.crashed
            parts.append(svg.line(_LEFT, y, _WIDTH - _RIGHT, y, dash="2 4" if down else "", opacity=0.35))
            if line < 0:
                parts.append(svg.text(_LEFT - 8, y + 4, Word("client", "ผู้ส่งคำขอ"), size=_LABEL, anchor="end"))
                continue
            state = Validator(line, self.trace.byzantine.get(line), not down).state
            parts.append(mark(state, _LEFT - 12, y, min(self.row * 0.36, 6.5)))
            if line % every == 0:
                parts.append(svg.text(_LEFT - 24, y + 4, line, size=_LABEL, anchor="end"))
        return parts

    def _strokes(self) -> list[str]:
        kinds = self._classes()
        arrived = self.table["delivered"]
        parts = []
        for name in reversed(list(MESSAGE_CLASSES)):
            ink = MESSAGES[name]
            for whole in (True, False):
                chosen = (kinds == name) & (arrived == whole)
                if chosen.any():
                    style: dict[str, Any] = {
                        "stroke": ink.colour,
                        "stroke_opacity": _OPACITY[name],
                        "stroke_dasharray": ink.dash,
                    }
                    width = 1.6 if name == "pre_prepare" else 1.0
                    parts.append(
                        svg.tag("path", d=self._path(chosen, whole=whole), fill="none", stroke_width=width, **style)
                    )
        return parts

    def _classes(self) -> np.ndarray:
        """Return how each message is drawn: a vote that somebody else passes on, or invents, is no phase of its own."""
        own = self.table["from"] == self.table["signer"]
        kinds = np.array([message_class(kind) for kind in self.table["kind"]], dtype=object)
        return np.where(own | (kinds == "view_change"), kinds, "other")

    def _path(self, chosen: np.ndarray, *, whole: bool) -> str:
        """Return a stroke for each chosen message; one that was lost ends on the way."""
        start, end = self.axis(self.table["time_ms"][chosen]), self.axis(self.table["arrival_ms"][chosen])
        base = self.y(0)
        from_y = base + self.table["from"][chosen] * self.row
        to_y = base + self.table["to"][chosen] * self.row
        share = 1.0 if whole else 0.4
        return _strokes(start, from_y, start + share * (end - start), from_y + share * (to_y - from_y))

    def _views(self) -> list[str]:
        """Mark where a view begins in which something is proposed."""
        began = self.log.filter(kind="new_view").group_by("view").agg(pl.col("time_ms").min()).sort("time_ms")
        parts = []
        for view, moment in zip(began["view"].to_list(), began["time_ms"].to_list(), strict=True):
            x, words = self.axis.at(moment), str(Word(f"view {view}", f"มุมมอง {view}"))
            parts.append(svg.line(x, self.top - 16, x, self.bottom, dash="6 3", width=1.5))
            anchor = "end" if x > _WIDTH - 90 else ""
            parts.append(
                svg.text(x + (-4 if anchor else 4), self.top - 14, words, size=_LABEL, anchor=anchor, weight="600")
            )
        return parts

    def _final(self) -> list[str]:
        """Draw each honest validator's line thick from the moment at which it holds a block as final."""
        parts = []
        rows = zip(*(self.finals[name].to_list() for name in ("validator", "hash", "final_ms")), strict=True)
        for validator, block, moment in rows:
            letter = self.letters.get(block)
            if letter is None:
                continue
            ink, y, x = RIVALS[letter], self.y(validator), self.axis.at(moment)
            parts.append(
                svg.line(x, y, _WIDTH - _RIGHT, y, stroke=ink.colour, width=min(self.row * 0.3, 4), dash=ink.dash)
            )
            if self.row >= 9:
                parts.append(svg.text(_WIDTH - _RIGHT + 8, y + 4, letter, size=_LABEL, weight="600"))
        return parts

    def _told(self) -> list[str]:
        trace = self.trace
        told: list[object] = []
        if self.all > MOST_DRAWN:
            told.append(Word(f"The first {number(MOST_DRAWN)} of {number(self.all)} messages are drawn.",
                             f"แสดงเฉพาะ {number(MOST_DRAWN)} ข้อความแรกจาก {number(self.all)} ข้อความ"))  # fmt: skip
        if trace.byzantine:
            told.append(Word(f"Lie: {liars_words(trace.byzantine)}.", f"โกหก: {liars_words(trace.byzantine)}"))
        if trace.crashed:
            told.append(Word(f"Down: {ranges(trace.crashed)}.", f"ล่ม: {ranges(trace.crashed)}"))
        if not self.table["delivered"].all():
            told.append(Word("Strokes that end on the way: the message was lost.", "เส้นที่ขาดกลางทางคือข้อความที่สูญหาย"))
        return [str(words) for words in told]


def _strokes(x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> str:
    grid = np.round(np.column_stack([x1, y1, x2, y2]), 1).tolist()
    return "".join(f"M{a:g},{b:g}L{c:g},{d:g}" for a, b, c, d in grid)
