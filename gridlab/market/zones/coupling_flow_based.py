"""Flow-based coupling: power transfer distribution factors and line limits, checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import MarketError, nearest
from gridlab.frames import SLOT, Column, Schema, show_rows
from gridlab.market.zones.coupling_solver import Lines
from gridlab.market.zones.transfer_limits import check_zones, spread_over_slots

__all__ = ["LINES", "PTDF", "check_lines", "check_ptdf", "line_table"]

Int64s = npt.NDArray[np.int64]

PTDF = Schema(
    "ptdf",
    (
        Column("line", pl.String, "text", "line, as in the frame of lines"),
        Column("zone", pl.String, "text", "zone whose export loads the line; no row means a factor of 0"),
        Column("factor", pl.Float64, "float", "MW on the line per MW that the zone exports, -1 to 1"),
    ),
)
LINES = Schema(
    "lines",
    (
        Column("line", pl.String, "text", "name, unique"),
        Column("from_zone", pl.String, "text", "zone where flow above 0 starts"),
        Column("to_zone", pl.String, "text", "zone where flow above 0 ends"),
        Column("limit_mw", pl.Float64, "float", "highest flow either way (MW), at least 0; infinite: no limit"),
        Column("slot", SLOT, "datetime", "slot in which the row holds; every slot where absent", required=False),
    ),
)


def check_lines(lines: pl.DataFrame | pl.LazyFrame, zones: Sequence[str], by: Sequence[str]) -> pl.DataFrame:
    """Return the frame of lines in its stored dtypes, or say why it is rejected.

    Raises
    ------
    ArgumentTypeError
        `lines` is not a polars frame.
    MarketError
        A column is missing or of a wrong dtype; a value is null; a limit is below 0 or not a number; a zone is unknown
        or both ends of a line; a line stands twice.
    """
    limit = pl.col("limit_mw")
    rules = {
        "limit_mw must be a number of at least 0 MW": limit.is_nan() | (limit < 0),
        "a line joins two zones; name another zone at one end": pl.col("from_zone") == pl.col("to_zone"),
    }
    frame = LINES.check(lines, rules=rules, error=MarketError)
    check_zones(frame, ("from_zone", "to_zone"), zones, "lines")
    key = [*(name for name in by if name in frame.columns), "line"]
    twice = pl.struct(key).is_duplicated()
    if frame.select(twice.any()).item():
        raise MarketError(f"lines: a line stands twice; keep one row of each {key}\n{show_rows(frame, twice)}")
    ends = frame.group_by("line").agg(pl.struct("from_zone", "to_zone").n_unique().alias("ends"))
    moved = ends.filter(pl.col("ends") > 1)["line"]
    if len(moved):
        raise MarketError(f"lines: line {moved.sort()[0]!r} has different ends in different slots; give each its name")
    return frame


def check_ptdf(ptdf: pl.DataFrame | pl.LazyFrame, lines: pl.DataFrame, zones: Sequence[str]) -> pl.DataFrame:
    """Return the frame of factors in its stored dtypes, or say why it is rejected.

    Raises
    ------
    ArgumentTypeError
        `ptdf` is not a polars frame.
    MarketError
        A column is missing or of a wrong dtype; a value is null; a factor is not from -1 to 1; a zone or a line is
        unknown; a pair of them stands twice; a line has no factor at all.
    """
    outside = {"factor must be a number from -1 to 1": ~pl.col("factor").is_between(-1, 1)}
    frame = PTDF.check(ptdf, rules=outside, error=MarketError)
    check_zones(frame, ("zone",), zones, "ptdf")
    known = lines["line"].unique().sort().to_list()
    unknown = ~pl.col("line").is_in(known)
    for stranger in frame.filter(unknown)["line"].head(1):
        raise MarketError(
            f"ptdf: line {stranger!r} is not in the frame of lines; {nearest(stranger, known)}\n"
            f"{show_rows(frame, unknown)}"
        )
    twice = pl.struct("line", "zone").is_duplicated()
    if frame.select(twice.any()).item():
        raise MarketError(f"ptdf: a pair of line and zone stands twice; keep one row\n{show_rows(frame, twice)}")
    bare = lines.join(frame, on="line", how="anti")
    if bare.height:
        raise MarketError(
            f"ptdf: line {bare['line'][0]!r} has no factor, so nothing would load it; add its rows or drop the line"
        )
    return frame


def line_table(
    lines: pl.DataFrame, ptdf: pl.DataFrame, zones: Sequence[str], keys: pl.DataFrame, wh_per_mw: float
) -> tuple[pl.DataFrame, Lines]:
    """Return the lines by name, one row each, and their factors and limits as arrays.

    Parameters
    ----------
    lines, ptdf : polars.DataFrame
        Checked.
    zones : sequence of str
    keys : polars.DataFrame
        One row per slot.
    wh_per_mw : float
        Energy of 1 MW over a slot (Wh).

    Returns
    -------
    polars.DataFrame
        line, from_zone, to_zone; row l is line l.
    Lines
        A line that has no row in a slot has no limit there.
    """
    names = lines.select("line", "from_zone", "to_zone").unique().sort("line")
    factor = np.zeros((names.height, len(zones)))
    entries = ptdf.join(names.with_row_index("number"), on="line")
    number = {zone: i for i, zone in enumerate(zones)}
    columns = np.array([number[zone] for zone in entries["zone"]], dtype=np.int64)
    factor[entries["number"].to_numpy(), columns] = entries["factor"].to_numpy()
    limit = np.full((keys.height if keys.width else 1, names.height), np.inf)
    rows = spread_over_slots(lines, keys, "lines").join(names.with_row_index("number"), on="line")
    limit[rows["position"].to_numpy(), rows["number"].to_numpy()] = rows["limit_mw"].to_numpy() * wh_per_mw
    return names, Lines(factor, limit)
