"""Forecasts of a world's series, their errors, and what persistence would have cost.

The world is looked at from `HISTORY_DAYS` before the slots that are asked for; `gridlab.oracle.feeds.forecasts` sees to
it that no forecast reads what came after its issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.oracle.feeds import demand, forecasts, weather
from gridlab.oracle.feeds.places import REGIONS
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window
from gridlab.oracle.feeds.world import MEMBERS, Setting, World

__all__ = ["FORECAST_FAMILIES", "Forecaster", "Guess", "members_of", "score", "seasons"]

Floats = npt.NDArray[np.float64]

FORECAST_FAMILIES = ("weather/ghi", "weather/pv", "weather/temperature", "load")


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """One family at one lead over the slots asked for, each array of shape (slots, members).

    Attributes
    ----------
    forecast, persistence, observed : ndarray
        In the family's unit.
    counts : ndarray of bool
        Which cells a score counts: of the sun, those by day.
    """

    forecast: Floats
    persistence: Floats
    observed: Floats
    counts: npt.NDArray[np.bool_]


class Forecaster:
    """A world with the days before it, from which forecasts are made.

    Parameters
    ----------
    setting : Setting
    window : Window
    rows : ndarray of int
        Provinces wanted.
    """

    def __init__(self, setting: Setting, window: Window, rows: npt.NDArray[np.intp]) -> None:
        self.window = window
        self.world = World(setting, window.back(forecasts.HISTORY_DAYS), rows)
        start = forecasts.HISTORY_DAYS * SLOTS_PER_DAY + window.offset
        self._inside = slice(start, start + window.length)

    def guess(self, prefix: str, lead: str) -> Guess:
        """Return forecast, persistence and truth of the family `prefix` at `lead`."""
        issue = forecasts.issues(self.world.window.unix_time.size, lead)
        if prefix == "load":
            forecast, naive, observed = self._load(issue, lead)
        elif prefix == "weather/temperature":
            observed = self.world.temperature
            forecast = forecasts.air_forecast(observed, self._usual[SLOTS_PER_DAY:][:, self.world.rows], issue)
            naive = forecasts.air_persistence(observed, issue, lead)
        else:
            observed, base = self._sun(prefix)
            forecast = forecasts.sun_forecast(observed, base, self._clearness, issue)
            naive = forecasts.sun_persistence(observed, base, self._clearness, issue)
        sun = prefix in ("weather/ghi", "weather/pv")
        by_day = self.world.clear > 0 if sun else np.ones(observed.shape, dtype=np.bool_)
        inside = self._inside
        return Guess(forecast[inside], naive[inside], observed[inside], by_day[inside])

    def issued(self, lead: str) -> pl.Series:
        """Return when each slot's forecast was made."""
        whole = self.world.window
        ahead = np.arange(whole.unix_time.size) - forecasts.issues(whole.unix_time.size, lead)
        steps = pl.Series(ahead[self._inside] * 900_000_000).cast(pl.Duration("us"))
        return (self.window.slots() - steps).alias("issued")

    @cached_property
    def _usual(self) -> Floats:
        return weather.usual_temperature(self.world.window.back(1))

    @cached_property
    def _clearness(self) -> Floats:
        cloudiness = float(self.world.setting.levers["cloudiness"]) / 100.0
        days = weather.mean_clearness(self.world.window, cloudiness)[:, self.world.rows]
        return np.repeat(days, SLOTS_PER_DAY, axis=0)

    @cached_property
    def _clear_power(self) -> Floats:
        return self.world.power(self.world.clear, self._usual[SLOTS_PER_DAY:][:, self.world.rows])

    def _sun(self, prefix: str) -> tuple[Floats, Floats]:
        if prefix == "weather/ghi":
            return self.world.ghi, self.world.clear
        return self.world.pv, self._clear_power

    def _load(self, issue: npt.NDArray[np.int64], lead: str) -> tuple[Floats, Floats, Floats]:
        observed, air = self.world.load, self.world.air_with_eve
        guessed = air.copy()
        # The day before the history is never a target's weather; it stays as it was.
        guessed[SLOTS_PER_DAY:] = forecasts.air_forecast(air[SLOTS_PER_DAY:], self._usual[SLOTS_PER_DAY:], issue)
        explained, expected = (self.world.expected(demand.by_region(values)).sum(axis=2) for values in (air, guessed))
        forecast = forecasts.load_forecast(observed, explained, expected, issue)
        return forecast, forecasts.air_persistence(observed, issue, lead), observed


def members_of(prefix: str, names: list[str]) -> list[str]:
    """Return what the columns of the family `prefix` are about; `names` are the provinces at hand."""
    return list(MEMBERS.get(prefix, REGIONS if prefix == "load" else names))


def seasons(slots: pl.Series) -> pl.Series:
    """Return the season of each slot: summer from 16 February, rainy from 16 May, winter from 16 October.

    "Mid" of the month, as the Thai Meteorological Department divides the year, is read as the 16th.
    """
    day = pl.col("slot").dt.month().cast(pl.Int32) * 100 + pl.col("slot").dt.day()
    season = (
        pl.when(day.is_between(216, 515)).then(pl.lit("summer"))
        .when(day.is_between(516, 1015)).then(pl.lit("rainy"))
        .otherwise(pl.lit("winter"))
    )  # fmt: skip
    return slots.to_frame("slot").select(season.alias("season")).to_series()


def score(guess: Guess, columns: list[int], season: pl.Series) -> pl.DataFrame:
    """Return the errors of `guess` by season over the chosen columns.

    Returns
    -------
    polars.DataFrame
        season, cells, mae, rmse, bias, persistence_rmse, skill (1 - rmse / persistence_rmse).
    """
    chosen = [values[:, columns].reshape(-1) for values in (guess.forecast, guess.persistence, guess.observed)]
    flat = pl.DataFrame(
        {
            "season": season.gather(np.repeat(np.arange(season.len()), len(columns))),
            "error": chosen[0] - chosen[2],
            "naive": chosen[1] - chosen[2],
            "counts": guess.counts[:, columns].reshape(-1),
        }
    )
    error, naive = pl.col("error"), pl.col("naive")
    found = flat.filter("counts").group_by("season").agg(
        pl.len().alias("cells"),
        error.abs().mean().alias("mae"),
        error.pow(2).mean().sqrt().alias("rmse"),
        error.mean().alias("bias"),
        naive.pow(2).mean().sqrt().alias("persistence_rmse"),
    )  # fmt: skip
    return found.with_columns(skill=1 - pl.col("rmse") / pl.col("persistence_rmse")).sort("season")
