"""Bands of Monte Carlo paths as static SVG: the median, and where half and nine tenths of the paths lie."""

from __future__ import annotations

import numpy as np
import polars as pl

from gridlab.ui import svg
from gridlab.ui.axes import Entry, Panel
from gridlab.ui.economics_words import BAND_WORDS, scaled
from gridlab.ui.governance_words import ECONOMY
from gridlab.ui.palette import Ink
from gridlab.ui.svg import Floats
from gridlab.ui.words import Word, lookup

__all__ = ["band_picture"]

_INK = Ink("#0072b2")
_NEAR = 0.02
# A legend's areas have one opacity, so that the outer band is told by a paler colour.
_SHADES = {("p5", "p95"): Ink("#8fc0df"), ("p25", "p75"): _INK}
_OPACITY = {("p5", "p95"): 0.2, ("p25", "p75"): 0.35}


def band_picture(bands: pl.DataFrame, figure: str, *, height: float = 230.0) -> str:
    """Return the bands of one figure as SVG.

    Parameters
    ----------
    bands : polars.DataFrame
        As `EconomicsRun.bands` gives them.
    figure : str
        One that stands there.
    height : float
        Of the picture.
    """
    rows = bands.filter(figure=figure)
    divisor, words = scaled(rows["unit"][0])
    year = rows["year"].to_numpy()
    values: dict[str, Floats] = {name: rows[name].to_numpy() / divisor for name in ("p5", "p25", "p50", "p75", "p95")}
    low, high = float(values["p5"].min()), float(values["p95"].max())
    entries = [Entry(str(Word("median", "มัธยฐาน")), _INK)]
    entries += [Entry(str(label), _SHADES[ends], "area") for ends, label in BAND_WORDS.items()]
    panel = Panel(
        (0.0, _end(float(year[-1]))), (low, high), entries=entries, height=height,
        y_unit=f"{lookup(ECONOMY, figure)} ({words})", x_unit=str(Word("years from the start", "ปีนับจากเริ่มต้น")),
    )  # fmt: skip
    panel.rule_x_numbers()
    x = panel.x(year)
    for ends in BAND_WORDS:
        lower, upper = (panel.y(values[end]) for end in ends)
        panel.parts.append(svg.polygon(*_round(x, lower, upper), fill=_INK.colour, opacity=_OPACITY[ends]))
    panel.parts.append(svg.polyline(x, panel.y(values["p50"]), stroke=_INK.colour, width=2.2))
    return panel.picture(lookup(ECONOMY, figure))


def _end(year: float) -> float:
    """Return the end of the axis: eras do not end with a year, and 9.998 years are ten to a reader."""
    whole = float(round(year))
    return max(whole, year) if abs(whole - year) < _NEAR else year


def _round(x: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Return the outline of a band, along its upper end and back along its lower one."""
    return np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]])
