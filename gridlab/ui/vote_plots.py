"""The votes of a run as one HoloViews picture: prices above, and below them each referendum from proposal to law."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import polars as pl

from gridlab.run import Run
from gridlab.ui.consensus_plots import framed, value_axis
from gridlab.ui.convert import columns
from gridlab.ui.day_pictures import stairs
from gridlab.ui.figures import price
from gridlab.ui.governance_words import BALLOT_WORDS, grid_text
from gridlab.ui.palette import BALLOTS, OTHER, RIVALS, STATES, ZONES, Ink
from gridlab.ui.views import day_view
from gridlab.ui.vote_events import require_votes, vote_events
from gridlab.ui.words import ZONES as ZONE_WORDS
from gridlab.ui.words import Word, lookup

__all__ = ["averages", "votes"]

_DRAWN = {"backend": "bokeh"}
_MARKS = {"aye": "triangle", "nay": "inverted_triangle", "split": "square"}
_PHASES = (
    ("submitted", "deciding_since", Word("preparing", "เตรียมการ"), STATES["down"], 3.0),
    ("deciding_since", "ended", Word("being decided", "กำลังตัดสิน"), STATES["honest"], 11.0),
    ("ended", "enacted_from", Word("approved, timelock", "ผ่านแล้ว รอมีผล"), RIVALS["B"], 5.0),
)


def votes(run: Run) -> hv.Layout:
    """Return prices and referenda of a run over one time axis.

    Parameters
    ----------
    run : Run

    Raises
    ------
    GovernanceError
        Nobody proposed anything in it.
    """
    referenda = require_votes(run)
    moved = run.frames["moved"].filter(failed="").unique(["slot", "referendum"], maintain_order=True)
    top, below = _prices(run, moved), _lanes(run, referenda, moved)
    return hv.Layout([top, below]).cols(1).opts(shared_axes=True, **_DRAWN)


def averages(run: Run, slot: Any) -> tuple[float | None, float | None]:
    """Return the average price (THB/MWh, weighed by energy) before and from a slot on; None where nothing traded."""
    known = run.prices.filter(pl.col("energy") > 0)
    weighed = (pl.col("price").cast(pl.Float64) * pl.col("energy")).sum() / pl.col("energy").sum()
    sides = (known.filter(pl.col("slot") < slot), known.filter(pl.col("slot") >= slot))
    before, after = (None if part.is_empty() else float(part.select(weighed).item()) for part in sides)
    return before, after


def _time() -> hv.Dimension:
    return hv.Dimension("time", label=str(Word("time in Bangkok", "เวลาประเทศไทย")))


def _dash(ink: Ink) -> Any:
    return [int(part) for part in ink.dash.split()] or "solid"


def _edges(run: Run) -> Any:
    slots = columns(run.frames["readings"].select(pl.col("slot").unique().sort()))["slot"]
    return np.append(slots, slots[-1] + np.timedelta64(15, "m"))


def _prices(run: Run, moved: pl.DataFrame) -> hv.Overlay:
    """Draw the price of each zone, and a line where a vote moved levers, with the averages before and after."""
    value = value_axis("price", Word("price", "ราคา"), "THB/kWh")
    edges, view = _edges(run), day_view(run.frames)
    parts: list[Any] = [
        hv.Curve(stairs(edges, values), _time(), value, label=lookup(ZONE_WORDS, zone)).opts(
            color=ZONES.get(zone, OTHER).colour, line_dash=_dash(ZONES.get(zone, OTHER)), line_width=2,
            tools=["hover"], **_DRAWN,
        )
        for zone, values in view.price.items()
    ]  # fmt: skip
    known = np.concatenate([values[np.isfinite(values)] for values in view.price.values()] or [np.zeros(0)])
    high = float(known.max()) if len(known) else 1.0
    times = columns(moved.select("slot"))["slot"]
    for at, slot, number in zip(times, moved["slot"], moved["referendum"], strict=True):
        told = _told(run, slot, number)
        line = hv.Curve((np.array([at, at]), np.array([0.0, 1.08 * high])), _time(), value, label=told)
        parts.append(line.opts(color=RIVALS["B"].colour, line_dash="dashed", line_width=2.5, **_DRAWN))
    title = Word("Prices, and what votes moved", "ราคา และสิ่งที่การลงมติปรับ")
    return framed(hv.Overlay(parts), title, ylim=(0, 1.15 * high)).opts(legend_cols=3, **_DRAWN)


def _told(run: Run, slot: Any, number: int) -> str:
    before, after = averages(run, slot)
    dash = "\N{EN DASH}"
    first, then = (dash if each is None else price(each) for each in (before, after))
    return str(
        Word(
            f"#{number} in force: average {first} before, {then} after",
            f"#{number} มีผล: เฉลี่ยก่อน {first} หลัง {then}",
        )
    )


def _lanes(run: Run, referenda: pl.DataFrame, moved: pl.DataFrame) -> hv.Overlay:
    """Draw a lane for each referendum, with its phases, its votes and the slot from which it counts."""
    count = referenda.height
    lane = {number: float(count - place) for place, number in enumerate(referenda["referendum"].to_list())}
    parts = [*_phases(run, referenda, lane), *_votes(run, lane)]
    if not moved.is_empty():
        table = columns(moved.select("slot", "referendum"))
        rows = np.array([lane[int(number)] for number in table["referendum"]])
        points = hv.Points((table["slot"], rows), _axes(), label=str(Word("in force", "มีผลบังคับใช้")))
        parts.append(points.opts(color=RIVALS["B"].colour, marker="diamond", size=15, tools=["hover"], **_DRAWN))
    ticks = [(lane[number], f"#{number} {_cut(action)}") for number, action in referenda["referendum", "action"].rows()]
    edges = _edges(run)
    title = Word("Referenda of the run", "ประชามติในการจำลอง")
    whole = framed(hv.Overlay(parts), title, yticks=ticks, ylim=(0.3, count + 1.1), xlim=(edges[0], edges[-1]))
    return whole.opts(legend_cols=4, height=170 + 55 * count, **_DRAWN)


def _axes() -> list[hv.Dimension]:
    return [_time(), hv.Dimension("lane", label=str(Word("referendum", "ประชามติ")))]


def _phases(run: Run, referenda: pl.DataFrame, lane: dict[int, float]) -> list[Any]:
    """Draw how long each referendum was in each phase; one that goes on lasts until the end of the run."""
    end = pl.lit(run.readings["slot"].max()).dt.convert_time_zone("UTC")
    until = referenda.with_columns(
        deciding_since=pl.coalesce("deciding_since", "ended", end),
        ended=pl.coalesce("ended", end),
    )
    parts = []
    for begin, finish, words, ink, width in _PHASES:
        some = until.filter(pl.col(begin) < pl.col(finish))
        if some.is_empty():
            continue
        table = columns(some.select("referendum", begin, finish))
        rows = np.array([lane[int(number)] for number in table["referendum"]])
        bars = hv.Segments((table[begin], rows, table[finish], rows), [*_axes(), "until", "same"], label=str(words))
        parts.append(bars.opts(color=ink.colour, line_width=width, alpha=0.7, **_DRAWN))
    return parts


def _votes(run: Run, lane: dict[int, float]) -> list[Any]:
    """Draw each vote above its lane, ayes and nays by colour and by mark; the pointer tells who and how much."""
    shown = [hv.Dimension("holder", label=str(Word("holder", "ผู้ถือ GRID"))),
             hv.Dimension("weight", label=str(Word("votes", "คะแนนเสียง")))]  # fmt: skip
    events = vote_events(run)
    parts = []
    for choice, marker in _MARKS.items():
        some = events.filter(choice=choice)
        if some.is_empty():
            continue
        table = columns(some.select("time", "referendum", "holder"))
        rows = np.array([lane[int(number)] for number in table["referendum"]]) + 0.28
        weight = np.array([grid_text(ayes + nays) for ayes, nays in some["ayes", "nays"].rows()], dtype=object)
        data = (table["time"], rows, table["holder"], weight)
        points = hv.Points(data, _axes(), shown, label=lookup(BALLOT_WORDS, choice))
        look = {"color": BALLOTS["abstain" if choice == "split" else choice].colour, "marker": marker}
        parts.append(points.opts(size=12, line_color="black", alpha=0.85, tools=["hover"], **look, **_DRAWN))
    return parts


def _cut(words: str, longest: int = 40) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
