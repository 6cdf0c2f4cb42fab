"""Forecasts from what was known when they were made, as pure functions on arrays.

Every target slot has its own `issue`: the number of slots that had ended when its forecast was made. A forecast of row
t reads rows before ``issue[t]`` of what was observed, besides calendar, sun and climate, which are known for ever.
Each blends the mean state with the latest deviation from it, by weights that fall with the age of the latest:

- sun: ``base * (c + w (r - c))`` with base the output under a cloudless sky, c the month's mean clear-sky index and r
  the mean index of the last four slots of daylight; w = 1 would be the persistence of clouds;
- air: ``usual + w (latest - usual)``;
- load: ``expected * level * (1 + w (r - 1))`` with expected the load of calendar and forecast air, level the mean of
  observed over explained load in the seven last whole days, r the same of the last hour over level.

The weights are the correlations of the processes that the weather is drawn from, which a real forecaster would have
estimated from years of record.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.oracle.feeds import demand, weather
from gridlab.oracle.feeds.window import SLOTS_PER_DAY

__all__ = [
    "HISTORY_DAYS",
    "LEADS",
    "air_forecast",
    "air_persistence",
    "check_lead",
    "issues",
    "latest_mean",
    "load_forecast",
    "sun_forecast",
    "sun_persistence",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Slots between issue and target; the day ahead is made at noon of the day before.
LEADS = {"day_ahead": None, "4h": 16, "1h": 4, "15min": 1}
_GATE = 48
_LATEST = 4
_LEVEL_DAYS = 7
HISTORY_DAYS = 9


def check_lead(lead: object) -> str:
    """Return `lead` if it is one of `LEADS`, else raise."""
    if not isinstance(lead, str):
        raise ArgumentTypeError(f"lead: expected one of {list(LEADS)}, got {lead!r}")
    if lead not in LEADS:
        raise ArgumentError(f"lead: {lead!r} is not allowed; {nearest(lead, LEADS)}")
    return lead


def issues(rows: int, lead: str) -> Integers:
    """Return how many slots had ended when each row's forecast was made, shape (rows,).

    `rows` start at a midnight. A negative number means that nothing was known yet.
    """
    target = np.arange(rows, dtype=np.int64)
    ahead = LEADS[lead]
    if ahead is None:
        return target // SLOTS_PER_DAY * SLOTS_PER_DAY - (SLOTS_PER_DAY - _GATE)
    return target - ahead


def latest_mean(values: Floats, valid: npt.NDArray[np.bool_], issue: Integers) -> tuple[Floats, Integers]:
    """Return the mean of the last four valid values before each issue, and the row of the last of them.

    Parameters
    ----------
    values : ndarray, shape (rows, n)
    valid : ndarray of bool, shape (rows, n)
    issue : ndarray of int, shape (targets,)

    Returns
    -------
    mean : ndarray, shape (targets, n)
        0 where no run of four neighbouring valid values came before.
    last : ndarray of int, shape (targets, n)
        -1 there.
    """
    run, whole = values.copy(), valid.copy()
    for lag in range(1, _LATEST):
        run[lag:] += values[:-lag]
        whole[lag:] &= valid[:-lag]
    whole[: _LATEST - 1] = False
    row = np.where(whole, np.arange(values.shape[0])[:, None], -1)
    last = np.maximum.accumulate(row, axis=0)
    known = np.clip(issue - 1, -1, None)
    place = np.where(known[:, None] >= 0, last[np.maximum(known, 0)], -1)
    mean = np.take_along_axis(run, np.maximum(place, 0), axis=0) / _LATEST
    return np.where(place >= 0, mean, 0.0), place


def _fading(age: Integers, day_share: float, by_day: float, by_slot: float) -> Floats:
    days = age / SLOTS_PER_DAY
    weight: Floats = day_share * by_day**days + (1 - day_share) * by_slot**age
    return weight


def _sun_ratio(observed: Floats, base: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    # Low suns say little about clouds: only slots above a tenth of the highest count.
    valid = base > 0.1 * base.max(axis=0)
    return np.divide(observed, base, out=np.zeros_like(base), where=valid), valid


def sun_forecast(observed: Floats, base: Floats, clearness: Floats, issue: Integers) -> Floats:
    """Return the forecast of irradiance or PV, shape (rows, n).

    Parameters
    ----------
    observed, base : ndarray, shape (rows, n)
        What was seen, and what a cloudless sky would give.
    clearness : ndarray, shape (rows, n)
        Mean clear-sky index of the month.
    issue : ndarray of int, shape (rows,)
    """
    ratio, valid = _sun_ratio(observed, base)
    recent, last = latest_mean(ratio, valid, issue)
    age = np.arange(base.shape[0])[:, None] - last
    weight = _fading(age, weather.DAY_SHARE, weather.DAY_PERSISTENCE, weather.SLOT_PERSISTENCE)
    weight = np.where(last >= 0, weight, 0.0)
    return base * (clearness + weight * (recent - clearness))


def sun_persistence(observed: Floats, base: Floats, clearness: Floats, issue: Integers) -> Floats:
    """Return what the latest clouds would give if they stayed; arguments as of `sun_forecast`."""
    ratio, valid = _sun_ratio(observed, base)
    recent, last = latest_mean(ratio, valid, issue)
    return base * np.where(last >= 0, recent, clearness)


def air_forecast(observed: Floats, usual: Floats, issue: Integers) -> Floats:
    """Return the forecast of the temperature (degrees Celsius), shape (rows, n).

    Parameters
    ----------
    observed, usual : ndarray, shape (rows, n)
        What was measured; the temperature of a mean day.
    issue : ndarray of int, shape (rows,)
    """
    recent, last = latest_mean(observed - usual, np.ones(usual.shape, dtype=np.bool_), issue)
    age = np.arange(usual.shape[0])[:, None] - last
    share = weather.AIR_SPREAD**2 / (weather.AIR_SPREAD**2 + weather.AIR_SLOT_SPREAD**2)
    weight = _fading(age, share, weather.AIR_PERSISTENCE, weather.AIR_SLOT_PERSISTENCE)
    return usual + np.where(last >= 0, weight, 0.0) * recent


def air_persistence(observed: Floats, issue: Integers, lead: str) -> Floats:
    """Return what was last seen: an hour ahead and less the last value, else that of the last such slot of a day."""
    target = np.arange(observed.shape[0])
    if lead in ("1h", "15min"):
        source = issue - 1
    else:
        yesterday = target - SLOTS_PER_DAY
        source = np.where(yesterday < issue, yesterday, yesterday - SLOTS_PER_DAY)
    return observed[np.maximum(source, 0)]


def load_forecast(observed: Floats, explained: Floats, expected: Floats, issue: Integers) -> Floats:
    """Return the forecast of load (MW), shape (rows, n).

    Parameters
    ----------
    observed : ndarray, shape (rows, n)
    explained : ndarray, shape (rows, n)
        Load of the calendar and the air that was measured; read before the issue alone.
    expected : ndarray, shape (rows, n)
        Load of the calendar and the air that was forecast.
    issue : ndarray of int, shape (rows,)
    """
    ratio = observed / explained
    days = ratio.reshape(-1, SLOTS_PER_DAY, ratio.shape[1]).mean(axis=1)
    known = issue // SLOTS_PER_DAY - 1  # the last day that had ended
    level = np.zeros_like(observed)
    for lag in range(_LEVEL_DAYS):
        level += days[np.maximum(known - lag, 0)]
    level /= _LEVEL_DAYS
    recent, last = latest_mean(ratio, np.ones(ratio.shape, dtype=np.bool_), issue)
    age = np.arange(ratio.shape[0])[:, None] - last
    share = demand.DAY_SPREAD**2 / (demand.DAY_SPREAD**2 + demand.SLOT_SPREAD**2)
    weight = np.where(last >= 0, _fading(age, share, demand.DAY_PERSISTENCE, demand.SLOT_PERSISTENCE), 0.0)
    return expected * level * (1 + weight * (recent / level - 1))
