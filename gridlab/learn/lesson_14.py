"""The keys to lesson 14, "Clouds over Khon Kaen", each worked out from the feeds or from a fresh Thai lab.

The weather is the synthetic one of `gridlab.oracle.feeds`, with one front that was ordered for the lesson.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from functools import cache
from math import cos, pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import units
from gridlab.calendar import slots
from gridlab.datasets import dataset
from gridlab.day import MarketDay
from gridlab.frames import TIME_ZONE
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.forecasts import LEADS

__all__ = [
    "DAY",
    "FRONT",
    "HOUSE",
    "colleague",
    "colleagues_secret",
    "cost_of_error",
    "error_by_day",
    "found_file",
    "front_takes",
    "solar_noon",
    "two_afternoons",
    "without_intraday",
    "wrong_clock",
]

Floats = npt.NDArray[np.float64]

DAY = "2026-06-18"
FRONT: dict[str, Any] = {
    "at": f"{DAY}T01:00",
    "origin": "SAC",
    "to": "NEC",
    "hours": 12,
    "width": 200,
    "depth": 4,
}
HOUSE = 149  # a household of the Northeast with a roof of 11.8 kWp
_TOWN, _OTHER_TOWN, _FAR_TOWN = "Khon Kaen", "Nakhon Ratchasima", "Chiang Mai"
_GHI = f"weather/ghi/{_TOWN}"
_MERIDIAN = 105  # degrees east, where Bangkok time is solar time on average
_FOUND_FROM, _FOUND_HOURS = "2026-06-20", 72
# The logger's clock stands at UTC+5:30, an hour and a half behind Bangkok.
_BEHIND = timedelta(minutes=90)
_SLOT_MINUTES = 15
_ISSUE_OF_COLLEAGUE = 4  # slots before delivery, as he says
_BLUR = 0.6


def _values(feeds: Feeds, when: pl.Series, feed: str, lead: str | None = None) -> Floats:
    """Return a feed (W/m²), or its forecast where `lead` says how long before."""
    frame = feeds.truth(when, [feed]) if lead is None else feeds.forecast(when, [feed], lead=lead)
    return frame["value"].to_numpy() / 10


@cache
def _feeds() -> Feeds:
    return Feeds(0)


@cache
def _lab(**levers: object) -> Lab:
    lab = Lab.thailand(prosumers=200, seed=0, start=DAY)
    lab.set({"trade_on_forecasts": True, "read_oracle": True} | {f"sequence.{name}": v for name, v in levers.items()})
    lab.feeds.front(**FRONT)
    return lab


def _energy(feeds: Feeds, town: str) -> float:
    return float(feeds.solar(slots(DAY, hours=24), [town])[town].sum()) / 4


@cache
def front_takes() -> Key:
    """Work out which share of a town's solar energy of the day the ordered front takes (%)."""
    wet = Feeds(0).front(**FRONT)
    left = {town: _energy(wet, town) / _energy(_feeds(), town) for town in (_OTHER_TOWN, _TOWN)}
    here = left[_OTHER_TOWN]
    return Key(
        Fraction(100 * (1 - here)),
        {
            "left": Fraction(100 * here),
            "of_the_rest": Fraction(100 * (1 / here - 1)),
            "khon_kaen": Fraction(100 * (1 - left[_TOWN])),
        },
        {"share": 100 * (1 - here), "before": _energy(_feeds(), _OTHER_TOWN), "after": _energy(wet, _OTHER_TOWN)},
    )


@cache
def solar_noon() -> Key:
    """Work out how many minutes after 12:00 the sun is highest over Khon Kaen on 18 June, from its longitude alone.

    Notes
    -----
    ``4 (105 - longitude) - E`` with the equation of time ``E = 9.87 sin 2B - 7.53 cos B - 1.5 sin B`` (minutes),
    ``B = 2 pi (n - 81) / 364`` and n the day of the year (Duffie and Beckman, Solar Engineering of Thermal Processes).
    """
    longitude = float(dataset("province_places").filter(province=_TOWN)["longitude"].item())
    b = 2 * pi * (slots(DAY, slots=1)[0].timetuple().tm_yday - 81) / 364
    equation = 9.87 * sin(2 * b) - 7.53 * cos(b) - 1.5 * sin(b)
    place = 4 * (_MERIDIAN - longitude)
    return Key(
        Fraction(place - equation),
        {"longitude": Fraction(place), "wrong_sign": Fraction(place + equation)},
        {"minutes": place - equation, "place": place, "equation": -equation},
    )


@cache
def error_by_day() -> Key:
    """Work out the mean absolute error, by day, of irradiance forecast an hour ahead over a rainy season (W/m²)."""
    season = slots("2026-05-16", hours=153 * 24)
    feed = f"weather/ghi/{_FAR_TOWN}"
    truth = _values(_feeds(), season, feed)
    by_day = _feeds().weather(season, [_FAR_TOWN])["clear"].to_numpy() > 0
    error = {lead: _values(_feeds(), season, feed, lead) - truth for lead in ("1h", "day_ahead")}
    mean = {lead: float(np.abs(each[by_day]).mean()) for lead, each in error.items()}
    return Key(
        Fraction(mean["1h"]),
        {
            "with_nights": Fraction(float(np.abs(error["1h"]).mean())),
            "root": Fraction(float(np.sqrt((error["1h"][by_day] ** 2).mean()))),
            "day_ahead": Fraction(mean["day_ahead"]),
        },
        {"mae": mean["1h"], "day_ahead": mean["day_ahead"]},
    )


def cost_of_error(day: MarketDay) -> Fraction:
    """Return what being wrong cost those with meters (THB): payments beyond the reference price of the energy."""
    if day.stages is None:
        return Fraction(0)
    stages = day.stages
    prices = stages.prices.select("slot", "zone", "reference")
    mine = stages.imbalance.filter(pl.col("account").is_in(stages.accounts.implode()))
    extra = pl.col("payment") - pl.col("imbalance") * pl.col("reference")
    return Fraction(int(mine.join(prices, on=["slot", "zone"]).select(extra.sum()).item()), units.MICRO)


@cache
def without_intraday() -> Key:
    """Work out what being wrong costs the community on the day of the front without an intraday market (THB)."""
    off, on = _lab(intraday=False).day(), _lab().day()
    cost = {"off": cost_of_error(off), "on": cost_of_error(on)}
    paid = Fraction(_lab(intraday=False).preview().filter(kpi="imbalance_paid")["value"].item())
    return Key(
        cost["off"],
        {"paid": paid, "on": cost["on"], "difference": cost["off"] - cost["on"]},
        {name: float(value) for name, value in cost.items()},
    )


def found_file() -> pl.DataFrame:
    """Return a made-up series of irradiance at Khon Kaen (W/m²) whose logger had its clock set wrongly.

    Returns
    -------
    polars.DataFrame
        ``slot`` (text without a zone) and ``value``, three days of quarter hours.
    """
    wall = slots(_FOUND_FROM, hours=_FOUND_HOURS)
    return pl.DataFrame(
        {
            "slot": wall.dt.strftime("%Y-%m-%dT%H:%M"),
            "value": _values(_feeds(), wall + _BEHIND, _GHI),
        }
    )


@cache
def wrong_clock() -> Key:
    """Work out by how many hours the times of `found_file` must be moved later."""
    light = found_file()["value"].to_numpy() > 0
    clear = _feeds().weather(slots(_FOUND_FROM, hours=_FOUND_HOURS), [_TOWN])["clear"].to_numpy() > 0
    fits = {shift: float((np.roll(light, shift) == clear).mean()) for shift in range(-48, 49)}
    best = max(fits, key=lambda shift: fits[shift])
    return Key(
        Fraction(best, 4),
        {"slots": Fraction(best), "minutes": Fraction(best * _SLOT_MINUTES)},
        {"hours": best / 4, "now": 100 * fits[0], "then": 100 * fits[best]},
    )


def two_afternoons() -> tuple[Feeds, Feeds]:
    """Return two worlds that are the same until noon of 18 June at Khon Kaen; in the second the afternoon is dark."""
    days = slots("2026-06-08", hours=11 * 24)
    light = pl.DataFrame({"slot": days, "value": _feeds().weather(days, [_TOWN])["ghi"]})
    noon = pl.datetime(2026, 6, 18, 12, time_zone=TIME_ZONE)
    dark = light.with_columns(value=pl.when(pl.col("slot") < noon).then("value").otherwise(pl.col("value") / 5))
    return Feeds(0).replace(_GHI, light), Feeds(0).replace(_GHI, dark)


def colleague(feeds: Feeds, when: pl.Series) -> Floats:
    """Return irradiance at Khon Kaen (W/m²) as a colleague forecasts it, "an hour ahead". He does not say how.

    Parameters
    ----------
    feeds : Feeds
    when : polars.Series
        Consecutive slots (`gridlab.calendar.slots`).

    Returns
    -------
    ndarray, shape (slots,)
    """
    sky = feeds.weather(when, [_TOWN])
    clear = sky["clear"].to_numpy()
    index = np.divide(sky["ghi"].to_numpy(), clear, out=np.zeros(clear.size), where=clear > 0)
    wide = np.pad(index, 1, mode="edge")
    smooth = (wide[:-2] + wide[1:-1] + wide[2:]) / 3
    blurred: Floats = (1 - _BLUR) * _values(feeds, when, _GHI, "1h") + _BLUR * smooth * clear
    return blurred


@cache
def colleagues_secret() -> Key:
    """Work out how many minutes after its issue ends the latest slot that the colleague's forecast has read."""
    day = slots(DAY, hours=24)
    light, dark = two_afternoons()
    moved = np.abs(colleague(light, day) - colleague(dark, day)) > 1
    first = day[int(np.argmax(moved))]
    noon = day[48]
    issued = first - timedelta(minutes=_ISSUE_OF_COLLEAGUE * _SLOT_MINUTES)
    until = noon + timedelta(minutes=_SLOT_MINUTES)
    minute = timedelta(minutes=1)
    return Key(
        Fraction((until - issued) // minute),
        {
            "start": Fraction((noon - issued) // minute),
            "from_target": Fraction((until - first) // minute),
            "lead": Fraction(LEADS["1h"] or 0) * _SLOT_MINUTES,
        },
        {
            "first": f"{first:%H:%M}",
            "issued": f"{issued:%H:%M}",
            "until": f"{until:%H:%M}",
            "minutes": (until - issued) // minute,
        },
    )
