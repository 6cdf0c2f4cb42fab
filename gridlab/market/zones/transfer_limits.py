"""How much may flow between zones: the frame of limits, checked, and the corridors it makes.

One row per direction; no row means no exchange. A limit is a net transfer capacity (NTC) in MW; over a slot it is whole
Wh, rounded down. `thai_zones` gives the default limits of the five regions of Thailand and three neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.datasets import dataset
from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.frames import SLOT, Column, Schema, show_rows

__all__ = ["LIMITS", "Corridors", "check_limits", "check_zones", "corridors", "spread_over_slots", "thai_zones"]

Int64s = npt.NDArray[np.int64]

PPM = 1_000_000
# Limits are floats; a product a thousandth of a Wh below a whole number is that number.
_FUZZ = 1e-3

LIMITS = Schema(
    "limits",
    (
        Column("from_zone", pl.String, "text", "zone that sends"),
        Column("to_zone", pl.String, "text", "zone that receives"),
        Column("limit_mw", pl.Float64, "float", "highest flow in this direction (MW), at least 0; infinite: no limit"),
        Column("loss", pl.Float64, "float", "share of the energy sent that is lost, 0 to below 1", required=False),
        Column("slot", SLOT, "datetime", "slot in which the row holds; every slot where absent", required=False),
    ),
)


@dataclass(frozen=True, slots=True)
class Corridors:
    """Directed corridors between zones, over all slots.

    Attributes
    ----------
    start, end : ndarray of int64, shape (corridors,)
        Numbers of the zones that send and receive.
    listed : ndarray of bool, shape (slots, corridors)
        Whether a row of limits stands behind the entry.
    capacity : ndarray of int64, shape (slots, corridors)
        Highest flow (Wh sent); 0 where there is no row.
    loss : ndarray of int64, shape (slots, corridors)
        Parts per million of the energy sent that are lost.
    limit_mw : ndarray of float64, shape (slots, corridors)
        Limits as given (MW).
    """

    start: Int64s
    end: Int64s
    listed: npt.NDArray[np.bool_]
    capacity: Int64s
    loss: Int64s
    limit_mw: npt.NDArray[np.float64]


def check_limits(limits: pl.DataFrame | pl.LazyFrame, zones: Sequence[str], by: Sequence[str]) -> pl.DataFrame:
    """Return the frame of limits in its stored dtypes, or say why it is rejected.

    Parameters
    ----------
    limits : polars.DataFrame or polars.LazyFrame
        Columns as in `LIMITS`, and any of the `by` columns.
    zones : sequence of str
        Known zones.
    by : sequence of str
        Columns that tell slots apart.

    Raises
    ------
    ArgumentTypeError
        `limits` is not a polars frame.
    MarketError
        A column is missing or of a wrong dtype; a value is null; a limit is below 0 or not a number; a loss is not
        from 0 to below 1; a zone is unknown or its own neighbour; a direction stands twice.
    """
    limit, loss = pl.col("limit_mw"), pl.col("loss")
    rules = {
        "limit_mw must be a number of at least 0 MW": limit.is_nan() | (limit < 0),
        "a zone needs no corridor to itself; drop the row": pl.col("from_zone") == pl.col("to_zone"),
    }
    columns = limits.collect_schema().names() if isinstance(limits, (pl.DataFrame, pl.LazyFrame)) else []
    if "loss" in columns:
        rules["loss must be a share from 0 to below 1 (0.03 is 3 %)"] = loss.is_nan() | (loss < 0) | (loss >= 1)
    frame = LIMITS.check(limits, rules=rules, error=MarketError)
    check_zones(frame, ("from_zone", "to_zone"), zones, "limits")
    key = [*(name for name in by if name in frame.columns), "from_zone", "to_zone"]
    twice = pl.struct(key).is_duplicated()
    if frame.select(twice.any()).item():
        raise MarketError(f"limits: a direction stands twice; keep one row of each {key}\n{show_rows(frame, twice)}")
    return frame


def check_zones(frame: pl.DataFrame, columns: Sequence[str], zones: Sequence[str], name: str) -> None:
    """Refuse zones that nobody knows.

    Raises
    ------
    MarketError
        A zone is not among `zones`; the first such rows are shown.
    """
    for column in columns:
        unknown = ~pl.col(column).is_in(list(zones))
        strangers = frame.filter(unknown)[column]
        if len(strangers):
            raise MarketError(
                f"{name}: {column} {strangers[0]!r} is an unknown zone; {nearest(strangers[0], zones)}; a zone without "
                f"orders is made known by zones=[…] or by an Enum as the orders' zone\n{show_rows(frame, unknown)}"
            )


def spread_over_slots(frame: pl.DataFrame, keys: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows that hold in each slot, with the slot's number as ``position``.

    Parameters
    ----------
    frame : polars.DataFrame
        With some or none of the columns of `keys`; a row holds in every slot that agrees with it.
    keys : polars.DataFrame
        One row per slot.
    name : str
        Name of the frame, for errors.

    Raises
    ------
    MarketError
        A column has a dtype that cannot be converted to that of the orders.
    """
    shared = [column for column in keys.columns if column in frame.columns]
    # Without `by` columns there is one slot, and `keys` has no row to show for it.
    numbered = keys.with_row_index("position") if keys.width else pl.DataFrame({"position": [0]})
    numbered = numbered.select("position", *shared)
    if not shared:
        return frame.join(numbered.select("position"), how="cross")
    try:
        # Values that the orders do not have become null and join with nothing.
        alike = frame.with_columns(pl.col(column).cast(keys.schema[column], strict=False) for column in shared)
        return alike.join(numbered, on=shared)
    except pl.exceptions.PolarsError as problem:
        raise MarketError(
            f"{name}: columns {shared} do not fit those of the orders ({problem}); give them the same dtypes"
        ) from problem


def corridors(
    limits: pl.DataFrame, zones: Sequence[str], keys: pl.DataFrame, wh_per_mw: float, most: Int64s
) -> Corridors:
    """Return the corridors of a checked frame of limits.

    Parameters
    ----------
    limits : polars.DataFrame
        As `check_limits` returns it.
    zones : sequence of str
        Zone i is called ``zones[i]``.
    keys : polars.DataFrame
        One row per slot.
    wh_per_mw : float
        Energy of 1 MW over a slot (Wh).
    most : ndarray of int64, shape (slots,)
        No flow of a slot can be larger (Wh); takes the place of limits above it.
    """
    pairs = limits.select("from_zone", "to_zone").unique().sort("from_zone", "to_zone")
    rows = spread_over_slots(limits, keys, "limits").join(pairs.with_row_index("corridor"), on=("from_zone", "to_zone"))
    number = {zone: i for i, zone in enumerate(zones)}
    slots = len(most)
    at = (rows["position"].to_numpy(), rows["corridor"].to_numpy())
    listed = np.zeros((slots, pairs.height), dtype=np.bool_)
    capacity, loss = (np.zeros((slots, pairs.height), dtype=np.int64) for _ in range(2))
    limit_mw = np.zeros((slots, pairs.height))
    listed[at], limit_mw[at] = True, rows["limit_mw"].to_numpy()
    energy = np.floor(rows["limit_mw"].to_numpy() * wh_per_mw + _FUZZ)
    capacity[at] = np.minimum(energy, most[at[0]].astype(np.float64)).astype(np.int64)
    if "loss" in rows.columns:
        loss[at] = np.rint(rows["loss"].to_numpy() * PPM).astype(np.int64)
    start, end = (np.array([number[zone] for zone in pairs[name]], dtype=np.int64) for name in pairs.columns)
    return Corridors(start, end, listed, capacity, loss, limit_mw)


def thai_zones(scenario: str = "default", *, cross_border: bool = True) -> pl.DataFrame:
    """Return default transfer limits of Thailand's five regions and its neighbours, one row per direction.

    The regions are EGAT's: MAC (Metropolitan), CAC (Central), NEC (Northeast), SAC (South), NAC (North). Most of these
    limits are not published and are synthetic teaching values; the column ``note`` says which follow a report, and
    ``confidence`` marks them (see the datasets ``corridors_synthetic`` and ``cross_border_synthetic``).

    Parameters
    ----------
    scenario : str
        ``default``, or ``before_2022``: the southern corridor before its 500 kV line.
    cross_border : bool
        Whether Lao PDR, Malaysia and Singapore are zones too.

    Returns
    -------
    polars.DataFrame
        from_zone, to_zone (String), limit_mw (Float64, MW), loss (Float64, share of the energy sent), confidence, note.

    Raises
    ------
    ArgumentTypeError
        An argument is of a wrong type.
    MarketError
        There is no such scenario.

    Examples
    --------
    >>> import gridlab as gl
    >>> import polars as pl
    >>> limits = gl.market.thai_zones()
    >>> limits.filter(pl.col("from_zone") == "SAC").select("to_zone", "limit_mw", "loss").rows()
    [('CAC', 1600.0, 0.0), ('Malaysia', 380.0, 0.02)]
    """
    if not isinstance(scenario, str):
        raise ArgumentTypeError(f"scenario: expected text such as 'default', got {scenario!r}")
    if not isinstance(cross_border, bool):
        raise ArgumentTypeError(f"cross_border: expected True or False, got {cross_border!r}")
    inland = dataset("corridors_synthetic")
    known = inland["scenario"].unique().sort().to_list()
    if scenario not in known:
        raise MarketError(f"scenario {scenario!r} of the transfer limits is unknown; {nearest(scenario, known)}")
    columns: list[Any] = ["from_zone", "to_zone", pl.col("limit_mw", "loss").cast(pl.Float64), "confidence", "note"]
    names = {"from_region": "from_zone", "to_region": "to_zone"}
    limits = inland.filter(pl.col("scenario") == scenario).rename(names).with_columns(loss=pl.lit(0.0)).select(columns)
    if cross_border:
        limits = pl.concat([limits, dataset("cross_border_synthetic").select(columns)])
    return limits
