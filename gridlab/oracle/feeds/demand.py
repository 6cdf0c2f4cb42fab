"""Load of the five EGAT regions by kind of customer: shapes of the day, days of rest, festivals, heat. Synthetic.

    load[r, c] = mean_r share_rc shape_c (1 + b_c degrees) / usual_rc * festival * noise_r

mean_r is the region's energy of 2019 (LFE) over the year, times the lever; shape_c is the dataset's daily shape;
degrees is by how much the mean air of the last three hours is above the comfort temperature; usual_rc is the year's
mean of shape and response under normal temperatures and a comfort temperature of 26 °C, so that a normal year has the
energy of 2019. The load is what the system must supply, rooftop generation not taken off.

EGAT said in 2006 that each degree adds 300 MW to a peak of 21,064 MW, 1.4 % per degree [1]_; the responses by kind are
teaching choices (S) around it. 26 °C is what EGAT advises for air conditioners [2]_.

References
----------
.. [1] TNA, 5 May 2006, as copied at aseannow.com, topic 68260.
.. [2] EGAT news release, April 2016, on the peak of 28,351.7 MW.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from gridlab.datasets import dataset
from gridlab.oracle.feeds.noise import between_days, daily, draws, remembered
from gridlab.oracle.feeds.places import REGIONS, region_positions
from gridlab.oracle.feeds.weather import usual_temperature
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window

__all__ = ["COMFORT", "KINDS", "by_region", "expected_load", "load_noise", "usual_national_load"]

Floats = npt.NDArray[np.float64]

KINDS = ("household", "small_business", "mall", "factory")
COMFORT = 26.0
# Share by which a degree above comfort raises the load of a kind.
RESPONSE = np.array([0.055, 0.035, 0.03, 0.008])
# Which kinds shut for festivals.
_SHUTS = np.array([False, True, True, True])
_FESTIVALS = {(1, 1), (1, 2), (4, 12), (4, 13), (4, 14), (4, 15), (4, 16), (12, 31)}
_HOURS = 12  # slots of three hours: how long buildings remember the air
DAY_SPREAD, SLOT_SPREAD = 0.02, 0.006
DAY_PERSISTENCE, SLOT_PERSISTENCE = 0.6, 0.7
_HOURS_PER_YEAR = 8760.0
_ORDINARY_YEAR = Window(date(2026, 1, 1), 365, 0, 365 * SLOTS_PER_DAY)


@cache
def _shapes() -> Floats:
    """Return load over the weekday's peak, shape (2, 96, kinds): rest days, working days."""
    table = dataset("load_shapes_synthetic").sort("hour")
    quarters = (np.arange(SLOTS_PER_DAY) + 0.5) / 4
    groups = {key: group["load"].to_numpy() for key, group in table.group_by("kind", "day_type")}
    return np.stack(
        [
            np.stack([np.interp(quarters, np.arange(24) + 0.5, groups[kind, day], period=24) for kind in KINDS], axis=1)
            for day in ("weekend", "weekday")
        ]
    )


@cache
def _shares() -> Floats:
    """Return mean load of 2019 in MW, shape (regions, kinds)."""
    mix = {(r, k): s for r, k, s in dataset("load_mix_synthetic").rows()}
    energy = dict(dataset("regions").select("region", "energy_gwh").rows())
    shares = np.array([[mix[region, kind] for kind in KINDS] for region in REGIONS])
    means: Floats = shares * np.array([[float(energy[region]) * 1000.0 / _HOURS_PER_YEAR] for region in REGIONS])
    return means


def by_region(provinces: Floats) -> Floats:
    """Return the plain mean over each region's provinces, shape (rows, 77) -> (rows, 5)."""
    return np.stack([provinces[:, region_positions(region)].mean(axis=1) for region in REGIONS], axis=1)


def _response(air: Floats, comfort: float, scale: float) -> Floats:
    """Return 1 + b degrees, shape (rows - 11, regions, kinds), from `air`, shape (rows, regions)."""
    felt = np.zeros((air.shape[0] - _HOURS + 1, air.shape[1]))
    for lag in range(_HOURS):
        felt += air[lag : lag + felt.shape[0]]
    degrees = np.maximum(felt / _HOURS - comfort, 0.0)
    return 1.0 + scale * RESPONSE * degrees[:, :, None]


def _bare(window: Window, response: Floats, festival: float) -> Floats:
    days = window.working.astype(np.intp)
    shut = np.array([(day.month, day.day) in _FESTIVALS for day in window.dates])
    factor = np.where(shut[:, None] & _SHUTS, festival, 1.0)  # (days, kinds)
    shape = (_shapes()[days] * factor[:, None, :]).reshape(-1, len(KINDS))
    return shape[:, None, :] * response


@cache
def _usual() -> Floats:
    """Return the year's mean of shape and response under normal temperatures, shape (regions, kinds)."""
    year = _ORDINARY_YEAR
    air = by_region(usual_temperature(year.back(1)))[SLOTS_PER_DAY - _HOURS + 1 :]
    means: Floats = _bare(year, _response(air, COMFORT, 1.0), 1.0).mean(axis=0)
    return means


def expected_load(window: Window, air: Floats, *, comfort: float, response: float, festival: float) -> Floats:
    """Return the load of the calendar and the air alone (MW), shape (days * 96, 5, 4), at the level of 2019.

    Parameters
    ----------
    window : Window
    air : ndarray, shape ((days + 1) * 96, 5)
        Mean air temperature of the regions, from the day before the window.
    comfort : float
        Degrees Celsius above which air conditioners work.
    response : float
        Factor on the response of every kind.
    festival : float
        What shops and factories keep of their load at Songkran and at New Year, 0..1.
    """
    felt = _response(air[SLOTS_PER_DAY - _HOURS + 1 :], comfort, response)
    load: Floats = _bare(window, felt, festival) / _usual() * _shares()
    return load


def usual_national_load() -> float:
    """Return the country's mean load of 2019 (MW)."""
    return float(_shares().sum())


def load_noise(seed: int, window: Window) -> Floats:
    """Return the factor that neither calendar nor air explains, shape (days * 96, 5)."""
    factors = []
    for region in REGIONS:
        days = between_days(daily(seed, f"load days {region}", window, persistence=DAY_PERSISTENCE, memory=8))[:, 0]
        # The last seven slots of the day before are the first slot's memory.
        raw = draws(seed, f"load slots {region}", window.back(1).first_day, window.days + 1, (SLOTS_PER_DAY,))
        quick = remembered(raw.reshape(-1)[SLOTS_PER_DAY - 7 :], SLOT_PERSISTENCE, 8)
        factors.append(np.exp(DAY_SPREAD * days + SLOT_SPREAD * quick))
    return np.stack(factors, axis=1)
