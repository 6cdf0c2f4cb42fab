"""How far the synthetic world is from what is known of the real one: one row per figure, misses included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.calendar import slots
from gridlab.chain.arguments import require_int
from gridlab.datasets import dataset
from gridlab.oracle.feeds.feeds import Feeds
from gridlab.oracle.feeds.places import REGIONS, places
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window
from gridlab.oracle.feeds.world import World

__all__ = ["calibration"]

Floats = npt.NDArray[np.float64]
Row = tuple[str, str, float, float, float, str, str]

_MJ_PER_KWH = 3.6
_NAMES = ["figure", "where", "model", "low", "high", "unit", "source"]
_SENSITIVITY = 100.0 * 300.0 / 21_064.0


def calibration(feeds: Feeds, year: int = 2026) -> pl.DataFrame:
    """Compare one year of `feeds` with figures of the fact sheet and of the tables.

    Loads are compared at the level of 2019 (the lever ``load_level`` is taken out); every other lever stays.

    Parameters
    ----------
    feeds : Feeds
    year : int
        2016 to 2099.

    Returns
    -------
    polars.DataFrame
        figure, where, model, low, high (what the source says; equal where it gives one number), unit, source, and
        residual: model minus the nearer end, 0 within.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `year` is not allowed.
    """
    require_int("year", year, 2016, 2099)
    days = 366 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 365
    world = feeds.world(slots(f"{year}-01-01", slots=days * SLOTS_PER_DAY))
    rows = [*_sun(world), *_air(world), *_load(world, feeds)]
    table = pl.DataFrame(rows, schema=_NAMES, orient="row")
    model, low, high = pl.col("model"), pl.col("low"), pl.col("high")
    residual = pl.when(model > high).then(model - high).when(model < low).then(model - low).otherwise(0.0)
    return table.with_columns(residual=residual)


def _months(window: Window) -> npt.NDArray[np.int64]:
    return np.array([day.month for day in window.dates])


def _sun(world: World) -> Iterator[Row]:
    here = places()
    days = world.ghi.reshape(-1, SLOTS_PER_DAY, world.ghi.shape[1]).sum(axis=1) / 4 / 1000 * _MJ_PER_KWH
    yearly, month = days.mean(axis=0), _months(world.window)
    yields = world.pv.sum(axis=0) / 4
    bands = "DEDE and Silpakorn University, ifec.co.th (V)"
    yield ("irradiation, year", "median of provinces", float(np.median(yearly)), 18.0, 19.0, "MJ/m² a day", bands)
    hot = days[(month == 4) | (month == 5)].mean(axis=0)
    yield ("irradiation, April and May", "mean of provinces", float(hot.mean()), 20.0, 24.0, "MJ/m² a day", bands)
    vendors = "Thai vendors, Capsolar (V2)"
    for zone in dict.fromkeys(here.zones):
        mean = float(yields[np.array(here.zones) == zone].mean())
        yield ("PV yield, year", zone, mean, 1300.0, 1500.0, "kWh/kWp", vendors)


def _air(world: World) -> Iterator[Row]:
    here, month = places(), _months(world.window)
    days = world.temperature.reshape(-1, SLOTS_PER_DAY, len(here.names))
    for zone in dict.fromkeys(here.zones):
        column = here.zones.index(zone)
        inside = np.array(here.zones) == zone
        for name, found, table in (("high", days.max(axis=1), here.high), ("low", days.min(axis=1), here.low)):
            for number in (1, 4, 7, 10):
                model = float(found[month == number][:, inside].mean())
                normal = float(table[number - 1, column])
                what = f"mean daily {name}, month {number}"
                yield (what, zone, model, normal, normal, "°C", "climate_normals (V2)")


def _load(world: World, feeds: Feeds) -> Iterator[Row]:
    load = world.load / (float(feeds.load_level) / 100.0)
    table = dataset("regions")
    for number, region in enumerate(REGIONS):
        one, fact = load[:, number], table.row(by_predicate=pl.col("region") == region, named=True)
        energy, peak, least = one.mean() * 8.76, one.max(), one.min()
        for name, model, key, unit in (
            ("energy", energy, "energy_gwh", "GWh"),
            ("peak", peak, "peak_mw", "MW"),
            ("lowest load", least, "min_mw", "MW"),
        ):
            yield (f"{name}, 2019", region, float(model), float(fact[key]), float(fact[key]), unit, "regions (V, LFE)")
    # Slope of the working days' highest load in April over the country's mean air of that afternoon.
    daily = load.sum(axis=1).reshape(-1, SLOTS_PER_DAY).max(axis=1)
    air = world.temperature.mean(axis=1).reshape(-1, SLOTS_PER_DAY)[:, 48:72].mean(axis=1)
    month = _months(world.window)
    chosen = world.window.working & (month >= 3) & (month <= 6)
    slope = float(np.polyfit(air[chosen], daily[chosen] / daily[chosen].max() * 100.0, 1)[0])
    source = "300 MW on 21,064 MW, EGAT 2006 by TNA (V2)"
    yield ("peak per degree", "country", slope, _SENSITIVITY, _SENSITIVITY, "%/°C", source)
