"""What the tests of the feeds share: days, and the reference that goes province by province."""

import datetime as dt
import warnings

import numpy as np
import pytest

from gridlab.calendar import slots
from gridlab.oracle.feeds import Feeds


@pytest.fixture(scope="session")
def april_day():
    return slots("2026-04-20", hours=24)


@pytest.fixture(scope="session")
def feeds():
    return Feeds(seed=7)


@pytest.fixture(scope="session")
def one_site():
    """Return a function that computes one site's clear sky and PV with pandas, as pvlib's own pages do."""

    def compute(
        start: dt.date, days, latitude, longitude, altitude, turbidity, *, index=1.0, air=28.0, tilt=12, loss=0.14
    ):
        import pandas as pd

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pvlib import inverter, irradiance, pvsystem, temperature
            from pvlib.location import Location

            begin = f"{start.isoformat()} 00:07:30"
            times = pd.date_range(begin, periods=days * 96, freq="15min", tz="Asia/Bangkok")
            site = Location(latitude, longitude, tz="Asia/Bangkok", altitude=altitude)
            sun = site.get_solarposition(times, delta_t=69.0)
            clear = site.get_clearsky(times, solar_position=sun, linke_turbidity=turbidity)
            ghi = clear["ghi"] * index
            split = irradiance.erbs(ghi, sun["zenith"], times)
            plane = (
                irradiance.get_total_irradiance(
                    tilt,
                    180,
                    sun["apparent_zenith"],
                    sun["azimuth"],
                    split["dni"],
                    ghi,
                    split["dhi"],
                    model="isotropic",
                )["poa_global"]
                .fillna(0.0)
                .clip(lower=0.0)
            )
            cell = temperature.faiman(plane, air, 1.0)
            dc = pvsystem.pvwatts_dc(plane, cell, 1000.0, -0.0035) * (1 - loss)
            ac = inverter.pvwatts(dc, 1000.0 / 0.96, eta_inv_nom=0.96).fillna(0.0).clip(lower=0.0)
        return sun, np.asarray(clear["ghi"]), np.asarray(ac) / 1000.0

    return compute
