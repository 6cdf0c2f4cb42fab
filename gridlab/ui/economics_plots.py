"""HoloViews pictures of the GRID economy: how far paths lie apart over the years, and the paths at the end."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.governance.economics import EconomicsRun
from gridlab.ui.consensus_plots import framed, thousands, value_axis
from gridlab.ui.convert import columns
from gridlab.ui.economics_words import BAND_WORDS, scaled
from gridlab.ui.figures import number
from gridlab.ui.governance_words import ECONOMY
from gridlab.ui.palette import RIVALS, Ink
from gridlab.ui.words import Word, lookup

__all__ = ["EconomicsPlots"]

_DRAWN = {"backend": "bokeh"}
_INK = Ink("#0072b2")
_ALPHA = {("p5", "p95"): 0.18, ("p25", "p75"): 0.32}


class EconomicsPlots:
    """The pictures of a simulated economy.

    Parameters
    ----------
    run : EconomicsRun

    Examples
    --------
    ``run.plot.supply()``, ``run.plot.staked_share()``, ``run.plot.treasury()``, ``run.plot.bands("burnt")``,
    ``run.plot.ends("treasury")``
    """

    def __init__(self, run: EconomicsRun) -> None:
        if not isinstance(run, EconomicsRun):
            raise ArgumentTypeError(f"plots: expected an EconomicsRun, got {type(run).__name__}")
        self._run = run

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(EconomicsPlots) if not name.startswith("_"))
        return f"EconomicsPlots of {self._run!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def supply(self) -> hv.Overlay:
        """All GRID there is, over the years (million GRID)."""
        return self.bands("issuance")

    def staked_share(self) -> hv.Overlay:
        """Share of all GRID that is staked, over the years (%)."""
        return self.bands("staked_share")

    def treasury(self) -> hv.Overlay:
        """Draw what the treasury holds, over the years (million GRID)."""
        return self.bands("treasury")

    def bands(self, figure: str = "issuance") -> hv.Overlay:
        """Median of a figure over the paths, with the bands that hold half and nine tenths of them.

        Parameters
        ----------
        figure : str
            One of those of `EconomicsRun.bands`.

        Raises
        ------
        ArgumentError
            There is no such figure.
        """
        rows = self._run.bands().filter(figure=self._known(figure))
        table = columns(rows.select("year", "p5", "p25", "p50", "p75", "p95"))
        divisor, words = scaled(rows["unit"][0])
        x, y = self._years(), hv.Dimension("value", label=lookup(ECONOMY, figure), unit=words)
        top = hv.Dimension("top", label=str(Word("upper end", "ขอบบน")))
        parts: list[Any] = [
            hv.Area((table["year"], table[low] / divisor, table[high] / divisor), x, [y, top], label=str(label)).opts(
                color=_INK.colour, alpha=_ALPHA[low, high], line_alpha=0.0, **_DRAWN
            )
            for (low, high), label in BAND_WORDS.items()
        ]
        middle = hv.Curve((table["year"], table["p50"] / divisor), x, y, label=str(Word("median", "มัธยฐาน")))
        parts.append(middle.opts(color=_INK.colour, line_width=2.5, tools=["hover"], **_DRAWN))
        return framed(hv.Overlay(parts), self._title(figure), yformatter=thousands())

    def ends(self, figure: str = "issuance") -> hv.Overlay:
        """How the paths are spread at the end, with the median.

        Raises
        ------
        ArgumentError
            There is no such figure.
        """
        units = dict(self._run.bands().select("figure", "unit").unique().rows())
        divisor, words = scaled(units[self._known(figure)])
        values = self._run.paths[figure].to_numpy() / divisor
        counts, edges = np.histogram(values, bins=40)
        x = hv.Dimension("value", label=lookup(ECONOMY, figure), unit=words)
        count = value_axis("paths", Word("number of paths", "จำนวนเส้นทาง"))
        bars = hv.Histogram((edges, counts), kdims=[x], vdims=[count], label=str(Word("paths", "เส้นทาง")))
        middle = float(np.median(values))
        told = f"{Word('median', 'มัธยฐาน')}: {number(middle, 2)} {words}"
        line = hv.Curve(([middle, middle], [0.0, float(counts.max())]), x, count, label=told)
        parts = [bars.opts(color=_INK.colour, alpha=0.6, tools=["hover"], **_DRAWN),
                 line.opts(color=RIVALS["B"].colour, line_width=2.5, line_dash="dashed", **_DRAWN)]  # fmt: skip
        words_of = Word(f"{self._title(figure)}, at the end", f"{self._title(figure)} เมื่อสิ้นสุด")
        return framed(hv.Overlay(parts), words_of, xformatter=thousands(), ylim=(0, None))

    def _known(self, figure: str) -> str:
        names = self._run.bands()["figure"].unique(maintain_order=True).to_list()
        if not isinstance(figure, str):
            raise ArgumentTypeError(f"figure is a {type(figure).__name__}, allowed: one of {names}")
        if figure not in names:
            raise ArgumentError(f"no figure {figure!r}; {nearest(figure, names)}")
        return figure

    @staticmethod
    def _years() -> hv.Dimension:
        return hv.Dimension("year", label=str(Word("years from the start", "ปีนับจากเริ่มต้น")))

    def _title(self, figure: str) -> str:
        paths = self._run.figures.shape[2]
        name = lookup(ECONOMY, figure)
        shown = f"{name[:1].upper()}{name[1:]}"
        return str(Word(f"{shown} in {number(paths)} paths", f"{shown} ใน {number(paths)} เส้นทาง"))
