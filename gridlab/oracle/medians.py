"""Medians of many rounds at once: value, count, spread, and how far each observation lies from its round's value.

Rounds of equally many observations are the rows of a matrix, which is sorted along its rows; so a million observations
of any number of feeds and rounds are a handful of numpy calls. Distances are counted in MADs, the median absolute
deviation of the round: half of the observations lie within one. A liar cannot stretch this measure as he can a standard
deviation.

References
----------
F. R. Hampel, "The influence curve and its role in robust estimation", J. Amer. Statist. Assoc. 69 (1974) 383-393.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.oracle.checking import ROUND
from gridlab.errors import OracleError
from gridlab.frames import Column, Schema

__all__ = ["SAID", "Medians", "distances_of", "medians"]

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
_Number = TypeVar("_Number", np.int64, np.uint64)

SAID = Schema(
    "observations",
    (
        Column("feed", pl.String, "text", "what is observed"),
        Column("epoch", pl.UInt64, "integer", "counts the oracle network's sets of providers"),
        Column("round", pl.UInt64, "integer", "counts the feed's rounds"),
        Column("value", pl.Int64, "integer", "in the feed's own unit, fixed point"),
    ),
)


class Medians(NamedTuple):
    """What `medians` returns.

    Attributes
    ----------
    rounds : polars.DataFrame
        feed, epoch, round, ``count`` (UInt32), ``value`` (Int64, the upper median), ``mad`` (UInt64, the upper median
        of the distances from it), in the order in which the rounds first appear.
    distance : polars.Series
        Float64, one for each observation in the order of the frame: its distance from the value of its round in MADs.
    """

    rounds: pl.DataFrame
    distance: pl.Series


def medians(observations: pl.DataFrame | pl.LazyFrame, *, floor: int = 1) -> Medians:
    """Return value, count and MAD of every round, and the distance of every observation in MADs.

    Parameters
    ----------
    observations : polars.DataFrame or polars.LazyFrame
        With the columns of `SAID`; others are not looked at, signatures neither.
    floor : int
        The least MAD that distances are counted in, in the feeds' units; 1 or more. Without it a round in which most
        observations are equal would make an outlier of every other one.

    Returns
    -------
    Medians

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type, or `floor` is below 1.
    OracleError
        A column is missing, of a wrong dtype, or holds nulls.
    """
    require_int("floor", floor, 1, 2**63 - 1)
    frame = SAID.check(observations, error=OracleError)
    grouped = (
        frame.select(*ROUND, row=pl.int_range(pl.len(), dtype=pl.Int64))
        .group_by(ROUND, maintain_order=True)
        .agg(pl.col("row"), count=pl.len())
    )
    counts = grouped["count"].to_numpy().astype(np.int64)
    rows = grouped["row"].explode().to_numpy() if frame.height else np.empty(0, np.int64)
    values = frame["value"].to_numpy()[rows]
    middle, mads = np.empty(len(counts), np.int64), np.empty(len(counts), np.uint64)
    distance = np.empty(len(values), np.float64)
    starts = np.cumsum(counts) - counts
    for count in np.unique(counts).tolist():
        chosen = np.flatnonzero(counts == count)
        places = starts[chosen, None] + np.arange(count)
        middle[chosen], mads[chosen], distance[places] = distances_of(values[places], floor)
    back = np.empty(len(values), np.float64)
    back[rows] = distance
    rounds = grouped.select(*ROUND, "count").with_columns(value=pl.Series(middle), mad=pl.Series(mads))
    return Medians(rounds, pl.Series("distance", back))


def distances_of(
    values: Int64s, floor: int | UInt64s, present: npt.NDArray[np.bool_] | None = None
) -> tuple[Int64s, UInt64s, Floats]:
    """Return the upper median of each row, its MAD, and the distance of each value in MADs.

    Parameters
    ----------
    values : ndarray of int64, shape (rounds, observations)
    floor : int or ndarray of uint64, shape (rounds,)
        The least MAD that distances are counted in.
    present : ndarray of bool, shape (rounds, observations), optional
        Which values count; all where it is left out. A row without any has no meaning.

    Returns
    -------
    tuple of ndarray
        int64 (rounds,); uint64 (rounds,); float64 (rounds, observations), also for values that do not count.
    """
    middle = _middle(values, present)
    away = _apart(values, middle[:, None])
    mads = _middle(away, present)
    scale = np.maximum(mads, np.asarray(floor, np.uint64))
    return middle, mads, away / scale[:, None]


def _middle(values: npt.NDArray[_Number], present: npt.NDArray[np.bool_] | None) -> npt.NDArray[_Number]:
    if present is None:
        return np.sort(values, axis=1)[:, values.shape[1] // 2]
    # What does not count is sorted to the end, and the middle is taken of what stands before it.
    filled = np.sort(np.where(present, values, np.iinfo(values.dtype).max), axis=1)
    half = np.minimum(present.sum(axis=1) // 2, values.shape[1] - 1)
    return np.take_along_axis(filled, half[:, None], axis=1)[:, 0]


def _apart(one: Int64s, other: Int64s) -> UInt64s:
    # Modulo 2**64 the difference of any two Int64 is right, where Int64 itself would overflow.
    first, second = one.view(np.uint64), np.ascontiguousarray(other).view(np.uint64)
    apart: UInt64s = np.where(one >= other, first - second, second - first)
    return apart
