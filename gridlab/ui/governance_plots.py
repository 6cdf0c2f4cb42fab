"""HoloViews pictures of governance: a referendum over time, tallies, curves, locks, and who delegates to whom."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np

from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.governance.actions import TRACKS
from gridlab.governance.assembly import Assembly
from gridlab.governance.pallet import GovernancePart
from gridlab.governance.views import delegation_frame
from gridlab.ui.concentration_plots import lorenz_curves
from gridlab.ui.consensus_plots import framed, thousands, value_axis, whole_numbers
from gridlab.ui.delegation_picture import delegation_picture
from gridlab.ui.governance_words import (
    BALLOT_WORDS,
    MEASURE_WORDS,
    POWERS,
    STATUSES,
    TRACK_WORDS,
    action_words,
    holder_words,
)
from gridlab.ui.palette import BALLOTS, MEASURES, STATES, Ink
from gridlab.ui.referendum_view import Asked, Scene, asked_of, course_of, require_referenda, scene_of
from gridlab.ui.svg import Drawing
from gridlab.ui.words import Word, lookup

__all__ = ["AssemblyPlots", "GovernancePlots", "dash"]

_DRAWN = {"backend": "bokeh"}
_MICRO = 1e6
_BAR = 0.38
_MOST_BARS = 30


def dash(ink: Ink) -> Any:
    """Return an ink's dash as Bokeh takes it."""
    return [int(part) for part in ink.dash.split()] or "solid"


def _minutes() -> hv.Dimension:
    return value_axis("minute", Word("time", "เวลา"), "min")


def _per_cent() -> hv.Dimension:
    return value_axis("share", Word("share", "สัดส่วน"), "%")


def _asked_curves(asked: Asked) -> list[Any]:
    parts = []
    for measure, ink in MEASURES.items():
        name = lookup(MEASURE_WORDS, measure)
        label = str(Word(f"{name} asked for", f"{name}ที่ต้องการ"))
        curve = hv.Curve((asked.minute, getattr(asked, measure)), _minutes(), _per_cent(), label=label)
        parts.append(curve.opts(color=ink.colour, line_dash="dotted", line_width=2, tools=["hover"], **_DRAWN))
    return parts


def _horizontal(
    names: list[str], ends: tuple[Any, Any], value: hv.Dimension, look: tuple[object, Ink], *, rim: bool
) -> hv.Rectangles:
    """Return bars from one end to the other, the first name on top."""
    low, high = ends
    rows = np.arange(len(names), 0, -1, dtype=np.float64)
    y = hv.Dimension("row", label=" ")
    shown = [hv.Dimension("of", label=str(Word("of", "ของ")))]
    label, ink = look
    # A bar without length would be drawn as its rim.
    there = high > low
    sides = (low, rows - _BAR, high, rows + _BAR, np.array(names, dtype=object))
    bars = hv.Rectangles(tuple(side[there] for side in sides), [value, y, "to", "top"], shown, label=str(label))
    line: dict[str, Any] = {"line_color": "black", "line_width": 1.2} if rim else {"line_color": None}
    return bars.opts(color=ink.colour, tools=["hover"], **line, **_DRAWN)


def _rows(bars: list[Any], names: list[str], title: object, **options: Any) -> hv.Overlay:
    """Return bars framed, with their names at the side and the height that they need."""
    ticks = [(len(names) - place, name) for place, name in enumerate(names)]
    framed_bars = framed(hv.Overlay(bars), title, yticks=ticks, ylim=(0.4, len(names) + 0.6), **options)
    return framed_bars.opts(height=130 + 34 * max(len(names), 2), **_DRAWN)


class GovernancePlots:
    """The pictures of governance on a chain.

    Parameters
    ----------
    subject : GovernancePart

    Examples
    --------
    ``part.plot.tallies()``, ``part.plot.curves("parameter")``, ``part.plot.locks()``, ``part.plot.delegations()``
    """

    _kind: type = GovernancePart

    def __init__(self, subject: Any) -> None:
        if not isinstance(subject, self._kind):
            raise ArgumentTypeError(f"plots: expected {self._kind.__name__}, got {type(subject).__name__}")
        self._subject: Any = subject

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in dir(type(self)) if not name.startswith("_"))
        return f"{type(self).__name__} of {self._subject!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def _scene(self) -> Scene:
        return scene_of(self._subject)

    def tallies(self) -> hv.Overlay:
        """Votes aye and nay of the newest referenda, after conviction, with what each proposes and where it stands."""
        scene = self._scene()
        require_referenda(scene.book)
        listed = list(scene.book.referenda.values())[::-1][:_MOST_BARS]
        names = [
            f"#{each.number} {_cut(action_words(each.action, scene.names))} · {lookup(STATUSES, each.status)}"
            for each in listed
        ]
        value = value_axis("votes", Word("votes, nays to the left", "คะแนนเสียง ไม่เห็นชอบอยู่ทางซ้าย"), "GRID")
        ayes = np.array([each.tally.ayes / _MICRO for each in listed])
        nays = np.array([each.tally.nays / _MICRO for each in listed])
        parts = [
            _horizontal(names, (0 * ayes, ayes), value, (BALLOT_WORDS["aye"], BALLOTS["aye"]), rim=False),
            _horizontal(names, (-nays, 0 * nays), value, (BALLOT_WORDS["nay"], BALLOTS["nay"]), rim=True),
        ]
        title = Word("Tallies of the referenda", "คะแนนของประชามติ")
        return _rows(parts, names, title, xformatter=thousands())

    def curves(self, track: str = "parameter") -> hv.Overlay:
        """Draw what a track asks for, approval and support, over its decision period.

        Raises
        ------
        GovernanceError
            There is no such track.
        """
        book = self._scene().book
        asked = asked_of(book.rules[book.require_track(track)])
        title = Word(f"Asked for on the track: {TRACK_WORDS[track]}", f"สิ่งที่ต้องการในช่องทาง: {TRACK_WORDS[track]}")
        return framed(hv.Overlay(_asked_curves(asked)), title, ylim=(0, 112))

    def locks(self) -> hv.Overlay:
        """Draw what votes and delegations lock, by account, the largest first (GRID)."""
        scene = self._scene()
        held = sorted(scene.book.locks.items(), key=lambda each: (-each[1].amount, each[0]))[:_MOST_BARS]
        if not held:
            raise GovernanceError("nobody's GRID is locked, so there is nothing to draw; a vote or a delegation locks")
        names = [holder_words(account, scene.names) for account, _ in held]
        amounts = np.array([each.amount / _MICRO for _, each in held])
        value = value_axis("locked", Word("locked", "ถูกล็อก"), "GRID")
        look = (Word("locked by votes and delegations", "ล็อกเพราะการลงคะแนนและการมอบสิทธิ์"), STATES["honest"])
        bars = _horizontal(names, (0 * amounts, amounts), value, look, rim=False)
        return _rows([bars], names, Word("Locked GRID", "GRID ที่ถูกล็อก"), xlim=(0, None),
                     xformatter=thousands())  # fmt: skip

    def delegations(self, track: str = "parameter") -> Drawing:
        """Draw who delegates to whom on a track, as wide as what is handed over (SVG).

        Raises
        ------
        GovernanceError
            There is no such track.
        """
        scene = self._scene()
        handed = delegation_frame(scene.book, track)
        title = Word(f"Delegations on the track: {TRACK_WORDS[track]}", f"การมอบสิทธิ์ในช่องทาง: {TRACK_WORDS[track]}")
        return Drawing(delegation_picture(handed, scene.names, title))


class AssemblyPlots(GovernancePlots):
    """The pictures of an assembly.

    Parameters
    ----------
    subject : Assembly

    Examples
    --------
    ``assembly.plot.referendum(0)``, ``assembly.plot.power()``, and those of `GovernancePlots`
    """

    _kind = Assembly

    def referendum(self, number: int = 0) -> hv.Overlay:
        """Approval and support over time, against the falling curves that are asked of them (%).

        Raises
        ------
        GovernanceError
            There is no such referendum.
        """
        course = course_of(self._subject, number)
        parts = [] if course.asked is None else _asked_curves(course.asked)
        for measure, ink in MEASURES.items():
            label = lookup(MEASURE_WORDS, measure)
            curve = hv.Curve((course.minute, getattr(course, measure)), _minutes(), _per_cent(), label=label)
            parts.append(
                curve.opts(color=ink.colour, line_dash=dash(ink), line_width=2.5, tools=["hover"],
                           interpolation="steps-post", **_DRAWN)
            )  # fmt: skip
        for place, (minute, word) in enumerate(course.marks):
            line = hv.VLine(minute).opts(color=STATES["down"].colour, line_dash="dashed", line_width=1.2, **_DRAWN)
            words = hv.Text(minute, 106 - 9 * place, f" {word}", halign="left").opts(text_font_size="9pt", **_DRAWN)
            parts += [line, words]
        title = Word(f"Referendum {number} over time", f"ประชามติที่ {number} ตามเวลา")
        ends = (float(course.minute[0]), course.end + 0.12 * (course.end - float(course.minute[0])))
        return framed(hv.Overlay(parts), title, xlim=ends, ylim=(0, 118), xticks=whole_numbers()).opts(legend_cols=2)

    def power(self) -> hv.Overlay:
        """How evenly GRID is held, and votes on levers once delegations are counted where the delegate stands."""
        assembly: Assembly = self._subject
        held = {assembly.account(name): assembly.balance(name) for name in assembly.holders}
        gathered = dict(held)
        handed = delegation_frame(self._scene().book, TRACKS[0])
        for account, delegate, amount in handed.select("account", "delegate", "amount").rows():
            gathered[account] -= amount
            gathered[delegate] += amount
        return lorenz_curves(
            {str(POWERS["balance"]): list(held.values()), str(POWERS["balance delegated"]): list(gathered.values())}
        )


def _cut(words: str, longest: int = 44) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
