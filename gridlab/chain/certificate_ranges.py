"""Ranges of serial numbers: finding those that overlap, cutting out what is asked for, joining what is alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import CertificateError
from gridlab.frames import show_rows

__all__ = ["MOST_CERTIFICATES", "joined", "overlapping", "selected"]

Array = npt.NDArray[Any]

# A million times this many Wh still fits into Int64.
MOST_CERTIFICATES = 10**12


def _bounds(frame: pl.DataFrame) -> tuple[Array, Array]:
    first = frame["certificate_id"].to_numpy().astype(np.int64)
    return first, first + frame["quantity"].to_numpy()


def overlapping(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Say for each row, in the order of serial numbers, whether it begins before an earlier one has ended."""
    first, end = _bounds(frame)
    reached = np.maximum.accumulate(end)
    return np.concatenate([np.zeros(min(1, len(first)), np.bool_), first[1:] < reached[:-1]])


def selected(frame: pl.DataFrame, requests: pl.DataFrame, what: str) -> tuple[pl.DataFrame, Array]:
    """Cut a certificate frame so that every row lies inside one request or outside all.

    Parameters
    ----------
    frame : polars.DataFrame
        Ranges in the order of serial numbers, without overlap.
    requests : polars.DataFrame
        With certificate_id and quantity.
    what : str
        Name of the requests in error messages.

    Returns
    -------
    frame : polars.DataFrame
    request : array of int64
        For each row the row number of its request; -1 where nobody asks for it.

    Raises
    ------
    CertificateError
        Two requests overlap, or one names a serial number that was never issued.
    """
    order = np.argsort(requests["certificate_id"].to_numpy(), kind="stable")
    asked = requests[order]
    twice = overlapping(asked)
    if twice.any():
        raise CertificateError(f"{what}: a serial number stands there twice\n{_shown(asked, twice)}")
    start, end = _bounds(asked)
    frame = _cut(frame, np.unique(np.concatenate([start, end])))
    first, _ = _bounds(frame)
    place = np.searchsorted(start, first, side="right") - 1
    inside = (place >= 0) & (first < np.append(end, 0)[place])
    found = np.zeros(len(start), np.int64)
    np.add.at(found, place[inside], frame["quantity"].to_numpy()[inside])
    if (found != end - start).any():
        raise CertificateError(f"{what}: serial numbers that were never issued\n{_shown(asked, found != end - start)}")
    return frame, np.where(inside, np.append(order, -1)[place], -1)


def _shown(frame: pl.DataFrame, broken: Array) -> str:
    return show_rows(frame, pl.lit(pl.Series(broken)))


def _cut(frame: pl.DataFrame, bounds: Array) -> pl.DataFrame:
    """Cut every row at the `bounds` (ascending) that lie inside it."""
    first, end = _bounds(frame)
    low = np.searchsorted(bounds, first, side="right")
    pieces = 1 + np.maximum(np.searchsorted(bounds, end, side="left") - low, 0)
    row = np.repeat(np.arange(len(first)), pieces)
    within = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start = np.where(within == 0, first[row], bounds[np.maximum(low[row] + within - 1, 0)])
    stop = np.where(within == pieces[row] - 1, end[row], np.append(start[1:], 0))
    unit = (frame["energy"] // frame["quantity"]).to_numpy()[row]
    return frame[row].with_columns(
        certificate_id=pl.Series(start.astype(np.uint64)),
        quantity=pl.Series(stop - start),
        energy=pl.Series(unit * (stop - start)),
    )


def joined(frame: pl.DataFrame) -> pl.DataFrame:
    """Make one row of neighbours that follow each other and differ in nothing else."""
    alike = [name for name in frame.columns if name not in {"certificate_id", "quantity", "energy"}]
    unit = pl.col("energy") // pl.col("quantity")
    first = pl.col("certificate_id").cast(pl.Int64)
    follows = first == (first + pl.col("quantity")).shift()
    same = [pl.col(name) == pl.col(name).shift() for name in alike]
    run = (~pl.all_horizontal(follows, unit == unit.shift(), *same).fill_null(False)).cum_sum()
    summed = [pl.col(name).sum() if name in {"quantity", "energy"} else pl.col(name).first() for name in frame.columns]
    return frame.group_by(run.alias("run"), maintain_order=True).agg(summed).drop("run")
