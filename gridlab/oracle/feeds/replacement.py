"""A user's own series in place of a feed: read by polars, checked whole, taken or refused whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, DatasetError, FrameError
from gridlab.frames import TIME_ZONE, show_rows
from gridlab.oracle.feeds.table import Family
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window

__all__ = ["Replacement", "read_replacement"]

Floats = npt.NDArray[np.float64]

_SLOT_US = 900 * 1_000_000
_OFFSET = r"(Z|[+-]\d\d:?\d\d)$"
_EPOCH = date(1970, 1, 1)
_COLUMNS = "columns 'slot' (start of the quarter of an hour) and 'value'"


@dataclass(frozen=True, eq=False)
class Replacement:
    """A checked series.

    Attributes
    ----------
    feed, source : str
        What it stands for and where it came from.
    first : int
        Number of its first slot, counted from 1970 in Bangkok time.
    values : ndarray
        In the unit of the feed's family, one per slot without gaps.
    """

    feed: str
    source: str
    first: int
    values: Floats

    def over(self, window: Window, values: Floats) -> Floats:
        """Return `values` of the window's whole days, shape (days * 96,), with this series where it is known."""
        start = (window.first_day - _EPOCH).days * SLOTS_PER_DAY
        low, high = max(start, self.first), min(start + values.size, self.first + self.values.size)
        mixed = values.copy()
        if low < high:
            mixed[low - start : high - start] = self.values[low - self.first : high - self.first]
        return mixed

    def require(self, window: Window) -> None:
        """Raise `FrameError` unless the series covers every slot asked for."""
        start = (window.first_day - _EPOCH).days * SLOTS_PER_DAY + window.offset
        if start < self.first or start + window.length > self.first + self.values.size:
            first, last = (_moment(number) for number in (self.first, self.first + self.values.size - 1))
            raise FrameError(
                f"{self.feed}: {self.source} covers {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, asked for "
                f"{window.length} slots from {_moment(start):%Y-%m-%d %H:%M}; choose slots within, or call "
                f"restore({self.feed!r}) for the synthetic feed"
            )


def _moment(slot: int) -> datetime:
    return datetime.combine(_EPOCH, time()) + slot * timedelta(minutes=15)


def read_replacement(feed: str, source: object, family: Family) -> Replacement:
    """Return the series in `source`, checked.

    Parameters
    ----------
    feed : str
    source : str, Path, polars.DataFrame or polars.LazyFrame
        A ``.csv`` or ``.parquet`` file or a frame, with the columns ``slot`` and ``value``, the value in `family`'s
        unit. Times without a zone are read as Bangkok time. Other columns are ignored; rows may come in any order.
    family : Family

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `source` is nothing of this, or a file of another kind.
    DatasetError
        The file does not exist or cannot be read.
    FrameError
        A column is missing, or a row breaks a rule; the rows are shown.
    """
    name, lazy = _opened(source)
    try:
        names = lazy.collect_schema().names()
        missing = [column for column in ("slot", "value") if column not in names]
        if missing:
            raise FrameError(f"{feed}: {name} has no column {missing[0]!r}, it has {names}; needed: {_COLUMNS}")
        raw = lazy.select("slot", "value").collect()
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise DatasetError(f"{feed}: {name} cannot be read: {problem}; needed: {_COLUMNS}") from problem
    frame = raw.with_columns(slot=_times(raw, feed, name), value=_numbers(raw, feed, name))
    _refuse(frame, feed, name, family)
    ordered = frame.sort("slot")
    _refuse_gaps(ordered, feed, name)
    wall = ordered["slot"].dt.replace_time_zone(None).dt.epoch("us")
    return Replacement(feed, name, wall[0] // _SLOT_US, ordered["value"].to_numpy().copy())


def _opened(source: object) -> tuple[str, pl.LazyFrame]:
    if isinstance(source, (pl.DataFrame, pl.LazyFrame)):
        return "the frame", source.lazy()
    if not isinstance(source, (str, Path)):
        raise ArgumentTypeError(f"source: expected a path or a polars frame, got {source!r}")
    path = Path(source)
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise ArgumentError(f"source: {path.name!r} is not allowed; allowed: a .csv or a .parquet file, or a frame")
    if not path.is_file():
        raise DatasetError(f"source: there is no file {str(source)!r}; check the path from {Path.cwd().name!r}")
    if path.suffix.lower() == ".csv":
        return path.name, pl.scan_csv(path, infer_schema=False)
    return path.name, pl.scan_parquet(path)


def _times(raw: pl.DataFrame, feed: str, name: str) -> pl.Series:
    slot = raw["slot"]
    if slot.dtype == pl.String:
        text = pl.col("slot").str.strip_chars().str.replace(" ", "T")
        # Text without an offset is wall time in Bangkok; with one, it is what it says.
        aware = text.str.contains(_OFFSET)
        wall = text.str.to_datetime(time_unit="us", strict=False).dt.replace_time_zone(TIME_ZONE)
        # The parser of offsets wants seconds, which people leave out.
        seconds = text.str.replace("Z$", "+00:00").str.replace(r"T(\d{2}:\d{2})([+-])", "T${1}:00${2}")
        told = seconds.str.to_datetime("%+", time_unit="us", strict=False, time_zone="UTC")
        parsed = raw.select(pl.when(aware).then(told.dt.convert_time_zone(TIME_ZONE)).otherwise(wall)).to_series()
    elif isinstance(slot.dtype, pl.Datetime):
        local = slot.dt.cast_time_unit("us")
        known = slot.dtype.time_zone is not None
        parsed = local.dt.convert_time_zone(TIME_ZONE) if known else local.dt.replace_time_zone(TIME_ZONE)
    else:
        raise FrameError(f"{feed}: column 'slot' of {name} has dtype {slot.dtype}; allowed: Datetime, or text ISO 8601")
    _stop(raw, parsed.is_null(), f"{feed}: {name}: 'slot' is not a time such as 2026-04-01T00:15")
    return parsed


def _numbers(raw: pl.DataFrame, feed: str, name: str) -> pl.Series:
    value = raw["value"]
    if not (value.dtype == pl.String or value.dtype.is_numeric()):
        raise FrameError(f"{feed}: column 'value' of {name} has dtype {value.dtype}; allowed: numbers")
    numbers = (value.str.strip_chars() if value.dtype == pl.String else value).cast(pl.Float64, strict=False)
    _stop(raw, ~numbers.is_finite().fill_null(value=False), f"{feed}: {name}: 'value' is not a finite number")
    return numbers


def _refuse(frame: pl.DataFrame, feed: str, name: str, family: Family) -> None:
    if frame.is_empty():
        raise FrameError(f"{feed}: {name} has no rows; needed: one for every quarter of an hour")
    off = frame["slot"].dt.epoch("us") % _SLOT_US != 0
    _stop(frame, off, f"{feed}: {name}: 'slot' is not on the 15-minute grid (minute 0, 15, 30 or 45)")
    _stop(frame, frame["slot"].is_duplicated(), f"{feed}: {name}: a slot stands twice")
    absurd = ~frame["value"].is_between(family.low, family.high)
    allowed = f"{family.low:g} to {family.high:g} {family.unit}"
    _stop(frame, absurd, f"{feed}: {name}: 'value' is absurd; allowed: {allowed}; check the unit")


def _refuse_gaps(ordered: pl.DataFrame, feed: str, name: str) -> None:
    steps = ordered["slot"].dt.epoch("us").diff()
    gap = (steps != _SLOT_US).fill_null(value=False)
    _stop(ordered, gap, f"{feed}: {name}: slots are missing before these rows (sorted by time); fill the gaps")


def _stop(frame: pl.DataFrame, broken: pl.Series, sentence: str) -> None:
    if broken.any():
        rows = frame.with_columns(broken.alias("refused"))
        raise FrameError(f"{sentence}\n{show_rows(rows, pl.col('refused'))}")
