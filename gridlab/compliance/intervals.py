"""Lines of units, first in first out: which stretch of what came in went out with what.

Everything that an account receives is laid end to end on a line, and so is everything that it pays. First in first out
means that the two lines are one: the unit at place x of what was paid is the unit at place x of what was received. So
the question which payment used up which receipt is the question which intervals overlap.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from gridlab.errors import ChainError

__all__ = ["joined", "laid_out", "overlaps"]

_LONGEST = 2**62


def laid_out(frame: pl.DataFrame, line: str, *, size: str = "amount", prefix: str = "") -> pl.DataFrame:
    """Lay the rows of each line end to end.

    Parameters
    ----------
    frame : polars.DataFrame
        In the order in which the rows come on their lines.
    line : str
        Column that names the line.
    size : str
        Column of lengths, Int64, 0 or more.
    prefix : str
        Of the two new columns.

    Returns
    -------
    polars.DataFrame
        With ``{prefix}start`` and ``{prefix}end`` (Int64): half-open intervals.

    Raises
    ------
    ChainError
        A line would be longer than Int64 counts.
    """
    longest = max(frame.group_by(line).agg(pl.col(size).cast(pl.Float64).sum())[size].to_list(), default=0.0)
    if longest > _LONGEST:
        raise ChainError(
            f"{longest:.3g} units passed through one {line}, which is more than can be traced; allowed: {_LONGEST}; "
            "trace a shorter chain"
        )
    end = pl.col(size).cum_sum().over(line)
    return frame.with_columns((end - pl.col(size)).alias(f"{prefix}start"), end.alias(f"{prefix}end"))


def overlaps(front: pl.DataFrame, flows: pl.DataFrame, line: str) -> pl.DataFrame:
    """Cut intervals at the rows that use them up.

    Parameters
    ----------
    front : polars.DataFrame
        ``line``, ``start``, ``end``: intervals without overlap on their line.
    flows : polars.DataFrame
        ``line``, ``flow_start``, ``flow_end`` and any other columns: rows without overlap on their line, in its order.

    Returns
    -------
    polars.DataFrame
        One row for each pair that overlaps: the columns of `front` and `flows`, and ``low``, ``high`` (Int64), the
        common stretch.
    """
    placed = flows.sort(line, "flow_start").with_row_index("place")
    # Rows of one line lie side by side, so an interval meets all from the first that ends after its start to the last
    # that starts before its end.
    first = placed.select(line, "flow_end", first=pl.col("place")).sort("flow_end")
    last = placed.select(line, "flow_start", last=pl.col("place")).sort("flow_start")
    settings: dict[str, Any] = {"by": line, "allow_exact_matches": False, "check_sortedness": False}
    met = (
        front.sort("start")
        .join_asof(first, left_on="start", right_on="flow_end", strategy="forward", coalesce=True, **settings)
        .sort("end")
        .join_asof(last, left_on="end", right_on="flow_start", strategy="backward", coalesce=True, **settings)
        .filter(pl.col("first") <= pl.col("last"))
    )
    pairs = met.with_columns(place=pl.int_ranges("first", pl.col("last") + 1, dtype=pl.UInt32)).explode("place")
    cut = pairs.drop("first", "last", "flow_end", "flow_start", strict=False).join(
        placed.drop(line), on="place", how="inner"
    )
    return cut.with_columns(
        low=pl.max_horizontal("start", "flow_start"), high=pl.min_horizontal("end", "flow_end")
    ).filter(pl.col("low") < pl.col("high"))


def joined(front: pl.DataFrame, line: str) -> pl.DataFrame:
    """Make one interval of those that touch on their line; returns ``line``, ``start``, ``end``."""
    ordered = front.select(line, "start", "end").sort(line, "start")
    touches = (pl.col(line) == pl.col(line).shift()) & (pl.col("start") == pl.col("end").shift())
    run = (~touches.fill_null(value=False)).cum_sum()
    return (
        ordered.group_by(run.alias("run"), maintain_order=True)
        .agg(pl.col(line, "start").first(), pl.col("end").last())
        .drop("run")
    )
