"""Synthetic solar days: pvlib's clear sky and a simple plant, under clouds drawn from a seeded process.

The plant faces south at 12 degrees. Irradiance: Ineichen and Perez (2002) with Linke turbidity 4.5 all year, split by
Erbs (1982) once the clouds have thinned it, put on the plane with the isotropic sky. Cell temperature: Faiman (2008).
DC power: PVWatts (Dobos 2014) with -0.35 %/K and 14 % of losses; inverter efficiency 96 %, no clipping below 1 kW.

The cloud is a first-order autoregressive process of the clear-sky index over 15-minute slots (persistence 0.85), with a
daily mean per season and region that is a judgement, set so that a year yields what Thai vendors quote.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import polars as pl
from build_places import CITIES
from numpy.typing import NDArray
from tables import Field, Table

__all__ = ["SEED", "tables"]

Floats = NDArray[np.float64]
SEED = 2569
SLOTS = 96
TURBIDITY = 4.5
PERSISTENCE = 0.85
# Mean clear-sky index by month: inland and the upper gulf, the eastern side of the peninsula, the Andaman side.
CLEARNESS = {
    "inland": (0.86, 0.87, 0.84, 0.80, 0.72, 0.68, 0.65, 0.64, 0.66, 0.74, 0.82, 0.86),
    "gulf": (0.78, 0.85, 0.86, 0.83, 0.76, 0.74, 0.73, 0.72, 0.70, 0.64, 0.55, 0.58),
    "andaman": (0.86, 0.88, 0.85, 0.79, 0.68, 0.67, 0.67, 0.66, 0.62, 0.65, 0.73, 0.80),
}
CLIMATE = {"Surat Thani": "gulf", "Hat Yai": "gulf", "Phuket": "andaman"}
# Means of the four drawn days of a month over the month's own mean; they average one.
DAY_SPREAD = (1.14, 1.04, 0.98, 0.84)


def _clear_sky_index(generator: np.random.Generator, mean: float) -> Floats:
    """Return 96 clear-sky indices of one day: shape (96,), between 0.08 and 1."""
    spread = 0.9 * mean * (1.06 - min(mean, 1.0))
    noise = generator.standard_normal(SLOTS) * spread * np.sqrt(1 - PERSISTENCE**2)
    index = np.empty(SLOTS)
    level = 0.0
    for slot in range(SLOTS):
        level = PERSISTENCE * level + noise[slot]
        index[slot] = mean + level
    return np.clip(index, 0.08, 1.0)


def _plant(latitude: float, longitude: float, altitude: float, month: int, index: Floats) -> Floats:
    """Return AC power of 1 kWp in kW over the 96 slots of the 15th day of `month`, at the middle of each slot."""
    # pvlib draws pandas with it, which only this script needs.
    import pandas as pd
    from pvlib import atmosphere, inverter, irradiance, pvsystem, solarposition, temperature
    from pvlib.clearsky import ineichen

    times = pd.date_range(f"2026-{month:02d}-15 00:07:30", periods=SLOTS, freq="15min", tz="Asia/Bangkok")
    sun = solarposition.get_solarposition(times, latitude, longitude, altitude)
    airmass = atmosphere.get_absolute_airmass(atmosphere.get_relative_airmass(sun["apparent_zenith"]))
    clear = ineichen(sun["apparent_zenith"], airmass, TURBIDITY, altitude=altitude)
    ghi = clear["ghi"] * index
    split = irradiance.erbs(ghi, sun["zenith"], times)
    plane = irradiance.get_total_irradiance(
        12, 180, sun["apparent_zenith"], sun["azimuth"], split["dni"], ghi, split["dhi"], model="isotropic"
    )["poa_global"].fillna(0.0).clip(lower=0.0)
    air = 28.0 + 4.0 * np.sin((np.arange(SLOTS) / 4 - 9.0) / 24 * 2 * np.pi)
    cell = temperature.faiman(plane, air, 1.0)
    dc = pvsystem.pvwatts_dc(plane, cell, 1000.0, -0.0035) * (1 - 0.14)
    # At night the part-load efficiency is 0/0.
    return np.nan_to_num(np.asarray(inverter.pvwatts(dc, 1000.0 / 0.96, eta_inv_nom=0.96), dtype=np.float64)) / 1000.0


@cache
def _frame() -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pvlib still calls what pandas renamed
        for number, (city, _, _, latitude, longitude, altitude, _) in enumerate(CITIES):
            means = CLEARNESS[CLIMATE.get(city, "inland")]
            for month in range(1, 13):
                clear = _plant(latitude, longitude, altitude, month, np.ones(SLOTS))
                drawn = [
                    # One generator per day, so that adding a city or a variant changes no other day.
                    _plant(latitude, longitude, altitude, month, _clear_sky_index(
                        np.random.default_rng([SEED, number, month, day]), min(means[month - 1] * spread, 0.97)
                    ))
                    for day, spread in enumerate(DAY_SPREAD, start=1)
                ]  # fmt: skip
                drawn.sort(key=lambda power: -float(power.sum()))
                parts += [_day(city, month, variant, power) for variant, power in enumerate([clear, *drawn])]
    return pl.concat(parts)


def _day(city: str, month: int, variant: int, power: Floats) -> pl.DataFrame:
    rounded = np.round(np.clip(power, 0.0, None), 4)
    return pl.DataFrame(
        {"city": city, "month": month, "variant": variant, "slot": np.arange(SLOTS), "kw_per_kwp": rounded},
        schema={"city": pl.String, "month": pl.Int64, "variant": pl.Int64, "slot": pl.Int64, "kw_per_kwp": pl.Float64},
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [
        Table(
            name="solar_day_synthetic",
            title="Solar days by city and month (synthetic)",
            title_th="กำลังผลิตไฟฟ้าจากแสงอาทิตย์รายวัน แยกตามเมืองและเดือน (ข้อมูลสังเคราะห์)",
            description=(
                "AC power of a plant of 1 kWp, 12 degrees to the south, on the 15th day of each month: pvlib's clear "
                f"sky and plant models under clouds drawn with seed {SEED}. Not measured; the clouds' means are a "
                "judgement, set so that a year yields the 1,300 to 1,500 kWh/kWp that Thai vendors quote."
            ),
            fields=(
                Field("city", "String", "", "as in the table cities"),
                Field("month", "Int64", "", "1 to 12"),
                Field("variant", "Int64", "", "0 clear sky; 1 the sunniest to 4 the most overcast of the drawn days"),
                Field("slot", "Int64", "", "15-minute slot of the day, 0 starts at 00:00 Bangkok time"),
                Field("kw_per_kwp", "Float64", "kW/kWp", "mean AC power over the slot"),
            ),
            frame=_frame(),
            synthetic=True,
            form="parquet",
        )
    ]
