"""The 77 provinces as arrays: where they lie, how turbid, how clear and how hot their months are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest

__all__ = ["REGIONS", "Places", "chosen", "correlation_root", "places", "positions", "region_positions"]

Floats = npt.NDArray[np.float64]

REGIONS = ("MAC", "CAC", "NEC", "SAC", "NAC")
# Kilometres to the north and, on the equator, to the east per degree (a sphere of 6,371 km).
_KM_PER_DEGREE = 111.195
_CENTRE = (13.5, 101.0)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Arrays over the provinces, in the order of the table ``provinces``.

    Attributes
    ----------
    names, zones, regions : tuple of str
        Province, climate zone, EGAT region.
    latitude, longitude, altitude : ndarray, shape (77,)
        Degrees north, degrees east, m.
    east, north : ndarray, shape (77,)
        km from 13.5 degrees north, 101 degrees east, on a plane.
    turbidity, clearness, high, low : ndarray, shape (12, 77)
        Linke turbidity, mean clear-sky index, mean daily high and low (degrees Celsius) by month.
    """

    names: tuple[str, ...]
    zones: tuple[str, ...]
    regions: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    altitude: Floats
    east: Floats
    north: Floats
    turbidity: Floats
    clearness: Floats
    high: Floats
    low: Floats


@cache
def places() -> Places:
    """Return the provinces, read once from the tables."""
    table = dataset("provinces").join(dataset("province_places"), on="province", maintain_order="left")
    latitude, longitude = table["latitude"].to_numpy(), table["longitude"].to_numpy()
    zones = table.select("zone")
    return Places(
        names=tuple(table["province"]),
        zones=tuple(table["zone"]),
        regions=tuple(table["egat_region"]),
        latitude=latitude,
        longitude=longitude,
        altitude=table["altitude"].to_numpy().astype(np.float64),
        east=(longitude - _CENTRE[1]) * np.cos(np.radians(_CENTRE[0])) * _KM_PER_DEGREE,
        north=(latitude - _CENTRE[0]) * _KM_PER_DEGREE,
        turbidity=_by_month(table.select("province"), "linke_turbidity", "turbidity"),
        clearness=_by_month(zones, "sky_clearness_synthetic", "clearness"),
        high=_by_month(zones, "climate_normals", "high"),
        low=_by_month(zones, "climate_normals", "low"),
    )


def _by_month(rows: pl.DataFrame, table: str, column: str) -> Floats:
    key = rows.columns[0]
    found = rows.with_row_index("row").join(dataset(table), on=key, maintain_order="left").sort("row", "month")
    values: Floats = found[column].to_numpy().reshape(rows.height, 12).T.copy()
    return values


@cache
def correlation_root(length_km: float) -> Floats:
    """Return the matrix that makes independent noise correlated in space, shape (77, 77).

    The lower Cholesky factor of ``exp(-distance / length_km)``.
    """
    here = places()
    distance = np.hypot(here.east[:, None] - here.east, here.north[:, None] - here.north)
    root: Floats = np.linalg.cholesky(np.exp(-distance / length_km))
    return root


def positions(provinces: Sequence[str] | None) -> npt.NDArray[np.intp]:
    """Return the rows of `provinces` in `places` (None: all of them).

    Raises
    ------
    ArgumentTypeError
        `provinces` is not a sequence of text.
    ArgumentError
        A province does not exist or stands twice.
    """
    names = places().names
    if provinces is None:
        return np.arange(len(names))
    return np.array(chosen("provinces", provinces, names), dtype=np.intp)


def region_positions(region: str) -> npt.NDArray[np.intp]:
    """Return the rows of the provinces of an EGAT region."""
    return np.flatnonzero(np.array(places().regions) == region)


def chosen(what: str, asked: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return where each of `asked` stands in `names`, or raise as `positions` does."""
    if isinstance(asked, str) or not isinstance(asked, (Sequence, pl.Series)):
        raise ArgumentTypeError(f"{what}: expected a list of names, got {asked!r}; write [{names[0]!r}]")
    place = {name: number for number, name in enumerate(names)}
    for name in asked:
        if not isinstance(name, str):
            raise ArgumentTypeError(f"{what}: expected names, got {name!r} of type {type(name).__name__}")
        if name not in place:
            raise ArgumentError(f"{what}: there is no {name!r}; {nearest(name, names)}")
    if len(asked) == 0 or len(set(asked)) != len(asked):
        raise ArgumentError(f"{what}: {list(asked)!r} is not allowed; name one or more, each once")
    return [place[name] for name in asked]
