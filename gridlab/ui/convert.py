"""polars frames as plotting libraries take them safely: a dict of numpy columns.

HoloViews reads polars frames through a layer that fails for steps, stacked areas and heat maps; numpy columns it takes
everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError
from gridlab.frames import TIME_ZONE

__all__ = ["columns"]


def columns(frame: pl.DataFrame) -> Mapping[str, npt.NDArray]:
    """Return the columns of `frame` as numpy arrays.

    Parameters
    ----------
    frame : polars.DataFrame

    Returns
    -------
    dict of str to ndarray
        Times as datetime64[us] of the Bangkok clock, since Bokeh knows no time zones; text and categories as str
        objects; decimals and numbers with nulls as float64 (a null is not a number).

    Raises
    ------
    ArgumentTypeError
        `frame` is not a polars DataFrame.
    """
    if not isinstance(frame, pl.DataFrame):
        raise ArgumentTypeError(f"columns: expected a polars DataFrame, got {type(frame).__name__}")
    return {name: _array(frame[name]) for name in frame.columns}


def _array(series: pl.Series) -> npt.NDArray:
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        local = series.dt.convert_time_zone(TIME_ZONE) if dtype.time_zone else series
        return local.dt.replace_time_zone(None).dt.cast_time_unit("us").to_numpy()
    if isinstance(dtype, (pl.Enum, pl.Categorical, pl.String)):
        return np.array(series.cast(pl.String).to_list(), dtype=object)
    if isinstance(dtype, pl.Decimal) or (dtype.is_integer() and series.null_count()):
        return series.cast(pl.Float64).to_numpy()
    return series.to_numpy()
