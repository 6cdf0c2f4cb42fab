"""Thai time: 15-minute delivery slots, the hours of the time-of-use tariff, billing months and Buddhist years.

On-peak is Monday to Friday from 09:00 to 22:00, except the days that `gridlab.public_holidays` lists as off-peak [1]_.

References
----------
.. [1] Metropolitan Electricity Authority, tariff page 109/258 (billing month November 2015 on).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from numbers import Integral, Real
from typing import overload

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, CalendarError, nearest
from gridlab.frames import SLOT, TIME_ZONE
from gridlab.public_holidays import (
    BUDDHIST_ERA,
    FIRST_YEAR,
    LAST_YEAR,
    check_year,
    days_off,
    off_peak_days,
    tou_holidays,
)

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "SLOT_MINUTES",
    "billing_month",
    "buddhist_year",
    "is_on_peak",
    "is_working_day",
    "slots",
    "thai_date",
    "tou_holidays",
]

SLOT_MINUTES = 15
_ON_PEAK_HOURS = (9, 22)
_FRIDAY = 5
_SLOT_MICROSECONDS = SLOT_MINUTES * 60 * 1_000_000
# Thailand has kept UTC+7 without summer time since 1920, so a fixed offset is exact here.
_BANGKOK = timezone(timedelta(hours=7), TIME_ZONE)
_EPOCH = datetime(1970, 1, 1, tzinfo=_BANGKOK)
_MONTHS = {
    "th": (
        "มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน", "กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม",
        "พฤศจิกายน", "ธันวาคม",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
}  # fmt: skip


def slots(start: date | datetime | str, *, hours: float | None = None, slots: int | None = None) -> pl.Series:
    """Return the starts of consecutive 15-minute delivery slots.

    Parameters
    ----------
    start : date, datetime or str
        First slot. A date is its midnight; text is ISO 8601; without a time zone Bangkok time is meant.
    hours : float, optional
        Length in hours, a multiple of 0.25. Either `hours` or `slots` is given.
    slots : int, optional
        Number of slots.

    Returns
    -------
    polars.Series
        Named ``slot``, Datetime[us, Asia/Bangkok], in ascending order.

    Raises
    ------
    ArgumentTypeError
        An argument has the wrong type.
    ArgumentError
        Neither or both of `hours` and `slots` are given, or the length is not a positive whole number of slots.
    CalendarError
        `start` is not a date, is not on a quarter of an hour, or a slot lies outside 2015 to 2100.

    Examples
    --------
    >>> slots("2026-11-24", hours=0.5).to_list()[1].isoformat()
    '2026-11-24T00:15:00+07:00'
    """
    first = _moment(start)
    if first.minute % SLOT_MINUTES or first.second or first.microsecond:
        raise CalendarError(
            f"start {start!r} is not the start of a slot; slots start at minute 0, 15, 30 and 45, "
            f"for instance {first.replace(minute=first.minute // 15 * 15, second=0, microsecond=0).isoformat()}"
        )
    count = _count(hours, slots)
    end = datetime(LAST_YEAR + 1, 1, 1, tzinfo=_BANGKOK)
    if first.year < FIRST_YEAR or count > (end - first) // timedelta(minutes=SLOT_MINUTES):
        raise CalendarError(
            f"{count} slots from {first.isoformat()} lie outside the calendar, which runs from {FIRST_YEAR} to "
            f"{LAST_YEAR}; choose a start and a length within"
        )
    # Wall time counted in slots; no summer time, so no slot is missing or doubled.
    begin = (first - _EPOCH) // timedelta(microseconds=1)
    steps: pl.Series = pl.int_range(count, dtype=pl.Int64, eager=True) * _SLOT_MICROSECONDS + begin
    return steps.cast(pl.Datetime("us")).dt.replace_time_zone(TIME_ZONE).alias("slot")


def _moment(value: date | datetime | str) -> datetime:
    """Return `value` in Bangkok time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as problem:
            raise CalendarError(
                f"{value!r} is not a date; write ISO 8601 in the Christian era, such as '2026-11-24' or "
                "'2026-11-24T09:15'"
            ) from problem
    if isinstance(value, datetime):
        return value.replace(tzinfo=_BANGKOK) if value.tzinfo is None else value.astimezone(_BANGKOK)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=_BANGKOK)
    raise ArgumentTypeError(
        f"expected a date, a datetime or text such as '2026-11-24', got {value!r} of type {type(value).__name__}"
    )


def _count(hours: float | None, slots: int | None) -> int:
    if (hours is None) == (slots is None):
        raise ArgumentError(f"give either hours or slots, got hours={hours!r} and slots={slots!r}")
    name, length, per_unit = ("hours", hours, 60 // SLOT_MINUTES) if slots is None else ("slots", slots, 1)
    kinds = Real if slots is None else Integral
    if isinstance(length, bool) or not isinstance(length, kinds):
        raise ArgumentTypeError(f"{name}: expected a number, got {length!r} of type {type(length).__name__}")
    count = length * per_unit
    # Written so that nan and infinity fail too.
    if not 0 < count < 1e9 or count != int(count):
        raise ArgumentError(f"{name}={length!r} is not allowed; it must make 1 or more whole slots of 15 minutes")
    return int(count)


@overload
def is_on_peak(slot: pl.Expr) -> pl.Expr: ...
@overload
def is_on_peak(slot: pl.Series) -> pl.Series: ...
def is_on_peak(slot: pl.Expr | pl.Series) -> pl.Expr | pl.Series:
    """Whether each slot is on-peak under the time-of-use tariff.

    Parameters
    ----------
    slot : polars.Expr or polars.Series
        Starts of slots. An expression must be over a column of Datetime[us, Asia/Bangkok] as in the order frame; a
        Series may be of any unit and zone, and is read as Bangkok time where it has no zone.

    Returns
    -------
    polars.Expr or polars.Series
        Boolean, under the same name; null where the slot is null. An expression gives null too for slots outside 2015
        to 2100, where the calendar does not know the holidays.

    Raises
    ------
    ArgumentTypeError
        `slot` is neither an expression nor a Series of Datetime.
    CalendarError
        A slot of a Series lies outside 2015 to 2100.
    """
    if isinstance(slot, pl.Series):
        local = _local(slot)
        days = off_peak_days(*_years(local))
        return local.to_frame("slot").select(_on_peak(pl.col("slot"), days).alias(slot.name)).to_series()
    _check_expression(slot)
    return pl.when(_known(slot)).then(_on_peak(slot, off_peak_days()))


def _on_peak(slot: pl.Expr, off_peak: pl.Series) -> pl.Expr:
    first, end = _ON_PEAK_HOURS
    weekday = slot.dt.weekday() <= _FRIDAY
    return weekday & slot.dt.hour().is_between(first, end - 1) & ~slot.dt.date().is_in(off_peak.implode())


@overload
def is_working_day(day: pl.Expr) -> pl.Expr: ...
@overload
def is_working_day(day: pl.Series) -> pl.Series: ...
def is_working_day(day: pl.Expr | pl.Series) -> pl.Expr | pl.Series:
    """Whether people work on each day: Monday to Friday, no holiday, substitution day or special day.

    Not the same as a day with on-peak hours: the tariff charges on-peak on substitution days, when people rest. Royal
    Ploughing Day counts as a working day, since only government offices keep it.

    Parameters
    ----------
    day : polars.Expr or polars.Series
        Days (Date), or slots as in `is_on_peak`.

    Returns
    -------
    polars.Expr or polars.Series
        Boolean, as in `is_on_peak`.

    Raises
    ------
    ArgumentTypeError
        `day` is neither an expression nor a Series of Date or Datetime.
    CalendarError
        A day of a Series lies outside 2015 to 2100.
    """
    if isinstance(day, pl.Series):
        local = (day if day.dtype == pl.Date else _local(day)).dt.date()
        free = days_off(*_years(local))
        return local.to_frame("day").select(_working(pl.col("day"), free).alias(day.name)).to_series()
    _check_expression(day)
    return pl.when(_known(day)).then(_working(day.dt.date(), days_off()))


def _working(day: pl.Expr, free: pl.Series) -> pl.Expr:
    return (day.dt.weekday() <= _FRIDAY) & ~day.is_in(free.implode())


def _known(slot: pl.Expr) -> pl.Expr:
    return slot.dt.year().is_between(FIRST_YEAR, LAST_YEAR)


def _years(series: pl.Series) -> list[int]:
    """Return the years of a Series, all of them checked; one checked year where the Series has none."""
    years = series.dt.year().unique().drop_nulls().sort().to_list()
    for year in (*years[:1], *years[-1:]):
        check_year(year)
    return years or [LAST_YEAR]


def _check_expression(slot: object) -> None:
    if not isinstance(slot, pl.Expr):
        raise ArgumentTypeError(
            f"expected a polars expression or Series of slots, got {slot!r} of type {type(slot).__name__}; "
            "slots(...) makes a Series"
        )


def _local(series: pl.Series) -> pl.Series:
    dtype = series.dtype
    if not isinstance(dtype, pl.Datetime):
        raise ArgumentTypeError(f"Series {series.name!r} has dtype {dtype}, allowed: Datetime; slots(...) makes one")
    if dtype == SLOT:
        return series
    if dtype.time_zone is None:
        return series.dt.replace_time_zone(TIME_ZONE)
    return series.dt.convert_time_zone(TIME_ZONE)


@overload
def billing_month(slot: pl.Expr) -> pl.Expr: ...
@overload
def billing_month(slot: pl.Series) -> pl.Series: ...
@overload
def billing_month(slot: date | datetime | str) -> str: ...
def billing_month(slot: pl.Expr | pl.Series | date | datetime | str) -> pl.Expr | pl.Series | str:
    """Return the billing month of a slot as ``YYYY-MM``: its calendar month in Bangkok time.

    Parameters
    ----------
    slot : polars.Expr, polars.Series, date, datetime or str
        As in `is_on_peak` for expressions and Series, as in `slots` for single values.

    Raises
    ------
    ArgumentTypeError
        `slot` is none of these.
    CalendarError
        Text that is not a date.
    """
    if isinstance(slot, pl.Series):
        return _local(slot).dt.strftime("%Y-%m")
    if isinstance(slot, pl.Expr):
        return slot.dt.strftime("%Y-%m")
    return _moment(slot).strftime("%Y-%m")


@overload
def buddhist_year(x: pl.Expr) -> pl.Expr: ...
@overload
def buddhist_year(x: pl.Series) -> pl.Series: ...
@overload
def buddhist_year(x: date | datetime | str | int) -> int: ...
def buddhist_year(x: pl.Expr | pl.Series | date | datetime | str | int) -> pl.Expr | pl.Series | int:
    """Return the year of the Buddhist era: the year of the Christian era + 543.

    Parameters
    ----------
    x : polars.Expr, polars.Series, date, datetime, str or int
        Dates or slots; an int is a year of the Christian era.

    Raises
    ------
    ArgumentTypeError
        `x` is none of these.
    CalendarError
        Text that is not a date, or a year below 1.
    """
    if isinstance(x, pl.Series):
        return (x if x.dtype == pl.Date else _local(x)).dt.year() + BUDDHIST_ERA
    if isinstance(x, pl.Expr):
        return x.dt.year() + BUDDHIST_ERA
    if isinstance(x, bool) or not isinstance(x, Integral):
        return _moment(x).year + BUDDHIST_ERA  # type: ignore[arg-type]  # a bool is refused there
    if x < 1:
        raise CalendarError(f"the year {x} is not allowed; give a year of the Christian era such as 2026")
    return int(x) + BUDDHIST_ERA


def thai_date(x: date | datetime | str, language: str = "th") -> str:
    """Return a date as people write it, with the year of the Buddhist era in Thai.

    Parameters
    ----------
    x : date, datetime or str
        As in `slots`.
    language : {"th", "en"}
        Thai with the Buddhist year, or English with the Christian year.

    Raises
    ------
    ArgumentTypeError
        `x` is not a date.
    ArgumentError
        Another language.
    CalendarError
        Text that is not a date.

    Examples
    --------
    >>> thai_date("2026-11-24"), thai_date("2026-11-24", "en")
    ('24 พฤศจิกายน 2569', '24 November 2026')
    """
    if language not in _MONTHS:
        raise ArgumentError(f"language {language!r} is not allowed; {nearest(language, _MONTHS)}")
    day = _moment(x)
    year = buddhist_year(day) if language == "th" else day.year
    return f"{day.day} {_MONTHS[language][day.month - 1]} {year}"
