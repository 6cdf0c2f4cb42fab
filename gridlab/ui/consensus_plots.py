"""HoloViews pictures of consensus, made of columns: finality, views and messages of blocks, simulated or sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # makes the bokeh backend known without printing into a notebook
import numpy as np
import numpy.typing as npt
from bokeh.models import BasicTicker, NumeralTickFormatter

from gridlab.ui.consensus_words import MESSAGES as MESSAGE_WORDS
from gridlab.ui.figures import number, unit
from gridlab.ui.palette import RIVALS, STATES
from gridlab.ui.svg import Floats
from gridlab.ui.words import Word, lookup

__all__ = [
    "Flags",
    "distribution",
    "finality",
    "framed",
    "height_axis",
    "kinds",
    "messages",
    "thousands",
    "value_axis",
    "views",
    "whole_numbers",
]

Flags = npt.NDArray[np.bool_]

_SIZE = {"responsive": True, "height": 320, "min_width": 320, "max_width": 900}
_DRAWN = {"backend": "bokeh"}
_PLAIN, _MARKED = STATES["honest"].colour, STATES["lies"].colour
_LINE = RIVALS["A"].colour
# From this ratio on, the largest value would press all others to the ground.
_LOGARITHMIC = 30.0


def height_axis() -> hv.Dimension:
    """Return the axis of block heights."""
    return hv.Dimension("height", label=str(Word("block height", "ความสูงของบล็อก")))


def value_axis(name: str, label: Word, unit_name: str = "") -> hv.Dimension:
    """Return an axis with its unit."""
    return hv.Dimension(name, label=str(label), unit=unit(unit_name) if unit_name else None)


def whole_numbers() -> BasicTicker:
    """Return ticks that stand at whole numbers alone."""
    return BasicTicker(mantissas=[1, 2, 5], min_interval=1)


def thousands() -> NumeralTickFormatter:
    """Return a formatter that writes whole numbers with separators, however large."""
    return NumeralTickFormatter(format="0,0.[00]")


def framed(element: Any, title: object, **options: Any) -> Any:
    """Return the element in the size and with the title that all pictures have."""
    legend = {"legend_position": "top", "legend_cols": 3} if isinstance(element, hv.Overlay) else {}
    return element.opts(title=str(title), show_grid=True, padding=(0.02, 0.12), **_SIZE, **legend, **options, **_DRAWN)


def _wide(values: Floats) -> bool:
    positive = values[values > 0]
    return bool(len(positive)) and float(positive.max()) > _LOGARITHMIC * float(np.median(positive))


def _seconds() -> hv.Dimension:
    return value_axis("finality", Word("time to finality", "เวลาจนบล็อกเป็นที่สิ้นสุด"), "s")


def finality(heights: Floats, finality_ms: Floats, changed: Flags) -> hv.Overlay:
    """Return the time to finality of every block, with its median and 99 % quantile.

    Parameters
    ----------
    heights, finality_ms, changed : ndarray
        Shape (blocks,): height, ms, and whether the view changed on the way.
    """
    seconds, x, y = finality_ms / 1000.0, height_axis(), _seconds()
    groups = {
        str(Word("no view change", "ไม่มีการเปลี่ยนมุมมอง")): (~changed, _PLAIN, "circle"),
        str(Word("after a view change", "หลังการเปลี่ยนมุมมอง")): (changed, _MARKED, "triangle"),
    }
    parts: list[Any] = [
        hv.Scatter((heights[chosen], seconds[chosen]), x, y, label=label).opts(
            color=colour, marker=marker, size=8, tools=["hover"], **_DRAWN
        )
        for label, (chosen, colour, marker) in groups.items()
        if chosen.any()
    ]
    ends = np.array([heights.min() - 0.5, heights.max() + 0.5])
    for share, dash in ((0.5, "solid"), (0.99, "dashed")):
        value = float(np.quantile(seconds, share))
        label = f"p{share * 100:g}: {number(value, 3)} {unit('s')}"
        line = hv.Curve((ends, np.full(2, value)), x, y, label=label)
        parts.append(line.opts(color=_LINE, line_dash=dash, line_width=2, **_DRAWN))
    title = Word("Time to finality by block", "เวลาจนเป็นที่สิ้นสุดของแต่ละบล็อก")
    return framed(hv.Overlay(parts), title, xticks=whole_numbers(), logy=_wide(seconds))


def distribution(finality_ms: Floats) -> hv.Histogram:
    """Return how the times to finality are spread, ms, shape (blocks,)."""
    seconds = finality_ms / 1000.0
    if _wide(seconds):
        edges = np.geomspace(seconds.min() * 0.999, seconds.max() * 1.001, 31)
    else:
        edges = np.histogram_bin_edges(seconds, bins=30)
    counts, edges = np.histogram(seconds, bins=edges)
    count = value_axis("count", Word("number of blocks", "จำนวนบล็อก"))
    bars = hv.Histogram((edges, counts), kdims=[_seconds()], vdims=[count])
    title = Word("Distribution of the time to finality", "การกระจายของเวลาจนเป็นที่สิ้นสุด")
    return framed(bars, title, color=_PLAIN, tools=["hover"], logx=_wide(seconds))


def views(heights: Floats, view: Floats, changed: Flags) -> hv.Overlay:
    """Return the view in which every block became final; blocks on whose way it changed are marked."""
    x, y = height_axis(), value_axis("view", Word("view", "มุมมอง"))
    steps = hv.Curve((heights, view), x, y, label=str(Word("view of the block", "มุมมองของบล็อก")))
    parts: list[Any] = [steps.opts(interpolation="steps-mid", color=_LINE, line_width=2, tools=["hover"], **_DRAWN)]
    if changed.any():
        label = str(Word("after a view change", "หลังการเปลี่ยนมุมมอง"))
        points = hv.Scatter((heights[changed], view[changed]), x, y, label=label)
        parts.append(points.opts(color=_MARKED, marker="triangle", size=9, tools=["hover"], **_DRAWN))
    title = Word("View of every block", "มุมมองของแต่ละบล็อก")
    return framed(hv.Overlay(parts), title, xticks=whole_numbers(), yticks=whole_numbers())


def messages(heights: Floats, sent: Floats, validators: int) -> hv.Overlay:
    """Return the messages sent for every block, beside what a block without faults takes: ``2n(n - 1)``."""
    x, y = height_axis(), value_axis("messages", Word("messages per block", "ข้อความต่อบล็อก"))
    label = str(Word("messages sent", "ข้อความที่ส่ง"))
    points = hv.Scatter((heights, sent), x, y, label=label)
    parts: list[Any] = [points.opts(color=_PLAIN, size=8, tools=["hover"], **_DRAWN)]
    needed = 2 * validators * (validators - 1)
    told = f"{Word('without faults', 'เมื่อไม่มีความผิดพลาด')}: {number(needed)}"
    ends = np.array([heights.min() - 0.5, heights.max() + 0.5])
    line = hv.Curve((ends, np.full(2, float(needed))), x, y, label=told)
    parts.append(line.opts(color=_LINE, line_dash="dashed", line_width=2, **_DRAWN))
    title = Word("Messages between validators", "ข้อความระหว่างผู้ตรวจสอบธุรกรรม")
    return framed(hv.Overlay(parts), title, xticks=whole_numbers(), logy=_wide(sent))


def kinds(counts: Mapping[str, int]) -> hv.Bars:
    """Return how many messages of each kind have been sent in all."""
    order = [kind for kind in [*MESSAGE_WORDS, *counts] if counts.get(kind)]
    listed = list(dict.fromkeys(order))[::-1]
    rows = [(lookup(MESSAGE_WORDS, kind), counts[kind]) for kind in listed]
    kind = hv.Dimension("kind", label=str(Word("kind of message", "ชนิดข้อความ")))
    bars = hv.Bars(rows, kind, value_axis("messages", Word("messages in all", "ข้อความทั้งหมด")))
    title = Word("Messages by kind", "ข้อความตามชนิด")
    return framed(bars, title, invert_axes=True, color=_PLAIN, tools=["hover"])
