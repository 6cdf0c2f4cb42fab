"""Clouds and air temperature over the provinces: seeded processes around the months' means. Synthetic.

Clouds. The clear-sky index (irradiance over that of the cloudless sky) is a logistic curve of Gaussian noise:

    k = low + (high - low) / (1 + exp(-(m + s z - front)))

z has variance 1: a part that changes from day to day (correlated over 600 km) and one from slot to slot (150 km). m is
set so that the mean of k is the month's mean, by the probit approximation of MacKay [1]_; fronts come on top. Where the
lever asks for less cloud than usual, s shrinks with it, so that no cloud at all is a clear sky all day. 1.08 is
the most by which broken clouds may raise a quarter of an hour above the cloudless sky.

Temperature. Two half-cosines between the month's mean low at 06:00 and its mean high at 14:30, plus a part that
changes over days, plus heat waves; cloudy days are cooler at noon. How much, is a teaching choice (S).

References
----------
.. [1] MacKay, D. (1992), The evidence framework applied to classification networks, Neural Computation 4, 720-736.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.oracle.feeds.noise import between_days, field_by_day, field_by_slot
from gridlab.oracle.feeds.places import places
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window

__all__ = [
    "HIGHEST_INDEX",
    "LOWEST_INDEX",
    "clear_sky_index",
    "daily_course",
    "mean_clearness",
    "temperature",
    "usual_temperature",
]

Floats = npt.NDArray[np.float64]

LOWEST_INDEX = 0.06
HIGHEST_INDEX = 1.08
SPREAD = 1.1
DAY_SHARE = 0.45
DAY_PERSISTENCE, SLOT_PERSISTENCE = 0.5, 0.85
AIR_SPREAD, AIR_PERSISTENCE = 1.2, 0.7
AIR_SLOT_SPREAD, AIR_SLOT_PERSISTENCE = 0.4, 0.92
_CLOUD_DAYS: dict[str, Any] = {"persistence": DAY_PERSISTENCE, "memory": 6, "length_km": 600.0}
_CLOUD_SLOTS: dict[str, Any] = {"persistence": SLOT_PERSISTENCE, "memory": 24, "length_km": 150.0}
_AIR_DAYS: dict[str, Any] = {"persistence": AIR_PERSISTENCE, "memory": 10, "length_km": 600.0}
_AIR_SLOTS: dict[str, Any] = {"persistence": AIR_SLOT_PERSISTENCE, "memory": 32, "length_km": 600.0}
# Degrees by which an overcast noon is cooler than a clear one, per unit of clear-sky index.
_CLOUD_COOLING = 4.0
_COOLEST, _HOTTEST = 6.0, 14.5


def mean_clearness(window: Window, cloudiness: float) -> Floats:
    """Return the mean clear-sky index of every day, shape (days, 77).

    `cloudiness` is a factor on what clouds take: 0 is always clear, 1 the table ``sky_clearness_synthetic``.
    """
    clearness = 1.0 - (1.0 - window.by_day(places().clearness)) * cloudiness
    return np.clip(clearness, LOWEST_INDEX + 0.05, 1.0)


def clear_sky_index(seed: int, window: Window, fronts: Floats, *, cloudiness: float) -> Floats:
    """Return the clear-sky index, shape (days * 96, 77).

    Parameters
    ----------
    seed : int
    window : Window
    fronts : ndarray, shape (days * 96, 77)
        By how much fronts lower the logit.
    cloudiness : float
        As in `mean_clearness`.
    """
    # Fewer clouds than usual also flicker less: without clouds the index is 1 all day.
    spread = SPREAD * min(cloudiness, 1.0)
    share = (mean_clearness(window, cloudiness) - LOWEST_INDEX) / (HIGHEST_INDEX - LOWEST_INDEX)
    centre = np.log(share / (1 - share)) * np.sqrt(1 + np.pi * spread**2 / 8)
    days = between_days(field_by_day(seed, "cloud days", window, **_CLOUD_DAYS))
    quick = field_by_slot(seed, "cloud slots", window, **_CLOUD_SLOTS)
    noise = np.sqrt(DAY_SHARE) * days + np.sqrt(1 - DAY_SHARE) * quick
    logit = np.repeat(centre, SLOTS_PER_DAY, axis=0) + spread * noise - fronts
    index: Floats = LOWEST_INDEX + (HIGHEST_INDEX - LOWEST_INDEX) / (1 + np.exp(-logit))
    return index


def daily_course() -> Floats:
    """Return how far each slot of a day stands between low (0) and high (1), shape (96,)."""
    hour = (np.arange(SLOTS_PER_DAY) + 0.5) / 4
    rising = (1 - np.cos(np.pi * (hour - _COOLEST) / (_HOTTEST - _COOLEST))) / 2
    falling = (1 + np.cos(np.pi * ((hour - _HOTTEST) % 24) / (24 - _HOTTEST + _COOLEST))) / 2
    return np.where((hour >= _COOLEST) & (hour < _HOTTEST), rising, falling)


def usual_temperature(window: Window) -> Floats:
    """Return the temperature of a mean day (degrees Celsius), shape (days * 96, 77)."""
    here = places()
    low, high = window.by_day(here.low)[:, None], window.by_day(here.high)[:, None]
    course = daily_course()[None, :, None]
    return (low + (high - low) * course).reshape(-1, len(here.names))


def temperature(seed: int, window: Window, index: Floats, heat: Floats, *, cloudiness: float) -> Floats:
    """Return the air temperature (degrees Celsius), shape (days * 96, 77).

    Parameters
    ----------
    seed : int
    window : Window
    index : ndarray, shape (days * 96, 77)
        Clear-sky index, whose noon sets how cloudy the day is.
    heat : ndarray, shape (days * 96, 77)
        What heat waves add.
    cloudiness : float
        As in `mean_clearness`.
    """
    cells = index.shape[1]
    noon = index.reshape(-1, SLOTS_PER_DAY, cells)[:, 36:64].mean(axis=1)
    clearer = (noon - mean_clearness(window, cloudiness))[:, None, :] * daily_course()[None, :, None]
    days = between_days(field_by_day(seed, "air days", window, **_AIR_DAYS))
    quick = field_by_slot(seed, "air slots", window, **_AIR_SLOTS)
    noise = AIR_SPREAD * days + AIR_SLOT_SPREAD * quick
    air: Floats = usual_temperature(window) + _CLOUD_COOLING * clearer.reshape(-1, cells) + noise + heat
    return air
