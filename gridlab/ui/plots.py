"""HoloViews pictures of a run: zoomable, with a value under the pointer, and yours to restyle with ``.opts``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # makes the bokeh backend known without printing into a notebook
import numpy as np
import polars as pl

from gridlab.errors import ArgumentTypeError
from gridlab.run import Run
from gridlab.scenarios.compare import compare as compare_figures
from gridlab.ui.book_picture import Steps
from gridlab.ui.convert import columns
from gridlab.ui.day_pictures import stairs
from gridlab.ui.figures import figure_text, unit
from gridlab.ui.palette import DEMAND, KINDS, NET_LOAD, OTHER, SIDES, WITHOUT_MARKET, ZONES, Ink
from gridlab.ui.summary import MEASURED
from gridlab.ui.svg import Floats
from gridlab.ui.views import book, day_view, saving_by_kind
from gridlab.ui.vote_plots import votes
from gridlab.ui.words import KINDS as KIND_WORDS
from gridlab.ui.words import SIDES as SIDE_WORDS
from gridlab.ui.words import ZONES as ZONE_WORDS
from gridlab.ui.words import Word, figure, lookup
from gridlab.units import MICRO

__all__ = ["Plots", "compare"]

_SIZE = {"responsive": True, "height": 320, "min_width": 320, "max_width": 900}
_DRAWN = {"backend": "bokeh"}
_PER_KWH = 1000.0


def _time() -> hv.Dimension:
    return hv.Dimension("time", label=str(Word("time in Bangkok", "เวลาประเทศไทย")))


def _dimension(name: str, label: Word, unit_name: str) -> hv.Dimension:
    return hv.Dimension(name, label=str(label), unit=unit(unit_name))


def _dash(ink: Ink) -> Any:
    return [int(part) for part in ink.dash.split()] or "solid"


class Plots:
    """The pictures of one run, each a HoloViews element.

    Parameters
    ----------
    run : Run

    Examples
    --------
    ``run.plot.prices()``, ``run.plot.supply_and_demand("12:00", "MAC")``, ``run.plot.savings().opts(width=500)``
    """

    def __init__(self, run: Run) -> None:
        if not isinstance(run, Run):
            raise ArgumentTypeError(f"plots: expected a Run as lab.run() returns, got {type(run).__name__}")
        self._run = run

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in self._kinds())
        return f"Plots of {self._run!r}: {kinds}; a notebook shows them after one gl.notebook()"

    @staticmethod
    def _kinds() -> list[str]:
        return [name for name in vars(Plots) if not name.startswith("_")]

    def prices(self) -> hv.Overlay:
        """Price of every zone over the slots (THB/kWh)."""
        view = day_view(self._run.frames)
        value = _dimension("price", Word("price", "ราคา"), "THB/kWh")
        return self._lines(
            [(zone, values, ZONES.get(zone, OTHER), ZONE_WORDS) for zone, values in view.price.items()], value
        )

    def volumes(self) -> hv.Overlay:
        """Energy traded in every slot, stacked by zone (kWh)."""
        view = day_view(self._run.frames)
        edges = self._edges()
        value = _dimension("energy", Word("energy traded per 15 minutes", "ไฟฟ้าที่ซื้อขายต่อ 15 นาที"), "kWh")
        layers = np.cumsum([np.zeros(len(edges) - 1), *view.traded.values()], axis=0)
        areas = []
        for zone, lower, upper in zip(view.traded, layers[:-1], layers[1:], strict=True):
            ink = ZONES.get(zone, OTHER)
            (x, bottom), (_, top) = _stairs(edges, lower), _stairs(edges, upper)
            area = hv.Area((x, bottom, top), _time(), [value, "top"], label=lookup(ZONE_WORDS, zone))
            areas.append(area.opts(color=ink.colour, alpha=0.6, line_color=ink.colour, line_dash=_dash(ink), **_DRAWN))
        return self._framed(hv.Overlay(areas))

    def net_load(self) -> hv.Overlay:
        """Load of all accounts, and what the grid sees of it (kW)."""
        view = day_view(self._run.frames)
        value = _dimension("power", Word("power", "กำลังไฟฟ้า"), "kW")
        names = {"load": Word("load", "ความต้องการไฟฟ้า"), "net": Word("net load", "ความต้องการสุทธิ")}
        return self._lines([("load", view.load, DEMAND, names), ("net", view.net, NET_LOAD, names)], value)

    def supply_and_demand(self, slot: datetime | str | None = None, zone: str | None = None) -> hv.Overlay:
        """Supply and demand of one order book with its clearing point.

        Parameters
        ----------
        slot : datetime or str, optional
            Start of a slot; text such as "12:00" (with the date before it in a run of several days). The busiest where
            absent.
        zone : str, optional
            The busiest of the slot where absent.

        Raises
        ------
        ArgumentError
            The run has no such slot or zone.
        """
        chosen = book(self._run.frames, slot, zone)
        parts = [_side("buy", chosen.demand), _side("sell", chosen.supply)]
        if chosen.price is not None:
            found = str(Word("clearing point", "จุดตลาด"))
            point = hv.Points(([chosen.traded], [chosen.price]), list(_book_axes()), label=found)
            parts.append(point.opts(color=NET_LOAD.colour, size=11, line_color="white", tools=["hover"], **_DRAWN))
        return self._framed(hv.Overlay(parts)).opts(title=chosen.name, **_DRAWN)

    def savings(self) -> hv.Bars:
        """Show what each kind of prosumer saves by the market (THB)."""
        kinds = columns(saving_by_kind(self._run.balances))
        names = [lookup(KIND_WORDS, kind) for kind in kinds["kind"]]
        value = _dimension("saving", Word("saving", "เงินที่ประหยัดได้"), "THB")
        kind = hv.Dimension("kind", label=str(Word("kind of prosumer", "ประเภทโปรซูเมอร์")))
        bars = hv.Bars((names, kinds["saving"] / MICRO), kind, value)
        inks = {name: KINDS.get(key, OTHER).colour for name, key in zip(names, kinds["kind"], strict=True)}
        return self._framed(bars).opts(color="kind", cmap=inks, show_legend=False, tools=["hover"], **_DRAWN)

    def bills(self) -> hv.Bars:
        """Bills of each kind of prosumer without and with the market (THB)."""
        kinds = columns(saving_by_kind(self._run.balances))
        cases = {
            "without": (str(Word("without market", "ไม่มีตลาด")), WITHOUT_MARKET),
            "with_market": (str(Word("with market", "มีตลาด")), SIDES["buy"]),
        }
        rows = [
            (lookup(KIND_WORDS, kind), name, paid / MICRO)
            for column, (name, _) in cases.items()
            for kind, paid in zip(kinds["kind"], kinds[column], strict=True)
        ]
        value = _dimension("bill", Word("bill", "ค่าไฟ"), "THB")
        kind = hv.Dimension("kind", label=str(Word("kind of prosumer", "ประเภทโปรซูเมอร์")))
        case = hv.Dimension("case", label=str(Word("case", "กรณี")), values=[name for name, _ in cases.values()])
        bars = hv.Bars(rows, [kind, case], value)
        inks = {name: ink.colour for name, ink in cases.values()}
        return self._framed(bars).opts(
            color="case", cmap=inks, multi_level=False, legend_position="top", tools=["hover"], **_DRAWN
        )

    def votes(self) -> hv.Layout:
        """Referenda of the run from proposal to enactment, with every vote, below the prices before and after.

        Raises
        ------
        GovernanceError
            Nobody proposed anything in this run.
        """
        return votes(self._run)

    def _edges(self) -> np.ndarray:
        slots = columns(self._run.frames["readings"].select(pl.col("slot").unique().sort()))["slot"]
        return np.append(slots, slots[-1] + np.timedelta64(15, "m"))

    def _lines(self, series: Sequence[tuple[str, Floats, Ink, Any]], value: hv.Dimension) -> hv.Overlay:
        edges = self._edges()
        curves = [
            hv.Curve(_stairs(edges, values), _time(), value, label=lookup(words, name)).opts(
                color=ink.colour, line_dash=_dash(ink), line_width=2, tools=["hover"], **_DRAWN
            )
            for name, values, ink, words in series
        ]
        return self._framed(hv.Overlay(curves))

    @staticmethod
    def _framed(element: Any) -> Any:
        legend = {"legend_position": "top", "legend_cols": 3} if isinstance(element, hv.Overlay) else {}
        return element.opts(show_grid=True, **_SIZE, **legend, **_DRAWN)


def _stairs(edges: np.ndarray, values: Floats) -> tuple[np.ndarray, Floats]:
    """Return the corners of the steps, so that an area or a gap is drawn as exactly as a line."""
    x, y = stairs(edges, values)
    return x, y


def _book_axes() -> tuple[hv.Dimension, hv.Dimension]:
    energy = _dimension("energy", Word("energy", "พลังงานไฟฟ้า"), "kWh")
    return energy, _dimension("price", Word("price", "ราคา"), "THB/kWh")


def _side(side: str, steps: Steps) -> hv.Curve:
    energy, price = _book_axes()
    ink = SIDES[side]
    curve = hv.Curve(steps.until(np.inf), energy, price, label=str(SIDE_WORDS[side]))
    return curve.opts(color=ink.colour, line_dash=_dash(ink), line_width=2.5, tools=["hover"], **_DRAWN)


def compare(a: Run, b: Run) -> hv.Bars:
    """Return how much every key figure changes from run `a` to run `b`, in per cent of its size in `a`.

    Figures that are 0 in `a` have no such change and are left out, as is the one that is measured.

    Raises
    ------
    ArgumentTypeError
        `a` or `b` is not a run.
    """
    known = compare_figures(a, b).filter((pl.col("a") != 0) & (pl.col("kpi") != MEASURED))
    table = columns(known.with_columns(change=100 * pl.col("difference") / pl.col("a").abs()).reverse())
    names = [str(figure(name).label) for name in table["kpi"]]
    told = [
        [
            figure_text(name, value, unit_name)
            for name, value, unit_name in zip(table["kpi"], table[run], table["unit"], strict=True)
        ]
        for run in ("a", "b")
    ]
    way = ["up" if value >= 0 else "down" for value in table["change"]]
    kpi = hv.Dimension("figure", label=str(Word("key figure", "ตัวชี้วัด")))
    change = hv.Dimension("change", label=str(Word("change", "เปลี่ยนแปลง")), unit="%")
    bars = hv.Bars((names, table["change"], *told, way), kpi, [change, "a", "b", "way"])
    inks = {"up": SIDES["buy"].colour, "down": SIDES["sell"].colour}
    size = {**_SIZE, "height": 60 + 20 * max(len(names), 4)}
    return bars.opts(
        invert_axes=True, color="way", cmap=inks, show_legend=False, tools=["hover"], show_grid=True, **size, **_DRAWN
    )
