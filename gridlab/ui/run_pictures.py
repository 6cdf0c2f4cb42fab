"""The static pictures of a run or of a day that a slider just moved, each made from its frames."""

from __future__ import annotations

import numpy as np

from gridlab.run import Run
from gridlab.ui.bar_pictures import Bar, bars, heat
from gridlab.ui.day_pictures import Series, day_lines, day_stack
from gridlab.ui.figures import money, number, unit
from gridlab.ui.palette import DEMAND, KINDS, NET_LOAD, OTHER, PARTIES, ZONES
from gridlab.ui.views import DayView, Frames, hour_prices, saving_by_kind, zones
from gridlab.ui.words import KINDS as KIND_WORDS
from gridlab.ui.words import PARTIES as PARTY_WORDS
from gridlab.ui.words import ZONES as ZONE_WORDS
from gridlab.ui.words import Word, lookup
from gridlab.units import MICRO

__all__ = [
    "GAINS",
    "gains_picture",
    "heat_picture",
    "net_load_picture",
    "price_picture",
    "saving_picture",
    "volume_picture",
]

# party -> key figure of what it gains by the market; the four sum to nothing
GAINS = {"prosumers": "savings", "utilities": "utilities_gain", "state": "state_gain", "operator": "operator_gain"}


def price_picture(view: DayView, *, height: float = 250.0) -> str:
    """Return the price of every zone over the slots."""
    series = [Series(lookup(ZONE_WORDS, zone), ZONES.get(zone, OTHER), values) for zone, values in view.price.items()]
    title = str(Word("Price by zone and slot", "ราคาตามเขตและช่วงเวลา"))
    return day_lines(view.hours, series, y_unit=unit("THB/kWh"), title=title, height=height)


def volume_picture(view: DayView) -> str:
    """Return the traded energy of every slot, stacked by zone."""
    series = [Series(lookup(ZONE_WORDS, zone), ZONES.get(zone, OTHER), values) for zone, values in view.traded.items()]
    title = str(Word("Energy traded by zone and slot", "ไฟฟ้าที่ซื้อขายตามเขตและช่วงเวลา"))
    per_slot = Word("per 15 minutes", "ต่อ 15 นาที")
    return day_stack(view.hours, series, y_unit=f"{unit('kWh')} {per_slot}", title=title)


def net_load_picture(view: DayView) -> str:
    """Return the load of all accounts, and what the grid sees of it."""
    series = [
        Series(str(Word("load", "ความต้องการไฟฟ้า")), DEMAND, view.load),
        Series(str(Word("net load (less solar)", "ความต้องการสุทธิ (หักโซลาร์)")), NET_LOAD, view.net),
    ]
    title = str(Word("Load and net load", "ความต้องการไฟฟ้าและความต้องการสุทธิ"))
    return day_lines(view.hours, series, y_unit=unit("kW"), title=title, from_zero=True)


def heat_picture(frames: Frames) -> str:
    """Return the mean price by zone and hour of the day, from the first hour that traded to the last."""
    title = str(Word("Mean price by zone and hour, THB/kWh", "ราคาเฉลี่ยตามเขตและชั่วโมง บาท/หน่วย"))
    names = [lookup(ZONE_WORDS, zone) for zone in zones(frames)]
    grid = hour_prices(frames)
    traded = np.flatnonzero(np.isfinite(grid).any(axis=0))
    hours = range(traded[0], traded[-1] + 1) if len(traded) else range(24)
    return heat(names, [f"{hour:02d}:00" for hour in hours], grid[:, hours.start : hours.stop], title=title)


def gains_picture(run: Run) -> str:
    """Return what prosumers, utilities, state and operator gain by the market."""
    values = {party: run.kpi(name) for party, name in GAINS.items()}
    entries = [
        Bar(lookup(PARTY_WORDS, party), value, number(value, 2, signed=True), PARTIES[party])
        for party, value in values.items()
    ]
    return bars(entries, title=str(Word("Who gains by the market", "ใครได้ใครเสียจากตลาด")), x_unit=unit("THB"))


def saving_picture(run: Run) -> str:
    """Return what each kind of prosumer saves."""
    kinds = saving_by_kind(run.balances).to_dict(as_series=False)
    entries = [
        Bar(lookup(KIND_WORDS, kind), saving / MICRO, money(saving), KINDS.get(kind, OTHER))
        for kind, saving in zip(kinds["kind"], kinds["saving"], strict=True)
    ]
    return bars(entries, title=str(Word("Savings by kind of prosumer", "เงินที่ประหยัดได้ตามประเภท")), x_unit=unit("THB"))
