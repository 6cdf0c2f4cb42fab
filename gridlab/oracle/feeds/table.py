"""What the oracle's feeds are called and how their numbers are counted: one table, one row per family.

A feed's name is its family and what it is about: ``weather/ghi/Khon Kaen``, ``load/NEC``, ``fx/USDTHB``. Values travel
as whole numbers, because providers sign them and a chain takes medians of them: `Family.scale` of them are one unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.frames import SLOT, Column, Schema

__all__ = ["FAMILIES", "FEED_VALUES", "Family", "counted", "family_of", "feed_frame", "feed_table"]


@dataclass(frozen=True, slots=True)
class Family:
    """How the feeds of one family are counted.

    Attributes
    ----------
    prefix : str
        What their names begin with, before the last ``/``.
    unit : str
        What people read.
    scale : int
        How many counted units are one `unit`.
    counted : str
        Name of one counted unit.
    low, high : float
        What is not absurd, in `unit`.
    meaning : str
    """

    prefix: str
    unit: str
    scale: int
    counted: str
    low: float
    high: float
    meaning: str


FAMILIES = (
    Family("weather/ghi", "W/m²", 10, "0.1 W/m²", 0.0, 1_500.0, "global horizontal irradiance, mean of the slot"),
    Family("weather/pv", "kW/kWp", 10_000, "0.0001 kW/kWp", 0.0, 1.5, "AC power of 1 kWp, mean of the slot"),
    Family("weather/temperature", "°C", 100, "0.01 °C", -10.0, 55.0, "air temperature in the middle of the slot"),
    Family("load", "MW", 1_000, "kW", 0.0, 100_000.0, "load of an EGAT region, mean of the slot"),
    Family("price", "THB/MWh", 1, "THB/MWh", -50_000.0, 50_000.0, "wholesale price in Thailand"),
    Family("price/neighbour", "THB/MWh", 1, "THB/MWh", -50_000.0, 50_000.0, "wholesale price next door"),
    Family("carbon", "THB/tCO2e", 100, "0.01 THB/tCO2e", 0.0, 50_000.0, "price of a carbon credit"),
    Family("fx", "THB/USD", 10_000, "0.0001 THB/USD", 5.0, 200.0, "baht for one US dollar"),
    Family("reserve", "THB", 1_000_000, "micro-THB", 0.0, 9e12, "baht held against WATT"),
)

FEED_VALUES = Schema(
    "feed values",
    (
        Column("feed", pl.String, "text", "name of the feed, such as load/NEC"),
        Column("observed", SLOT, "datetime", "start of the 15-minute slot that the value is about"),
        Column("value", pl.Int64, "integer", "counted units of the feed's family"),
        Column("unit", pl.String, "text", "what is counted, such as 0.1 W/m²"),
    ),
)


def feed_table() -> pl.DataFrame:
    """Return the families as a frame.

    Returns
    -------
    polars.DataFrame
        family, unit, scale, counted, low, high (in `unit`), meaning; one row per family.
    """
    rows = [(f.prefix, f.unit, f.scale, f.counted, f.low, f.high, f.meaning) for f in FAMILIES]
    names = ["family", "unit", "scale", "counted", "low", "high", "meaning"]
    return pl.DataFrame(rows, schema=names, orient="row")


def family_of(feed: str) -> Family:
    """Return the family that `feed` belongs to.

    Raises
    ------
    ArgumentTypeError
        `feed` is not text.
    ArgumentError
        Its name begins like no family's.
    """
    if not isinstance(feed, str):
        raise ArgumentTypeError(f"feed: expected a name such as 'load/NEC', got {feed!r}")
    prefix = feed.rpartition("/")[0]
    for family in FAMILIES:
        if family.prefix == prefix:
            return family
    raise ArgumentError(f"there is no family of feeds {prefix!r}; {nearest(prefix, [f.prefix for f in FAMILIES])}")


def counted(values: npt.NDArray[np.float64], family: Family) -> npt.NDArray[np.int64]:
    """Return `values` (in the family's unit, any shape) as counted units, rounded half to even."""
    whole: npt.NDArray[np.int64] = np.rint(np.asarray(values, dtype=np.float64) * family.scale).astype(np.int64)
    return whole


def feed_frame(feeds: list[str], slots: pl.Series, values: npt.NDArray[np.int64], family: Family) -> pl.DataFrame:
    """Return counted `values`, shape (slots, feeds), as a `FEED_VALUES` frame ordered by feed, then slot."""
    columns: dict[str, Any] = {
        "feed": pl.Series(feeds, dtype=pl.String).gather(np.repeat(np.arange(len(feeds)), slots.len())),
        "observed": slots.gather(np.tile(np.arange(slots.len()), len(feeds))),
        "value": np.ascontiguousarray(values.T).reshape(-1),
    }
    return pl.DataFrame(columns).with_columns(unit=pl.lit(family.counted))
