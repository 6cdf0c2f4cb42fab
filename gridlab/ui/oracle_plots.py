"""HoloViews pictures of a run of the oracle network: observations, providers, latencies, and what became of rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import holoviews as hv
import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.oracle.run import OracleRun
from gridlab.ui.consensus_plots import framed, thousands, value_axis, whole_numbers
from gridlab.ui.convert import columns
from gridlab.ui.figures import number, unit
from gridlab.ui.oracle_pictures import MEDIAN, RANGE, TRUTH
from gridlab.ui.oracle_rounds import feeds_of, known_feed, round_rows, states_of
from gridlab.ui.oracle_words import PROVIDER_KINDS, STATUS_GROUPS, STATUS_WORDS, feed_scale, feed_words
from gridlab.ui.palette import RIVALS, STATES
from gridlab.ui.word import Word

__all__ = ["OracleRunPlots"]

_DRAWN = {"backend": "bokeh"}
_BAR = 0.4
_MICRO = 1e6
_OBSERVED = {
    "honest": (Word("accepted", "ยอมรับ"), "circle", 4),
    "lies": (Word("outlier or not counted", "ค่าผิดปกติหรือไม่นับ"), "diamond", 8),
}
_GROUPS = {"published": ("honest", "circle"), "quiet": ("down", "dash"), "refused": ("lies", "x")}
_MOST_FEEDS = 20
_FIGURES = {
    "reputation": (Word("reputation", "คะแนนชื่อเสียง"), 1.0, "points"),
    "fees": (Word("data fees", "ค่าข้อมูล"), _MICRO, "THB"),
    "slashed": (Word("stake slashed", "เงินวางประกันที่ถูกริบ"), _MICRO, "THB"),
    "outliers": (Word("outliers", "จำนวนค่าผิดปกติ"), 1.0, "rounds"),
    "missed": (Word("rounds missed", "จำนวนรอบที่ไม่มาทัน"), 1.0, "rounds"),
}

Array = npt.NDArray[Any]


def _time_axis() -> hv.Dimension:
    return hv.Dimension("time", label=str(Word("time", "เวลา")))


def _provider_axis() -> hv.Dimension:
    return hv.Dimension("provider", label=str(Word("provider", "ผู้ให้ข้อมูล")))


def _band(table: Mapping[str, Array], axes: list[hv.Dimension]) -> hv.Rectangles:
    """Return what honest providers saw, a box for each round in which any was heard."""
    heard, ink = np.isfinite(table["low"]), RANGE[1].colour
    time = table["time"]
    half = np.median(np.diff(time)).astype("timedelta64[us]") / 2 if len(time) > 1 else np.timedelta64(450, "s")
    sides = tuple(side[heard] for side in (time - half, table["low"], time + half, table["high"]))
    boxes = hv.Rectangles(sides, [*axes, "until", "top"], label=str(RANGE[0]))
    return boxes.opts(color=ink, alpha=0.3, line_color=ink, **_DRAWN)


def _bars(x: Array, high: Array, axes: list[hv.Dimension], label: object, state: str) -> hv.Rectangles:
    shown = [hv.Dimension("amount", label=str(label))]
    data = (x - _BAR, 0 * high, x + _BAR, high, high)
    rim = {"line_color": None} if state == "honest" else {"line_color": "black", "line_width": 1.2}
    bars = hv.Rectangles(data, [*axes, "right", "top"], shown, label=str(label))
    return bars.opts(color=STATES[state].colour, tools=["hover"], **rim, **_DRAWN)


def _written(table: Mapping[str, Array], most: float, axes: list[hv.Dimension]) -> hv.Labels:
    """Return each bar's number above it: a bar of nothing is not seen, its number is."""
    told = np.array([number(value, 0 if value == round(value) else 2) for value in table["amount"]], dtype=object)
    written = hv.Labels((table["provider"], table["amount"] + 0.05 * most, told), axes, "told")
    return written.opts(text_font_size="8pt", text_color="#5e5e5e", **_DRAWN)


class OracleRunPlots:
    """The pictures of a run of the oracle network.

    Parameters
    ----------
    run : OracleRun

    Examples
    --------
    ``run.plot.observations("price/wholesale")``, ``run.plot.providers("fees")``, ``run.plot.latencies()``,
    ``run.plot.rounds()``
    """

    def __init__(self, run: OracleRun) -> None:
        if not isinstance(run, OracleRun):
            raise ArgumentTypeError(f"plots: expected an OracleRun, got {type(run).__name__}")
        self._run = run

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(OracleRunPlots) if not name.startswith("_"))
        return f"OracleRunPlots of {self._run!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def observations(self, feed: str | None = None) -> hv.Overlay:
        """Draw what was observed, beside truth and median; what honest providers saw is shaded.

        Parameters
        ----------
        feed : str, optional
            The run's first one unless given.

        Raises
        ------
        OracleError
            The run has no such feed.
        """
        name = known_feed(self._run, feed)
        rows, (scale, words) = round_rows(self._run, name), feed_scale(name)
        parts_of = ("value", "truth", "low", "high")
        table = columns(rows.select("time", pl.col(parts_of).cast(pl.Float64) / scale))
        x, y = _time_axis(), hv.Dimension("value", label=str(Word("value", "ค่า")), unit=words or None)
        parts: list[Any] = [_band(table, [x, y])]
        parts += [self._points(name, state, scale, [x, y]) for state in _OBSERVED]
        for key, (word, mark) in (("truth", TRUTH), ("value", MEDIAN)):
            line = hv.Curve((table["time"], table[key]), x, y, label=str(word))
            dash = "dashed" if mark.dash else "solid"
            parts.append(line.opts(color=mark.colour, line_dash=dash, line_width=2, tools=["hover"], **_DRAWN))
        return framed(hv.Overlay([part for part in parts if len(part)]), feed_words(name), yformatter=thousands())

    def _points(self, feed: str, state: str, scale: int, axes: list[hv.Dimension]) -> hv.Points:
        rounds = self._run.rounds.filter(pl.col("feed") == feed).select("round", "time")
        own = self._run.observations.filter(pl.col("feed") == feed).filter(states_of() == state)
        found = own.join(rounds, on="round", how="left", maintain_order="left")
        table = columns(found.select("time", pl.col("value") / scale, pl.col("provider").cast(pl.Float64)))
        label, marker, size = _OBSERVED[state]
        shown = [hv.Dimension("of", label=str(Word("provider", "ผู้ให้ข้อมูล")))]
        points = hv.Points((table["time"], table["value"], table["provider"]), axes, shown, label=str(label))
        colour = STATES[state].colour
        return points.opts(color=colour, marker=marker, size=size, line_color=colour, tools=["hover"], **_DRAWN)

    def providers(self, figure: str = "reputation") -> hv.Overlay:
        """One figure of every provider; those that were not honest have a dark rim and say in the legend what they did.

        Parameters
        ----------
        figure : str
            "reputation" (points), "fees" or "slashed" (THB), "outliers" or "missed" (rounds).

        Raises
        ------
        ArgumentTypeError, ArgumentError
            There is no such figure.
        """
        word, divisor, unit_name = _FIGURES[_known_figure(figure)]
        scores = self._run.scores.select("provider", pl.col("kind").cast(pl.String), amount=pl.col(figure) / divisor)
        axes = [_provider_axis(), value_axis("figure", word, unit_name)]
        parts: list[Any] = []
        for kind, label in PROVIDER_KINDS.items():
            table = columns(scores.filter(pl.col("kind") == kind).select("amount", pl.col("provider").cast(pl.Float64)))
            if len(table["provider"]):
                state = {"honest": "honest", "silent": "down"}.get(kind, "lies")
                parts.append(_bars(table["provider"], table["amount"], axes, label, state))
        most = float(scores["amount"].max() or 1.0)  # type: ignore[arg-type]
        parts.append(_written(columns(scores.select("amount", pl.col("provider").cast(pl.Float64))), most, axes))
        title = Word(f"{word.english.capitalize()} of the providers", f"{word.thai}ของผู้ให้ข้อมูล")
        ends = (0.0, 1.15 * most)
        return framed(hv.Overlay(parts), title, xticks=whole_numbers(), yformatter=thousands(), ylim=ends)

    def latencies(self) -> hv.Overlay:
        """How long reports took from the beginning of their round until they were published (ms), with quantiles."""
        rounds = self._run.rounds.select("feed", "round", "time")
        joined = self._run.reports.join(rounds, on=["feed", "round"], how="left", maintain_order="left")
        late = (pl.col("published") - pl.col("time")).dt.total_microseconds() / 1000
        values = joined.select(late=late)["late"].to_numpy()
        x = value_axis("late", Word("time until the report is published", "เวลาจนเผยแพร่รายงาน"), "ms")
        y = value_axis("count", Word("number of reports", "จำนวนรายงาน"))
        counts, edges = np.histogram(values, bins=30) if len(values) else (np.zeros(1), np.array([0.0, 1.0]))
        bars = hv.Histogram((edges, counts), kdims=[x], vdims=[y], label=str(Word("reports", "รายงาน")))
        parts: list[Any] = [bars.opts(color=STATES["honest"].colour, tools=["hover"], **_DRAWN)]
        for share, dash in ((0.5, "solid"), (0.99, "dashed")) if len(values) else ():
            at = float(np.quantile(values, share))
            label = f"p{share * 100:g}: {number(at, 1)} {unit('ms')}"
            line = hv.Curve(([at, at], [0.0, float(counts.max())]), x, y, label=label)
            parts.append(line.opts(color=RIVALS["A"].colour, line_dash=dash, line_width=2, **_DRAWN))
        return framed(hv.Overlay(parts), Word("Latency of reports", "เวลาในการเผยแพร่รายงาน"), yticks=whole_numbers())

    def rounds(self) -> hv.Overlay:
        """Show what became of the rounds of each feed; of more than 20 feeds, those with most refusals."""
        feeds = self._most_refused()
        place = {feed: float(len(feeds) - 1 - row) for row, feed in enumerate(feeds)}
        some = self._run.rounds.filter(pl.col("feed").is_in(feeds))
        drawn = some.select("time", pl.col("status").cast(pl.String), row=pl.col("feed").replace_strict(place))
        x = _time_axis()
        y = hv.Dimension("row", label=str(Word("feed", "ข้อมูล")))
        parts = []
        for status, word in STATUS_WORDS.items():
            table = columns(drawn.filter(pl.col("status") == status))
            if len(table["time"]):
                state, marker = _GROUPS[STATUS_GROUPS[status]]
                label = f"{word}: {number(len(table['time']))}"
                points = hv.Scatter((table["time"], table["row"]), x, y, label=label)
                colour = RIVALS["A"].colour if status == "jump confirmed" else STATES[state].colour
                marker = {"jump": "triangle", "absurd": "diamond"}.get(status, marker)
                parts.append(points.opts(color=colour, marker=marker, size=8, line_width=2, tools=["hover"], **_DRAWN))
        names = [(at, feed_words(feed)) for feed, at in place.items()]
        title = Word("What became of the rounds", "ผลของแต่ละรอบ")
        return framed(hv.Overlay(parts), title, yticks=names, ylim=(-0.7, len(feeds) - 0.3))

    def _most_refused(self) -> list[str]:
        feeds = feeds_of(self._run)
        if len(feeds) <= _MOST_FEEDS:
            return feeds
        refused = pl.col("status").cast(pl.String).replace_strict(STATUS_GROUPS) == "refused"
        counted = self._run.rounds.group_by("feed", maintain_order=True).agg(many=refused.sum())
        worst = counted.sort("many", descending=True, maintain_order=True)["feed"].head(_MOST_FEEDS).to_list()
        return [feed for feed in feeds if feed in worst]


def _known_figure(figure: str) -> str:
    if not isinstance(figure, str):
        raise ArgumentTypeError(f"figure is a {type(figure).__name__}, allowed: one of {list(_FIGURES)}")
    if figure not in _FIGURES:
        raise ArgumentError(f"no figure {figure!r}; {nearest(figure, list(_FIGURES))}")
    return figure
