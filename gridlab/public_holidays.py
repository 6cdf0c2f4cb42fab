"""Thai holidays, and which of them the time-of-use tariff counts as off-peak days.

Off-peak all day are the normal public holidays and National Labour Day; substitution days and Royal Ploughing Day are
not [1]_. Special holidays by cabinet resolution are treated as normal days, no notice of the utilities having been
found. `gridlab.calendar` is where to call this from.

References
----------
.. [1] Metropolitan Electricity Authority, tariff page 109/258 (billing month November 2015 on).
"""

from __future__ import annotations

from datetime import date
from functools import cache
from numbers import Integral

import polars as pl

from gridlab.datasets import dataset
from gridlab.errors import ArgumentTypeError, CalendarError

__all__ = ["FIRST_YEAR", "LAST_YEAR", "check_year", "days_off", "off_peak_days", "tou_holidays"]

# The hours and rates of the tariff date from November 2015; the lunar holidays are computed up to 2100.
FIRST_YEAR = 2015
LAST_YEAR = 2100
BUDDHIST_ERA = 543
_HOLIDAY, _SUBSTITUTION, _PLOUGHING, _SPECIAL = (
    "public holiday",
    "substitution day",
    "Royal Ploughing Day",
    "special day by cabinet resolution",
)
# What marks a normal public holiday in the names of the package `holidays`. One-off days (mourning, a cremation, bridge
# days) have none of these, so that a new kind of special day does not turn into an off-peak day unseen.
_NORMAL_HOLIDAYS = (
    "New Year's", "Makha Bucha", "Chakri Memorial", "Songkran", "Labor Day", "Coronation Day", "Visakha Bucha",
    "Queen Suthida's Birthday", "Maha Vajiralongkorn's Birthday", "Asarnha Bucha", "Buddhist Lent",
    "Queen Sirikit", "Mother's Day", "Memorial Day", "Bhumibol Adulyadej the Great's Birthday",
    "Bhumibol Adulyadej's Birthday", "National Day", "Father's Day", "Constitution Day",
)  # fmt: skip


def tou_holidays(year: int) -> pl.DataFrame:
    """Return the holidays of one year and whether each is off-peak all day.

    The years of the dataset ``tou_holidays`` come from there; others are computed with the package `holidays` by the
    same rule. Future years hold what is known today: days that the cabinet adds or moves are not foreseen.

    Parameters
    ----------
    year : int
        Christian era.

    Returns
    -------
    polars.DataFrame
        date (Date), name, name_th, off_peak (Boolean), reason, source, confidence; sorted by date.

    Raises
    ------
    ArgumentTypeError
        `year` is not a whole number.
    CalendarError
        `year` lies outside 2015 to 2100.
    """
    if isinstance(year, bool) or not isinstance(year, Integral):
        raise ArgumentTypeError(
            f"year: expected a whole number such as 2026, got {year!r} of type {type(year).__name__}"
        )
    year = int(year)
    check_year(year)
    known = _known_holidays(year)
    return known if known.height else _computed_holidays(year)


def off_peak_days(*years: int) -> pl.Series:
    """Return the days of `years` that are off-peak from 00:00 to 24:00, as a Series of Date; all years where none."""
    return pl.Series([day for year in years or _ALL_YEARS for day in _days(year)[0]], dtype=pl.Date)


def days_off(*years: int) -> pl.Series:
    """Return the days of `years` on which people do not work: all but Royal Ploughing Day, which only offices keep."""
    return pl.Series([day for year in years or _ALL_YEARS for day in _days(year)[1]], dtype=pl.Date)


def check_year(year: int) -> None:
    """Refuse a year for which the holidays are not known.

    Raises
    ------
    CalendarError
        `year` lies outside 2015 to 2100.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        christian = year - BUDDHIST_ERA
        hint = f"; {year} BE is {christian} CE" if FIRST_YEAR <= christian <= LAST_YEAR else ""
        raise CalendarError(
            f"the year {year} lies outside the calendar of holidays; allowed: {FIRST_YEAR} to {LAST_YEAR} of the "
            f"Christian era{hint}"
        )


_ALL_YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


def _known_holidays(year: int) -> pl.DataFrame:
    return dataset("tou_holidays").filter(pl.col("date").dt.year() == year).sort("date", "name")


def _reason(name: str) -> str:
    if "(in lieu)" in name:
        return _SUBSTITUTION
    if "Royal Ploughing" in name:
        return _PLOUGHING
    return _HOLIDAY if any(part in name for part in _NORMAL_HOLIDAYS) else _SPECIAL


def _named_days(year: int, language: str) -> list[tuple[date, str]]:
    """Return what the package `holidays` knows of one year; the names of one day keep their order in each language."""
    # Imported here: only needed for years that the dataset does not hold.
    from holidays import country_holidays

    found = country_holidays("TH", years=year, categories=("public", "government"), language=language)
    return [(day, name) for day in sorted(found) for name in found.get_list(day)]


def _computed_holidays(year: int) -> pl.DataFrame:
    english, thai = _named_days(year, "en_US"), _named_days(year, "th")
    rows = [
        (day, name, name_th, _reason(name))
        for (day, name), (_, name_th) in zip(english, thai, strict=True)
        if name != "National Children's Day"  # a festival on a Saturday, not a day off
    ]
    schema = {"date": pl.Date, "name": pl.String, "name_th": pl.String, "reason": pl.String}
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .select(
            "date",
            "name",
            "name_th",
            pl.col("reason").eq(_HOLIDAY).alias("off_peak"),
            "reason",
            source=pl.lit("HOLIDAYS; derived"),
            confidence=pl.lit("D"),
        )
        .sort("date", "name")
    )


@cache
def _days(year: int) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Return the off-peak days and the days off of one year."""
    known = _known_holidays(year)
    if known.height:
        named = list(zip(known["date"].to_list(), known["reason"].to_list(), strict=True))
    else:
        # Without the Thai names, which take half of the time that all years together need.
        named = [(day, _reason(name)) for day, name in _named_days(year, "en_US")]
    off_peak = {day for day, reason in named if reason == _HOLIDAY}
    return tuple(sorted(off_peak)), tuple(sorted({day for day, reason in named if reason != _PLOUGHING}))
