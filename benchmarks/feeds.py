"""What a year of PV in all provinces costs, and the ratio to going province by province.

::

    python -m benchmarks.feeds
    python -m benchmarks.feeds --days 30 --sites 5 --repeat 5 --json

``solar`` is `Feeds.solar`: sun, clear sky, clouds, temperature, plane, cell, power of every province in one pass.
``loop`` does the same models site by site with pvlib's functions on pandas, the clouds and the air given to it;
``chain`` is pvlib's own `ModelChain` per site, from its own clear sky on. Both are timed over a few sites and counted
up to all 77. Their largest difference to ``solar`` is checked. ``first day`` is one day of five provinces in a fresh
process, the import of pvlib and the reading of tables included, that of gridlab not. A ratio is the median over the
repetitions of the ratio within one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import warnings
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.clearing import seconds
from gridlab.calendar import slots
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.places import places
from gridlab.oracle.feeds.world import World

_START = "2026-01-01"
_FIRST_DAY = """
from gridlab.calendar import slots
from gridlab.oracle.feeds import Feeds
import time
start = time.perf_counter()
Feeds().solar(slots("2026-04-20", hours=24), ["Bangkok", "Rayong", "Khon Kaen", "Surat Thani", "Chiang Mai"])
print(time.perf_counter() - start)
"""


def site_times(days: int) -> Any:
    """Return the middle of every slot as pandas has it."""
    import pandas as pd

    return pd.date_range(f"{_START} 00:07:30", periods=days * 96, freq="15min", tz="Asia/Bangkok")


def location(row: int) -> Any:
    """Return pvlib's location of a province."""
    from pvlib.location import Location

    here = places()
    return Location(here.latitude[row], here.longitude[row], tz="Asia/Bangkok", altitude=here.altitude[row])


def by_function(world: World, row: int, times: Any) -> np.ndarray:
    """Return one site's power (kW/kWp) by pvlib's functions on pandas."""
    from pvlib import inverter, irradiance, pvsystem, temperature

    site = location(row)
    sun = site.get_solarposition(times, delta_t=69.0)
    turbidity = np.repeat(world.window.by_day(places().turbidity)[:, row], 96)
    clear = site.get_clearsky(times, solar_position=sun, linke_turbidity=turbidity)
    ghi = clear["ghi"] * world.index[:, row]
    split = irradiance.erbs(ghi, sun["zenith"], times)
    plane = irradiance.get_total_irradiance(
        12, 180, sun["apparent_zenith"], sun["azimuth"], split["dni"], ghi, split["dhi"], model="isotropic"
    )["poa_global"]
    cell = temperature.faiman(plane.fillna(0.0), world.temperature[:, row], 1.0)
    dc = pvsystem.pvwatts_dc(plane.fillna(0.0), cell, 1000.0, -0.0035) * 0.86
    return np.asarray(inverter.pvwatts(dc, 1000.0 / 0.96, eta_inv_nom=0.96).fillna(0.0)) / 1000.0


def by_chain(row: int, times: Any) -> None:
    """Run pvlib's ModelChain for one site under its clear sky."""
    from pvlib.modelchain import ModelChain
    from pvlib.pvsystem import Array, FixedMount, PVSystem

    site = location(row)
    array = Array(
        FixedMount(12, 180),
        module_parameters={"pdc0": 1000.0, "gamma_pdc": -0.0035},
        temperature_model_parameters={"u0": 25.0, "u1": 6.84},
    )
    chain = ModelChain(
        PVSystem(arrays=[array], inverter_parameters={"pdc0": 1000.0 / 0.96}), site, dc_model="pvwatts",
        ac_model="pvwatts", aoi_model="no_loss", spectral_model="no_loss", temperature_model="faiman",
        losses_model="pvwatts", transposition_model="isotropic",
    )  # fmt: skip
    weather = site.get_clearsky(times, linke_turbidity=4.5)
    chain.run_model(weather.assign(temp_air=28.0, wind_speed=1.0))


def measure(days: int, sites: int, repeat: int) -> dict[str, Any]:
    """Time all three, interleaved; return seconds and ratios (medians)."""
    span, times = slots(_START, slots=days * 96), site_times(days)
    rows = np.linspace(0, 76, sites).astype(int)
    found: dict[str, list[float]] = {"solar": [], "loop": [], "chain": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pvlib still calls what pandas renamed
        world = Feeds().world(span)
        worst = max(float(np.abs(by_function(world, row, times) - world.pv[:, row]).max()) for row in rows)
        for seed in range(repeat):
            found["solar"].append(seconds(lambda: Feeds(seed).solar(span)))  # noqa: B023 - called at once
            share = 77 / sites
            found["loop"].append(share * seconds(lambda: [by_function(world, row, times) for row in rows]))
            found["chain"].append(share * seconds(lambda: [by_chain(row, times) for row in rows]))
    assert worst < 1e-4
    first = [float(subprocess.check_output([sys.executable, "-c", _FIRST_DAY], text=True)) for _ in range(repeat)]
    return {
        "days": days,
        "provinces": 77,
        "solar s": round(median(found["solar"]), 3),
        "loop/solar": _ratio(found["loop"], found["solar"]),
        "chain/solar": _ratio(found["chain"], found["solar"]),
        "largest difference kW/kWp": float(f"{worst:.1e}"),
        "first day s": round(median(first), 3),
    }


def _ratio(one: list[float], other: list[float]) -> float:
    return round(median([a / b for a, b in zip(one, other, strict=True)]), 2)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365, help="days of PV (default: %(default)s)")
    parser.add_argument("--sites", type=int, default=4, help="sites that the loops go through (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.days, options.sites, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
