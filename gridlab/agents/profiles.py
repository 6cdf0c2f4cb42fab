"""Meters: what every account uses and generates in every slot.

Load is the kind's daily shape (dataset ``load_shapes_synthetic``), interpolated to quarter hours, times the account's
size and a seeded disturbance. Generation is the city's solar day (``solar_day_synthetic``, pvlib clear sky under seeded
clouds) times the roof. Both are synthetic. Power is float64 kW until the meter; a meter counts whole Wh.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.agents.population import ZONES
from gridlab.calendar import is_working_day
from gridlab.datasets import dataset
from gridlab.frames import READINGS
from gridlab.seeds import stream

__all__ = ["generation", "readings"]

Floats = npt.NDArray[np.float64]

_SLOTS_PER_DAY = 96
_HOURS_PER_SLOT = 0.25
# Standard deviation of the logarithm of an account's disturbance per slot (synthetic): large loads average many uses.
_DISTURBANCE = {"household": 0.30, "condominium": 0.08, "school": 0.10, "mall": 0.05, "factory": 0.05}
_PERSISTENCE = 0.8
_CLOUDY_DAYS = (1, 2, 3, 4)  # variant 0 of the dataset is the clear sky


@cache
def _shapes() -> dict[tuple[str, str], Floats]:
    """Return (kind, day type) -> 96 values of load over the kind's weekday peak."""
    table = dataset("load_shapes_synthetic").sort("hour")
    quarters = np.arange(_SLOTS_PER_DAY) / 4
    return {
        (str(kind), str(day)): np.interp(quarters, np.arange(24) + 0.5, group["load"].to_numpy(), period=24)
        for (kind, day), group in table.group_by(["kind", "day_type"])
    }


@cache
def _suns() -> dict[tuple[str, int, int], Floats]:
    """Return (city, month, variant) -> 96 values of kW per kWp."""
    table = dataset("solar_day_synthetic").sort("slot")
    return {
        (str(city), int(month), int(variant)): group["kw_per_kwp"].to_numpy()
        for (city, month, variant), group in table.group_by(["city", "month", "variant"])
    }


def _loads(accounts: pl.DataFrame, days: pl.DataFrame, seed: int) -> Floats:
    """Return load in kW, shape (days, 96, accounts)."""
    kinds = accounts["kind"].unique(maintain_order=True).to_list()
    shapes = np.stack([[_shapes()[kind, day] for kind in kinds] for day in days["day_type"]])  # (days, kinds, 96)
    kind = accounts["kind"].replace_strict(kinds, list(range(len(kinds))), return_dtype=pl.Int64).to_numpy()
    spread = np.array([_DISTURBANCE[name] for name in kinds])[kind]
    noise = stream(seed, "agents", "load").standard_normal((days.height * _SLOTS_PER_DAY, accounts.height))
    for slot in range(1, noise.shape[0]):  # an autoregression over time; each step is one vector over all accounts
        noise[slot] = _PERSISTENCE * noise[slot - 1] + np.sqrt(1 - _PERSISTENCE**2) * noise[slot]
    disturbance = np.exp(spread * noise - spread**2 / 2).reshape(days.height, _SLOTS_PER_DAY, accounts.height)
    load: Floats = shapes[:, kind, :].transpose(0, 2, 1) * accounts["peak_kw"].to_numpy() * disturbance
    return load


def _generations(accounts: pl.DataFrame, days: pl.DataFrame, seed: int) -> Floats:
    """Return generation in kW, shape (days, 96, accounts)."""
    variants = stream(seed, "agents", "sky").choice(_CLOUDY_DAYS, (days.height, len(ZONES)))
    suns = np.stack(
        [
            [_suns()[zone[3], month, int(v)] for zone, v in zip(ZONES.values(), sky, strict=True)]
            for month, sky in zip(days["month"], variants, strict=True)
        ]
    )  # (days, zones, 96)
    zone = accounts["zone"].to_physical().to_numpy()
    power: Floats = suns[:, zone, :].transpose(0, 2, 1) * _roofs(accounts, seed)
    return power


def _roofs(accounts: pl.DataFrame, seed: int) -> Floats:
    """Return each account's kWp on the reference plane."""
    # Roofs do not all face the best way: 88 to 100 % of the reference plane (synthetic).
    aspect = stream(seed, "agents", "aspect").uniform(0.88, 1.0, accounts.height)
    roofs: Floats = accounts["pv_kw"].to_numpy() * aspect
    return roofs


def generation(accounts: pl.DataFrame, sun: Floats, *, seed: int, pv_scale: float) -> pl.Series:
    """Return what every roof generates under a given sun.

    Parameters
    ----------
    accounts : polars.DataFrame
        As `gridlab.frames.ACCOUNTS`.
    sun : ndarray of float64, shape (slots, zones)
        kW per kWp, zones in the order of `gridlab.agents.population.ZONES`.
    seed : int
        As for `readings`: the same roofs.
    pv_scale : float
        Factor on every roof.

    Returns
    -------
    polars.Series
        Int64, Wh, ordered by slot, then account.
    """
    zone = accounts["zone"].to_physical().to_numpy()
    return pl.Series("generation", _meter(sun[:, zone] * (_roofs(accounts, seed) * pv_scale)))


def readings(
    accounts: pl.DataFrame, slots: pl.Series, *, seed: int, pv_scale: float, load_scale: float
) -> pl.DataFrame:
    """Return what every meter reads in every slot.

    Parameters
    ----------
    accounts : polars.DataFrame
        As `gridlab.frames.ACCOUNTS`.
    slots : polars.Series
        Consecutive slots (`gridlab.calendar.slots`).
    seed : int
        A longer run repeats a shorter one and goes on: draws run over time.
    pv_scale, load_scale : float
        Factors on every roof and on every load.

    Returns
    -------
    polars.DataFrame
        As `gridlab.frames.READINGS`, ordered by slot, then account.
    """
    days = (
        slots.dt.date()
        .unique()
        .sort()
        .to_frame("date")
        .with_columns(
            month=pl.col("date").dt.month(),
            day_type=pl.when(is_working_day(pl.col("date"))).then(pl.lit("weekday")).otherwise(pl.lit("weekend")),
        )
    )
    first = slots.dt.hour()[0] * 4 + slots.dt.minute()[0] // 15
    window = slice(first, first + slots.len())
    shape = (days.height * _SLOTS_PER_DAY, accounts.height)
    load = (_loads(accounts, days, seed) * load_scale).reshape(shape)[window]
    generation = (_generations(accounts, days, seed) * pv_scale).reshape(shape)[window]
    frame = pl.DataFrame(
        {
            "slot": slots.gather(np.repeat(np.arange(slots.len()), accounts.height)),
            "account": np.tile(accounts["account"].to_numpy(), slots.len()),
            "load": _meter(load),
            "generation": _meter(generation),
        }
    )
    return READINGS.check(frame)


def _meter(power_kw: Floats) -> npt.NDArray[np.int64]:
    """Return the energy of a slot in whole Wh, flattened by slot and account."""
    return np.rint(power_kw * (1000 * _HOURS_PER_SLOT)).astype(np.int64).reshape(-1)
