"""HoloViews pictures of a run on WATT: queue, reserve, price, who lost what, and what coming first was worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError
from gridlab.stablecoin.run import WattRun, compare_rules
from gridlab.stablecoin.terms import SLOTS_PER_HOUR
from gridlab.ui.consensus_plots import framed, thousands, value_axis
from gridlab.ui.figures import number
from gridlab.ui.palette import GAP_RULES, STATES, WATT, WATT_HOLDERS, Ink
from gridlab.ui.watt_pictures import RATIO_INKS, ratios
from gridlab.ui.watt_words import CAME, FLOWS, GAP_RULE_WORDS, GROUP_WORDS, LEVELS, RATIOS, SHOCK
from gridlab.ui.word import Word, lookup

__all__ = ["WattPlots"]

_DRAWN = {"backend": "bokeh"}
_MILLION = 1e12
_BAR = 0.4
_FUND_INKS = {"cash": Ink("#009e73"), "bonds": Ink("#56b4e9")}

Array = npt.NDArray[Any]


class WattPlots:
    """The pictures of a run on WATT.

    Parameters
    ----------
    run : WattRun

    Examples
    --------
    ``run.plot.queue()``, ``run.plot.reserve()``, ``run.plot.funds()``, ``run.plot.price()``, ``run.plot.coverage()``,
    ``run.plot.losses()``, ``run.plot.order()``, ``run.plot.advantage(seeds=3)``
    """

    def __init__(self, run: WattRun) -> None:
        if not isinstance(run, WattRun):
            raise ArgumentTypeError(f"plots: expected a WattRun, got {type(run).__name__}")
        self._run = run

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(WattPlots) if not name.startswith("_"))
        return f"WattPlots of {self._run!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def queue(self) -> hv.Overlay:
        """Draw WATT in the queue, and what has been paid out of it so far (millions)."""
        slots = self._run.slots
        y = value_axis("amount", Word("WATT", "WATT"), "million WATT")
        paid = slots["burned"].cum_sum().to_numpy() / _MILLION
        lines = [
            self._line(slots["queued"].to_numpy() / _MILLION, y, LEVELS["queued"], WATT["queued"]),
            self._line(paid, y, Word("redeemed so far", "ไถ่ถอนแล้วสะสม"), WATT["reserve"]),
        ]
        return self._framed(lines, Word("Queue of redemptions", "คิวไถ่ถอน"), ylim=(0, None))

    def reserve(self) -> hv.Overlay:
        """Draw the reserve as it is and as attested, beside WATT in circulation (millions)."""
        y = hv.Dimension("amount", label=str(Word("million THB or WATT", "ล้านบาทหรือล้าน WATT")))
        names = ("reserve", "attested", "circulation")
        values = {name: self._run.slots[name].to_numpy() / _MILLION for name in names}
        lines = [self._line(values[name], y, LEVELS[name], WATT[name]) for name in names]
        return self._framed(lines, Word("Reserve and circulation", "เงินสำรองและยอดหมุนเวียน"), ylim=(0, None))

    def circulation(self) -> hv.Overlay:
        """Draw WATT in circulation and those of them that wait in the queue (millions)."""
        y = value_axis("amount", Word("WATT", "WATT"), "million WATT")
        names = ("circulation", "queued")
        lines = [self._line(self._run.slots[name].to_numpy() / _MILLION, y, LEVELS[name], WATT[name]) for name in names]
        return self._framed(lines, Word("WATT in circulation", "WATT ที่หมุนเวียน"), ylim=(0, None))

    def funds(self) -> hv.Overlay:
        """Draw what the reserve consists of, cash below and bonds on it (million THB)."""
        hour = self._run.slots["hour"].to_numpy()
        x, y = self._hours(), value_axis("amount", Word("in reserve", "เงินสำรอง"), "million THB")
        top = hv.Dimension("top", label=str(Word("upper end", "ขอบบน")))
        below: Array = np.zeros(len(hour))
        parts = []
        for name, word in FLOWS.items():
            above = below + self._run.slots[name].to_numpy() / _MILLION
            ink = _FUND_INKS[name].colour
            area = hv.Area((hour, below, above), x, [y, top], label=str(word))
            parts.append(area.opts(color=ink, alpha=0.6, line_color=ink, tools=["hover"], **_DRAWN))
            below = above
        return self._framed(parts, Word("What the reserve consists of", "องค์ประกอบของเงินสำรอง"), ylim=(0, None))

    def coverage(self) -> hv.Overlay:
        """Draw baht behind one WATT, as they are and as attested."""
        return self._ratios(("coverage", "attested_coverage"), Word("Coverage", "ความครอบคลุมของเงินสำรอง"))

    def price(self) -> hv.Overlay:
        """Draw the price of one WATT in the secondary market, beside what stands behind it."""
        return self._ratios(("price", "coverage"), Word("Price of a WATT", "ราคาของ WATT"))

    def losses(self) -> hv.Overlay:
        """Draw what each group of holders lost (million THB), with the share of its WATT that it recovered."""
        groups = self._run.groups
        values = groups["loss"].to_numpy() / _MILLION
        told = [f"{number(v, 2)}  ({number(100 * s, 1)} %)" for v, s in zip(values, groups["recovered"], strict=True)]
        names = [lookup(GROUP_WORDS, name) for name in groups["group"]]
        inks = [WATT_HOLDERS[name] for name in groups["group"]]
        y = value_axis("loss", Word("lost, and share recovered", "สูญเสีย และสัดส่วนที่ได้คืน"), "million THB")
        title = Word("Who lost what", "ใครสูญเสียเท่าใด")
        return _bars(names, values, told, inks, (_group_axis(), y), title)

    def order(self) -> hv.Overlay:
        """Draw the share of their WATT that holders recovered, by when they came (%)."""
        order = self._run.order
        values = 100 * order["recovered"].to_numpy()
        names = [lookup(CAME, name) for name in order["came"]]
        told = [f"{number(value, 1)} %" for value in values]
        inks = [STATES["honest"]] * len(names)
        x = hv.Dimension("group", label=str(Word("place in the queue", "ลำดับในคิว")))
        y = value_axis("recovered", Word("recovered", "ได้คืน"), "%")
        title = Word("Recovered by place in the queue", "สัดส่วนที่ได้คืนตามลำดับในคิว")
        return _bars(names, values, told, inks, (x, y), title)

    def advantage(self, seeds: int = 3) -> hv.Overlay:
        """Draw what the first quarter of the queue recovers above all others, under each rule for a gap.

        The run is made again under each rule with `seeds` draws of holders, which are the points; bars are their means.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `seeds` is not 1 … 1,000.
        """
        run = self._run
        frame = compare_rules(
            run.watt, run.holders.terms, seeds=seeds, holders=len(run.holders), circulation=run.circulation,
            hours=run.slots.height / SLOTS_PER_HOUR,
        )  # fmt: skip
        means = frame.group_by("rule", maintain_order=True).agg(pl.col("advantage").mean() * 100)
        rules, values = means["rule"].to_list(), means["advantage"].to_numpy()
        told = [number(value, 1) for value in values]
        x = hv.Dimension("group", label=str(Word("rule while baht are missing", "กติกาเมื่อเงินสำรองขาด")))
        y = value_axis("advantage", Word("first-mover advantage (percentage points)", "ผู้มาก่อนได้เปรียบ (จุดร้อยละ)"))
        title = Word(f"First-mover advantage by rule, {seeds} draws", f"ผู้มาก่อนได้เปรียบตามกติกา สุ่ม {seeds} ครั้ง")
        names, inks = [str(GAP_RULE_WORDS[rule]) for rule in rules], [GAP_RULES[rule] for rule in rules]
        places = np.array([float(rules.index(rule)) for rule in frame["rule"]])
        points = hv.Points((places + 0.25, 100 * frame["advantage"].to_numpy()), [x, y])
        dots = points.opts(color="black", marker="circle", size=5, alpha=0.7, tools=["hover"], **_DRAWN)
        return _bars(names, values, told, inks, (x, y), title, more=[dots])

    # What they have in common

    def _ratios(self, names: Sequence[str], title: Word) -> hv.Overlay:
        y, found = value_axis("ratio", Word("value", "มูลค่า"), "THB/WATT"), ratios(self._run)
        return self._framed([self._line(found[name], y, RATIOS[name], RATIO_INKS[name]) for name in names], title)

    @staticmethod
    def _hours() -> hv.Dimension:
        return hv.Dimension("hour", label=str(Word("hours from the start", "ชั่วโมงนับจากเริ่มต้น")))

    def _line(self, values: Array, y: hv.Dimension, word: Word, ink: Ink) -> hv.Curve:
        dash = [int(pixels) for pixels in ink.dash.split()] or "solid"
        curve = hv.Curve((self._run.slots["hour"].to_numpy(), values), self._hours(), y, label=str(word))
        return curve.opts(color=ink.colour, line_dash=dash, line_width=2, tools=["hover"], **_DRAWN)

    def _framed(self, parts: Sequence[Any], title: Word, **options: Any) -> hv.Overlay:
        """Return the parts with an upright line where the news comes."""
        drawn, hour = list(parts), float(self._run.holders.terms.shock_hour)
        y = parts[0].vdims[0]
        highest = max(float(np.max(part.dimension_values(part.vdims[-1]))) for part in parts)
        lowest = 0.0 if "ylim" in options else min(float(np.min(part.dimension_values(y))) for part in parts)
        if hour <= self._run.slots["hour"][-1]:
            news = hv.Curve(([hour, hour], [lowest, highest]), self._hours(), y, label=str(SHOCK))
            drawn.append(news.opts(color="#5e5e5e", line_dash="dotted", line_width=1.5, **_DRAWN))
        return framed(hv.Overlay(drawn), title, yformatter=thousands(), **options)


def _group_axis() -> hv.Dimension:
    return hv.Dimension("group", label=str(Word("group of holders", "กลุ่มผู้ถือ")))


def _bars(  # noqa: PLR0917 - columns of one table, side by side
    names: list[str],
    values: Array,
    told: list[str],
    inks: list[Ink],
    axes: tuple[hv.Dimension, hv.Dimension],
    title: Word,
    *,
    more: Sequence[Any] = (),
) -> hv.Overlay:
    """Return upright bars at 0, 1, 2 …, each with its name below it and what is told of it above it."""
    x = np.arange(len(names), dtype=np.float64)
    parts: list[Any] = []
    for place, ink in enumerate(inks):
        low, high = min(0.0, values[place]), max(0.0, values[place])
        sides = ([place - _BAR], [low], [place + _BAR], [high])
        bar = hv.Rectangles(sides, [*axes, "right", "top"])
        parts.append(bar.opts(color=ink.colour, line_color="black", line_width=0.5, tools=["hover"], **_DRAWN))
    most = float(max(values.max(), 0.0)) or 1.0
    least = float(min(values.min(), 0.0))
    above = np.maximum(values, 0.0) + 0.06 * most
    written = hv.Labels((x, above, np.array(told, dtype=object)), list(axes), "told")
    parts.append(written.opts(text_font_size="9pt", text_color="#5e5e5e", **_DRAWN))
    parts += more
    ticks = list(zip(x.tolist(), names, strict=True))
    ends = (1.1 * least, 1.2 * most)
    return framed(hv.Overlay(parts), title, xticks=ticks, yformatter=thousands(), ylim=ends, show_legend=False)
