"""What a simulated GRID economy shows in a notebook: key figures with their spread, and bands; static."""

from __future__ import annotations

from gridlab.governance.economics import EconomicsRun
from gridlab.ui.band_picture import band_picture
from gridlab.ui.chain_summary import heading
from gridlab.ui.economics_words import scaled
from gridlab.ui.figures import number
from gridlab.ui.governance_words import ECONOMY
from gridlab.ui.html import card, scrolled, table
from gridlab.ui.words import Word, lookup

__all__ = ["economics_html", "figures_table"]

_SHOWN = ("issuance", "staked_share", "treasury")


def economics_html(run: EconomicsRun) -> str:
    """Return a run as an HTML card: the key figures at the end, and how supply, stake and treasury came there."""
    model = run.model
    paths = run.figures.shape[2]
    below = Word(
        f"{number(model.years, 1)} years in {number(paths)} paths, seed {run.seed}",
        f"{number(model.years, 1)} ปี ใน {number(paths)} เส้นทาง ค่าเริ่มสุ่ม {run.seed}",
    )
    bands = run.bands()
    pictures = [scrolled(band_picture(bands, figure), 420) for figure in _SHOWN]
    return card([heading(Word("Economy of GRID", "เศรษฐกิจของ GRID"), below), figures_table(run), *pictures])


def figures_table(run: EconomicsRun) -> str:
    """Return the key figures at the end: median, and what 5 and 95 of 100 paths stay below."""
    heads = (
        Word("At the end", "เมื่อสิ้นสุด"), Word("Unit", "หน่วย"), Word("Median", "มัธยฐาน"),
        Word("5 % below", "ต่ำกว่านี้ 5 %"), Word("95 % below", "ต่ำกว่านี้ 95 %"),
    )  # fmt: skip
    rows = []
    for kpi, value, unit_name, low, high in run.kpis().rows():
        divisor, words = scaled(unit_name)
        shown = (number(each / divisor, 2) for each in (value, low, high))
        rows.append((lookup(ECONOMY, kpi), words, *shown))
    return scrolled(table(heads, rows, numbers=3))
