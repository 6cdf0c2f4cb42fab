"""Where the sun stands and what a cloudless sky lets through, for many places and moments in one pass.

Solar position is the algorithm of Reda and Andreas [1]_ as pvlib computes it. What depends on the moment alone
(longitude of the earth, nutation, sidereal time) is computed once per moment; only the last steps, which depend on the
place, run over moments x places. The clear sky is that of Ineichen and Perez [2]_ with the Linke turbidity of the
month.

References
----------
.. [1] Reda, I. and Andreas, A. (2004), Solar position algorithm for solar radiation applications, Solar Energy 76,
   577-589.
.. [2] Ineichen, P. and Perez, R. (2002), A new airmass independent formulation for the Linke turbidity coefficient,
   Solar Energy 73, 151-157.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Sky", "SolarPosition", "clear_sky", "pvlib_module", "solar_position"]

Floats = npt.NDArray[np.float64]

# Difference of terrestrial and universal time; 67 s in 2003, 69 s in 2026. A second moves the sun by 0.00001 degrees.
DELTA_T = 69.0
# pvlib's own defaults of its refraction.
_AIR = 12.0
_REFRACTION = 0.5667
# Moments per block: what a step leaves behind should still be in the processor's cache when the next step wants it.
_BLOCK = 672
_SKY = ("up", "zenith", "apparent_zenith", "azimuth", "extraterrestrial", "clear", "day_of_year")


@dataclass(frozen=True, slots=True, eq=False)
class SolarPosition:
    """Angles in degrees, all of one shape.

    Attributes
    ----------
    zenith : ndarray
        As seen without an atmosphere.
    apparent_zenith : ndarray
        With refraction.
    azimuth : ndarray
        Clockwise from north.
    """

    zenith: Floats
    apparent_zenith: Floats
    azimuth: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """The sun above the horizon: what is known of every moment and place at which it is up.

    Attributes
    ----------
    up : ndarray of bool, shape (moments, places)
        Where the sun stands above the horizon. The arrays below hold these cells alone, in row order.
    zenith, apparent_zenith, azimuth : ndarray, shape (cells,)
        Degrees.
    extraterrestrial : ndarray, shape (cells,)
        Irradiance on a plane facing the sun outside the atmosphere (W/m²).
    clear : ndarray, shape (cells,)
        Global horizontal irradiance of the cloudless sky (W/m²).
    day_of_year : ndarray, shape (cells,)
    """

    up: npt.NDArray[np.bool_]
    zenith: Floats
    apparent_zenith: Floats
    azimuth: Floats
    extraterrestrial: Floats
    clear: Floats
    day_of_year: Floats

    def cells(self, rows: slice) -> Sky:
        """Return the sky of some of the cells; its grid stays whole and must not be used."""
        return Sky(self.up, *(getattr(self, name)[rows] for name in _SKY[1:]))

    def spread(self, cells: Floats) -> Floats:
        """Return `cells` on the full grid, shape (moments, places), 0 where the sun is down."""
        grid = np.zeros(self.up.shape)
        grid[self.up] = cells
        return grid


def solar_position(
    unix_time: Floats,
    latitude: Floats,
    longitude: Floats,
    altitude: Floats,
    *,
    pressure: Floats | float | None = None,
    temperature: float = _AIR,
    delta_t: float = DELTA_T,
) -> SolarPosition:
    """Return where the sun stands, shape (moments, places).

    Parameters
    ----------
    unix_time : ndarray, shape (moments,)
        Seconds since 1970 (UTC).
    latitude, longitude, altitude : ndarray, shape (places,)
        Degrees north, degrees east, m.
    pressure : ndarray or float, optional
        Pa, for the refraction; by default that of the standard atmosphere at the altitude.
    temperature : float
        Degrees Celsius, for the refraction.
    delta_t : float
        Terrestrial minus universal time (s).
    """
    spa, atmosphere = pvlib_module("spa"), pvlib_module("atmosphere")
    sidereal, ascension, declination = spa.solar_position(
        unix_time, 0.0, 0.0, 0.0, 0.0, 0.0, delta_t, 0.0, numthreads=1, sst=True
    )
    (radius,) = spa.solar_position(unix_time, 0.0, 0.0, 0.0, 0.0, 0.0, delta_t, 0.0, numthreads=1, esd=True)
    v, alpha, delta = (value[:, None] for value in (sidereal, ascension, declination))
    xi = spa.equatorial_horizontal_parallax(radius)[:, None]
    hour = spa.local_hour_angle(v, longitude, alpha)
    u = spa.uterm(latitude)
    x, y = spa.xterm(u, latitude, altitude), spa.yterm(u, latitude, altitude)
    shift = spa.parallax_sun_right_ascension(x, xi, hour, delta)
    seen = spa.topocentric_sun_declination(delta, x, y, xi, shift, hour)
    angle = spa.topocentric_local_hour_angle(hour, shift)
    elevation = spa.topocentric_elevation_angle_without_atmosphere(latitude, seen, angle)
    pascal = atmosphere.alt2pres(altitude) if pressure is None else pressure
    bent = spa.atmospheric_refraction_correction(pascal / 100.0, temperature, elevation, _REFRACTION)
    azimuth = spa.topocentric_azimuth_angle(spa.topocentric_astronomers_azimuth(angle, seen, latitude))
    return SolarPosition(90.0 - elevation, 90.0 - (elevation + bent), azimuth)


def clear_sky(
    unix_time: Floats,
    day_of_year: Floats,
    site: tuple[Floats, Floats, Floats],
    turbidity: Floats,
) -> Sky:
    """Return the cloudless sky at every moment and place at which the sun is up.

    Parameters
    ----------
    unix_time, day_of_year : ndarray, shape (moments,)
        Seconds since 1970 (UTC); 1 on 1 January, in Greenwich.
    site : tuple of three ndarray, shape (places,)
        Latitude (degrees north), longitude (degrees east), altitude (m).
    turbidity : ndarray, shape (moments, places)
        Linke turbidity.
    """
    blocks = [
        _block(unix_time[rows], day_of_year[rows], site, turbidity[rows])
        for rows in (slice(first, first + _BLOCK) for first in range(0, unix_time.size, _BLOCK))
    ]
    return Sky(*(np.concatenate([getattr(block, name) for block in blocks]) for name in _SKY))


def _block(unix_time: Floats, day_of_year: Floats, site: tuple[Floats, Floats, Floats], turbidity: Floats) -> Sky:
    atmosphere, clearsky, irradiance = pvlib_module("atmosphere"), pvlib_module("clearsky"), pvlib_module("irradiance")
    latitude, _, altitude = site
    sun = solar_position(unix_time, *site)
    up = (sun.apparent_zenith < 90.0) & (sun.zenith < 90.0)
    place = np.broadcast_to(np.arange(latitude.size), up.shape)[up]
    day = np.broadcast_to(day_of_year[:, None], up.shape)[up]
    apparent = sun.apparent_zenith[up]
    outside = irradiance.get_extra_radiation(day)
    airmass = atmosphere.get_absolute_airmass(
        atmosphere.get_relative_airmass(apparent), atmosphere.alt2pres(altitude)[place]
    )
    clear = clearsky.ineichen(apparent, airmass, turbidity[up], altitude[place], outside)
    return Sky(up, sun.zenith[up], apparent, sun.azimuth[up], outside, clear["ghi"], day)


@cache
def pvlib_module(module: str) -> Any:
    """Return a module of pvlib, loaded when it is first wanted."""
    # pvlib draws pandas and parts of scipy with it, so it is loaded by the first call alone.
    from importlib import import_module

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(f"pvlib.{module}")
