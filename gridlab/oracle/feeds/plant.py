"""What a photovoltaic plant makes of the sun: irradiance on its plane, cell temperature, power.

The models are those of the table ``solar_day_synthetic``: the global irradiance is split by Erbs [1]_, put on the plane
with an isotropic sky [2]_ and an albedo of 0.25; the cell's temperature follows Faiman [3]_ with a wind of 1 m/s; the
power PVWatts [4]_ with -0.35 %/K, an inverter of 96 % and of the size of the plant.

References
----------
.. [1] Erbs, D., Klein, S. and Duffie, J. (1982), Estimation of the diffuse radiation fraction for hourly, daily and
   monthly-average global radiation, Solar Energy 28, 293-302.
.. [2] Liu, B. and Jordan, R. (1963), The long-term average performance of flat-plate solar energy collectors, Solar
   Energy 7, 53-74.
.. [3] Faiman, D. (2008), Assessing the outdoor operating temperature of photovoltaic modules, Progress in
   Photovoltaics 16, 307-315.
.. [4] Dobos, A. (2014), PVWatts version 5 manual, NREL/TP-6A20-62641.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.oracle.feeds.sun import Sky, pvlib_module

__all__ = ["AZIMUTH", "plane_irradiance", "plant_power", "power"]

Floats = npt.NDArray[np.float64]

AZIMUTH = 180.0
_WIND = 1.0
_TEMPERATURE_COEFFICIENT = -0.0035
_INVERTER = 0.96
_RATED = 1000.0
# Cells per block: as in `gridlab.oracle.feeds.sun`, for the processor's cache.
_BLOCK = 65_536


def power(sky: Sky, ghi: Floats, air: Floats, *, tilt: float, loss: float) -> Floats:
    """Return AC power over the plant's size (kW/kWp), shape (cells,); arguments as of the two functions below."""
    blocks = [np.zeros(0)]
    for first in range(0, ghi.size, _BLOCK):
        rows = slice(first, first + _BLOCK)
        plane = plane_irradiance(sky.cells(rows), ghi[rows], tilt=tilt)
        blocks.append(plant_power(plane, air[rows], loss=loss))
    return np.concatenate(blocks)


def plane_irradiance(sky: Sky, ghi: Floats, *, tilt: float) -> Floats:
    """Return irradiance on a plane that faces south (W/m²), shape (cells,).

    Parameters
    ----------
    sky : Sky
    ghi : ndarray, shape (cells,)
        Global horizontal irradiance (W/m²).
    tilt : float
        Degrees from the horizontal.
    """
    irradiance = pvlib_module("irradiance")
    split = irradiance.erbs(ghi, sky.zenith, sky.day_of_year)
    plane = irradiance.get_total_irradiance(
        tilt, AZIMUTH, sky.apparent_zenith, sky.azimuth, split["dni"], ghi, split["dhi"], model="isotropic"
    )["poa_global"]
    return np.maximum(np.nan_to_num(np.asarray(plane, dtype=np.float64)), 0.0)


def plant_power(plane: Floats, air: Floats, *, loss: float) -> Floats:
    """Return AC power over the plant's size (kW/kWp), in the shape of the arguments.

    Parameters
    ----------
    plane : ndarray
        Irradiance on the plane (W/m²).
    air : ndarray
        Air temperature (degrees Celsius).
    loss : float
        Share lost before the inverter (dirt, cables, mismatch), 0..1.
    """
    temperature, pvsystem, inverter = (pvlib_module(name) for name in ("temperature", "pvsystem", "inverter"))
    cell = temperature.faiman(plane, air, _WIND)
    dc = pvsystem.pvwatts_dc(plane, cell, _RATED, _TEMPERATURE_COEFFICIENT) * (1.0 - loss)
    dark = dc <= 0.0  # the inverter's part-load curve is 0/0 there
    ac = inverter.pvwatts(np.where(dark, 1.0, dc), _RATED / _INVERTER, eta_inv_nom=_INVERTER)
    power: Floats = np.where(dark, 0.0, np.maximum(ac, 0.0)) / _RATED
    return power
