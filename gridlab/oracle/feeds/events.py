"""Weather that happens: fronts of the south-west monsoon, and heat waves of April and May.

The south-west monsoon lasts from mid-May to mid-October and April is the hottest month [1]_; how many fronts cross and
how many heat waves come, how fast, how deep and how long, are teaching choices (S).

References
----------
.. [1] Thai Meteorological Department, The climate of Thailand, as quoted by the Land Development Department
   (ldd.go.th, seasons) and the SME Bank of Thailand (en.sme.go.th).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from gridlab.oracle.feeds.places import places, region_positions
from gridlab.oracle.feeds.window import Window
from gridlab.seeds import stream

__all__ = [
    "Front",
    "HeatWave",
    "front_between",
    "front_field",
    "fronts_of",
    "heat_field",
    "heat_waves_of",
    "years_of",
]

Floats = npt.NDArray[np.float64]

MONSOON = ((5, 15), (10, 15))
HOT = ((4, 1), (5, 15))
_FRONTS_PER_YEAR = 14.0
_HEAT_WAVES_PER_YEAR = 2.0
# Beyond this many widths a front is not felt (a share of 0.0003 of its depth).
_REACH = 4.0
# Sea breezes temper the peninsula (ldd.go.th, surface temperature); by how much is a teaching choice.
_PENINSULA = 0.4
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Front:
    """A band of cloud that crosses the country.

    Attributes
    ----------
    unix_time : float
        When its middle passes the point `start_km` (s, UTC).
    bearing : float
        Where it goes, degrees clockwise from north.
    start_km : float
        Distance along the bearing from 13.5 degrees north, 101 degrees east.
    speed : float
        km/h.
    width : float
        Standard deviation of its profile (km).
    depth : float
        By how much it lowers the logit of the clear-sky index in its middle.
    """

    unix_time: float
    bearing: float
    start_km: float
    speed: float
    width: float
    depth: float


@dataclass(frozen=True, slots=True)
class HeatWave:
    """Days that are hotter than the month, most in their middle.

    Attributes
    ----------
    unix_time : float
        Beginning (s, UTC).
    days : float
    strength : float
        Factor on the lever that says how hot heat waves are.
    """

    unix_time: float
    days: float
    strength: float


def _moment(year: int, season: tuple[tuple[int, int], tuple[int, int]], share: float) -> float:
    first, last = (date(year, *day) for day in season)
    days = (first - _EPOCH).days + share * (last - first).days
    return days * 86_400.0 - 7 * 3600.0


def fronts_of(seed: int, year: int) -> list[Front]:
    """Return the fronts of a year's south-west monsoon."""
    rng = stream(seed, "feeds", "fronts", str(year))
    return [
        Front(
            unix_time=_moment(year, MONSOON, rng.random()),
            bearing=rng.uniform(20.0, 70.0),
            start_km=0.0,
            speed=rng.uniform(25.0, 50.0),
            width=rng.uniform(90.0, 200.0),
            depth=rng.uniform(1.0, 2.5),
        )
        for _ in range(rng.poisson(_FRONTS_PER_YEAR))
    ]


def heat_waves_of(seed: int, year: int) -> list[HeatWave]:
    """Return the heat waves of a year's April and May."""
    rng = stream(seed, "feeds", "heat waves", str(year))
    return [
        HeatWave(_moment(year, HOT, rng.random()), rng.uniform(4.0, 9.0), rng.uniform(0.7, 1.3))
        for _ in range(rng.poisson(_HEAT_WAVES_PER_YEAR))
    ]


def front_between(unix_time: float, origin: str, to: str, *, hours: float, width: float, depth: float) -> Front:
    """Return the front that passes the middle of region `origin` at `unix_time` and of `to` `hours` later."""
    here = places()
    ends = [region_positions(region) for region in (origin, to)]
    (east, north), (east_to, north_to) = ((here.east[rows].mean(), here.north[rows].mean()) for rows in ends)
    bearing = float(np.degrees(np.arctan2(east_to - east, north_to - north)))
    speed = float(np.hypot(east_to - east, north_to - north)) / hours
    along = float(east * np.sin(np.radians(bearing)) + north * np.cos(np.radians(bearing)))
    return Front(unix_time, bearing, along, speed, width, depth)


def front_field(window: Window, fronts: Sequence[Front], strength: float) -> Floats:
    """Return by how much fronts lower the logit of the clear-sky index, shape (days * 96, 77)."""
    here = places()
    field = np.zeros((window.unix_time.size, len(here.names)))
    for front in fronts:
        angle = np.radians(front.bearing)
        along = here.east * np.sin(angle) + here.north * np.cos(angle) - front.start_km
        reach = _REACH * front.width
        first, last = (front.unix_time + 3600.0 * d / front.speed for d in (along.min() - reach, along.max() + reach))
        rows = slice(*np.searchsorted(window.unix_time, (first, last)))
        travelled = (window.unix_time[rows] - front.unix_time) / 3600.0 * front.speed
        distance = (along[None, :] - travelled[:, None]) / front.width
        field[rows] += strength * front.depth * np.exp(-0.5 * distance**2)
    return field


def heat_field(window: Window, waves: Sequence[HeatWave], degrees: float) -> Floats:
    """Return what heat waves add to the temperature (degrees Celsius), shape (days * 96, 77).

    Half a sine over the wave's days; on the peninsula two fifths of it.
    """
    zones = np.array(places().zones)
    share = np.where((zones == "gulf") | (zones == "andaman"), _PENINSULA, 1.0)
    heat = np.zeros(window.unix_time.size)
    for wave in waves:
        age = (window.unix_time - wave.unix_time) / (86_400.0 * wave.days)
        heat += np.where((age > 0) & (age < 1), degrees * wave.strength * np.sin(np.pi * np.clip(age, 0, 1)), 0.0)
    return heat[:, None] * share


def years_of(window: Window) -> list[int]:
    """Return the years that a window touches."""
    last = window.first_day + timedelta(days=window.days)
    return list(range(window.first_day.year, last.year + 1))
