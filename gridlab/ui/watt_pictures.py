"""Static pictures of a run on WATT: reserve, circulation and queue, and what stands behind one WATT, as SVG."""

from __future__ import annotations

import numpy as np

from gridlab.stablecoin.run import WattRun
from gridlab.ui import svg
from gridlab.ui.axes import Entry, Panel
from gridlab.ui.figures import unit
from gridlab.ui.palette import RIVALS, WATT, Ink
from gridlab.ui.svg import Floats
from gridlab.ui.watt_words import LEVELS, RATIOS, SHOCK
from gridlab.ui.word import Word

__all__ = ["RATIO_INKS", "funds_picture", "ratio_picture", "ratios"]

_MICRO = 1e6
_MILLION = 1e12
RATIO_INKS = {"coverage": WATT["reserve"], "attested_coverage": WATT["attested"], "price": RIVALS["B"]}
_PAUSED = Ink("#7d7d7d")


def ratios(run: WattRun) -> dict[str, Floats]:
    """Return baht behind one WATT, really and as attested, and its price, by slot (THB per WATT)."""
    found = {name: run.slots[name].to_numpy() for name in ("coverage", "attested_coverage")}
    return found | {"price": run.slots["price"].to_numpy() / _MICRO}


def funds_picture(run: WattRun, *, height: float = 250.0) -> str:
    """Return reserve, what is attested, circulation and the queue over time (millions), with pauses shaded."""
    values = {name: run.slots[name].to_numpy() / _MILLION for name in LEVELS}
    entries = [Entry(str(word), WATT[name]) for name, word in LEVELS.items()]
    words = Word("million THB or WATT", "ล้านบาทหรือล้าน WATT")
    inks = {name: WATT[name] for name in LEVELS}
    return _lines(run, values, inks, entries, height, str(words), Word("Reserve and queue", "เงินสำรองและคิวไถ่ถอน"))


def ratio_picture(run: WattRun, *, height: float = 230.0) -> str:
    """Return what stands behind one WATT, what is attested, and its price over time (THB per WATT)."""
    entries = [Entry(str(word), RATIO_INKS[name]) for name, word in RATIOS.items()]
    title = Word("What one WATT is worth", "มูลค่าของ 1 WATT")
    return _lines(run, ratios(run), RATIO_INKS, entries, height, unit("THB/WATT"), title)


def _lines(  # noqa: PLR0917 - the parts of a picture in the order in which they are drawn
    run: WattRun, values: dict[str, Floats], inks: dict[str, Ink], entries: list[Entry], height: float, words: str,
    title: Word,
) -> str:  # fmt: skip
    hour = run.slots["hour"].to_numpy()
    every = np.concatenate(list(values.values()))
    paused = run.slots["paused"].to_numpy()
    told = [Entry(str(Word("paused", "หยุดไถ่ถอน")), _PAUSED, "area")] if paused.any() else []
    low = float(every.min()) if float(every.min()) > 0.5 * float(every.max()) else 0.0
    panel = Panel(
        (0.0, float(hour[-1]) + 0.25), (low, float(every.max())), entries=entries + told, height=height, y_unit=words,
        x_unit=str(Word("hours from the start", "ชั่วโมงนับจากเริ่มต้น")),
    )  # fmt: skip
    panel.rule_x_numbers()
    panel.parts += _pauses(panel, hour, paused)
    panel.parts += _shock(panel, run)
    for name, line in values.items():
        ink = inks[name]
        panel.parts.append(svg.polyline(panel.x(hour), panel.y(line), stroke=ink.colour, width=2, dash=ink.dash))
    return panel.picture(str(title))


def _pauses(panel: Panel, hour: Floats, paused: Floats) -> list[str]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], paused.astype(np.int8), [0]])))
    parts = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        left, right = panel.x.at(float(hour[start])), panel.x.at(float(hour[end - 1]) + 0.25)
        size = right - left, panel.bottom - panel.top
        parts.append(svg.rectangle(left, panel.top, *size, fill=_PAUSED.colour, opacity=0.15))
    return parts


def _shock(panel: Panel, run: WattRun) -> list[str]:
    hour = float(run.holders.terms.shock_hour)
    if hour > panel.x.high:
        return []
    at = panel.x.at(hour)
    words = svg.text(at + 4, panel.bottom - 5, SHOCK, size=10, opacity=0.75)
    return [svg.line(at, panel.top, at, panel.bottom, width=1.2, dash="1 3"), words]
