"""Numbers as people read them: thousands separators, a real minus sign, kWh or MWh, THB, with their units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl

from gridlab import calendar, settings
from gridlab.ui.words import CHOICES, UNITS, figure, lookup
from gridlab.units import MICRO

__all__ = [
    "clock",
    "day_of",
    "duration",
    "energy",
    "figure_rows",
    "figure_text",
    "lever_text",
    "money",
    "number",
    "price",
    "unit",
]

_MINUS = "\N{MINUS SIGN}"
_DASH = "\N{EN DASH}"
_OF_TRADES = {
    "average_price",
    "average_landed_price",
    "local_share",
    "sellers_share_of_savings",
    "gini_of_savings",
    "hhi_sellers",
    "hhi_buyers",
}
_WH_SHOWN_AS_MWH = 100_000_000


def number(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    """Return `value` with thousands separators and `decimals` digits; `signed` puts a plus before a gain."""
    shown = f"{abs(value):,.{decimals}f}"
    if not shown.strip("0.,"):  # what rounds to nothing has no sign
        return shown
    return (_MINUS if value < 0 else "+" if signed else "") + shown


def unit(name: str) -> str:
    """Return a unit in the language in force."""
    return str(UNITS[name]) if name in UNITS else name


def energy(wh: float, decimals: int = 1) -> str:
    """Return `wh` (Wh) in kWh, or in MWh from 100 MWh upward, with its unit."""
    if abs(wh) >= _WH_SHOWN_AS_MWH:
        return f"{number(wh / 1e6, decimals)} {unit('MWh')}"
    return f"{number(wh / 1e3, decimals)} {unit('kWh')}"


def money(micro: float, decimals: int = 2, *, signed: bool = False) -> str:
    """Return `micro` (micro-THB) in THB, with its unit."""
    return f"{number(micro / MICRO, decimals, signed=signed)} {unit('THB')}"


def price(thb_per_mwh: float, decimals: int = 3) -> str:
    """Return `thb_per_mwh` (THB/MWh) in THB/kWh, with its unit."""
    return f"{number(thb_per_mwh / 1e3, decimals)} {unit('THB/kWh')}"


def duration(ms: float) -> str:
    """Return a virtual time in the unit that reads best: ``42.8 ms``, ``3.95 s``, ``30.0 minutes``."""
    if ms < 1000:
        return f"{number(ms, 1)} {unit('ms')}"
    if ms < 120_000:
        return f"{number(ms / 1000, 2)} {unit('s')}"
    return f"{number(ms / 60_000, 1)} {unit('minutes')}"


def clock(slot: datetime) -> str:
    """Return the start of a slot as a time of day, such as ``12:45`` (``12:45 น.`` in Thai)."""
    return settings.say(f"{slot:%H:%M}", f"{slot:%H:%M} น.")


def day_of(start: datetime | str) -> str:
    """Return a date in words, with the year of the Buddhist era in Thai."""
    return calendar.thai_date(start, settings.current().language)


def figure_text(name: str, value: float, unit_name: str) -> str:
    """Return a key figure's value with its unit, as every summary, control and report shows it."""
    shown = figure(name)
    return f"{number(value, shown.decimals, signed=shown.signed)} {unit(unit_name)}"


def figure_rows(kpis: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield (name, label, text) for every row of a key-figure frame (``kpi``, ``value``, ``unit``).

    A price or a share of nothing is shown as a dash, not as the 0 that stands in the frame.
    """
    columns: Mapping[str, list] = kpis.to_dict(as_series=False)
    rows = list(zip(columns["kpi"], columns["value"], columns["unit"], strict=True))
    nothing_traded = ("trades", 0.0, "trades") in rows
    for name, value, unit_name in rows:
        empty = nothing_traded and name in _OF_TRADES
        yield name, str(figure(name).label), _DASH if empty else figure_text(name, value, unit_name)


def lever_text(value: object, unit_name: str = "") -> str:
    """Return a lever's value with its unit; a choice or a switch in words."""
    if isinstance(value, (bool, str)):
        return lookup(CHOICES, str(value))
    shown = f"{value:,}".removesuffix(".0").replace("-", _MINUS)
    return f"{shown} {unit(unit_name)}".rstrip()
