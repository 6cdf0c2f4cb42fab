"""Slots, on-peak hours, holidays, Buddhist years; each vectorised rule against a slow obvious one."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    billing_month,
    buddhist_year,
    is_on_peak,
    is_working_day,
    slots,
    thai_date,
    tou_holidays,
)
from gridlab.errors import ArgumentError, ArgumentTypeError, CalendarError
from gridlab.frames import SLOT
from gridlab.public_holidays import _computed_holidays

BANGKOK = ZoneInfo("Asia/Bangkok")
MOMENTS = st.datetimes(
    datetime.fromisoformat(f"{FIRST_YEAR}-01-01"), datetime.fromisoformat(f"{LAST_YEAR}-12-31T23:59")
)
FACT_SHEET_OFF_PEAK_2026 = [
    *("01-01", "03-03", "04-06", "04-13", "04-14", "04-15", "05-01", "05-04", "05-31", "06-03", "07-28", "07-29"),
    *("07-30", "08-12", "10-13", "10-23", "12-05", "12-10", "12-31"),
]


def slow_on_peak(moment, off_peak):
    return moment.weekday() < 5 and 9 <= moment.hour < 22 and moment.date() not in off_peak


def off_peak_of(year):
    return set(tou_holidays(year).filter(pl.col("off_peak"))["date"])


# Slots


def test_day_of_slots():
    day = slots("2026-11-24", hours=24)
    assert day.name == "slot"
    assert day.dtype == SLOT
    assert day.len() == 96
    assert day[0] == datetime(2026, 11, 24, tzinfo=BANGKOK)
    assert day[-1] == datetime(2026, 11, 24, 23, 45, tzinfo=BANGKOK)


@pytest.mark.parametrize(
    "start",
    [
        date(2026, 11, 24),
        datetime.fromisoformat("2026-11-24"),
        datetime(2026, 11, 24, tzinfo=BANGKOK),
        datetime(2026, 11, 23, 17, tzinfo=UTC),
        "2026-11-24",
        "2026-11-24T00:00",
        "2026-11-23T17:00Z",
    ],
)
def test_start_in_every_form(start):
    assert slots(start, slots=3).equals(slots("2026-11-24", hours=0.75))


@given(MOMENTS, st.integers(1, 300))
@settings(max_examples=50)
def test_slots_are_those_counted_one_by_one(moment, count):
    start = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    expected = [start.replace(tzinfo=BANGKOK) + timedelta(minutes=15 * n) for n in range(count)]
    if expected[-1].year > LAST_YEAR:
        with pytest.raises(CalendarError):
            slots(start, slots=count)
    else:
        assert slots(start, slots=count).to_list() == expected


@pytest.mark.parametrize("start", ["2026-01-01T00:05", "2026-01-01T00:00:01", "2026-01-01T00:00:00.000001"])
def test_start_between_slots_is_refused_with_the_slot_before(start):
    with pytest.raises(CalendarError, match="for instance 2026-01-01T00:00:00"):
        slots(start, slots=1)


@pytest.mark.parametrize("start", ["yesterday", "24/11/2026", "2026-02-30", "2569-11-24", "2014-12-31", "2101-01-01"])
def test_start_outside_the_calendar_is_refused(start):
    with pytest.raises(CalendarError):
        slots(start, slots=1)


@pytest.mark.parametrize("start", [None, 2026, 3.5, True, ["2026-01-01"], pl.Series(["2026-01-01"])])
def test_start_of_a_wrong_type_is_refused(start):
    with pytest.raises(ArgumentTypeError):
        slots(start, slots=1)


@pytest.mark.parametrize(
    "length",
    [
        {}, {"hours": 1, "slots": 4}, {"hours": 0}, {"hours": -1}, {"hours": 0.1}, {"hours": float("nan")},
        {"hours": float("inf")}, {"slots": 0}, {"slots": -1}, {"slots": 10**30},
    ],
)  # fmt: skip
def test_length_that_is_no_whole_number_of_slots_is_refused(length):
    with pytest.raises(ArgumentError):
        slots("2026-01-01", **length)


@pytest.mark.parametrize("length", [{"hours": "1"}, {"slots": 1.0}, {"slots": True}, {"hours": [1]}])
def test_length_of_a_wrong_type_is_refused(length):
    with pytest.raises(ArgumentTypeError):
        slots("2026-01-01", **length)


def test_numbers_of_numpy_are_numbers():
    assert slots("2026-01-01", hours=np.float64(0.5)).equals(slots("2026-01-01", slots=np.int64(2)))
    assert tou_holidays(np.int64(2026)).equals(tou_holidays(2026))
    assert buddhist_year(np.int32(2026)) == 2569


def test_slots_beyond_the_calendar_are_refused_before_any_is_made():
    with pytest.raises(CalendarError, match="outside the calendar"):
        slots("2026-01-01", slots=999_999_999)
    assert slots("2100-12-31", hours=24)[-1].year == LAST_YEAR


# Holidays


def test_off_peak_days_of_2026_fact_sheet_section_7_6():
    found = sorted(day.strftime("%m-%d") for day in off_peak_of(2026))
    assert found == FACT_SHEET_OFF_PEAK_2026


def test_khao_phansa_2026_is_off_peak_and_substitution_ploughing_and_special_days_are_not_mea_page_258():
    holidays = {row["date"]: row for row in tou_holidays(2026).to_dicts()}
    assert holidays[date(2026, 7, 30)]["name_th"] == "วันเข้าพรรษา"
    assert holidays[date(2026, 7, 30)]["off_peak"]
    reasons = {day: holidays[day]["reason"] for day in holidays if not holidays[day]["off_peak"]}
    assert reasons == {
        date(2026, 1, 2): "special day by cabinet resolution",
        date(2026, 5, 13): "Royal Ploughing Day",
        date(2026, 6, 1): "substitution day",
        date(2026, 12, 7): "substitution day",
    }


def test_bank_holidays_of_2025_fact_sheet_section_7_6():
    holidays = {row["date"].strftime("%m-%d"): row["reason"] for row in tou_holidays(2025).to_dicts()}
    for day in ("01-01", "02-12", "04-14", "04-15", "05-01", "06-03", "07-10", "07-28"):
        assert holidays[day] == "public holiday"
    for day in ("04-07", "05-05", "05-12"):
        assert holidays[day] == "substitution day"
    for day in ("06-02", "08-11"):
        assert holidays[day] == "special day by cabinet resolution"


@pytest.mark.parametrize("year", [2025, 2026])
def test_computed_holidays_agree_with_the_dataset(year):
    columns = ("date", "off_peak", "reason")
    assert _computed_holidays(year).select(columns).unique().sort("date").equals(tou_holidays(year).select(columns))


@pytest.mark.parametrize("year", [2015, 2016, 2019, 2020, 2024, 2027, 2050, 2100])
def test_computed_years_have_the_days_that_never_move(year):
    table = tou_holidays(year)
    assert table.schema == tou_holidays(2026).schema
    assert table["date"].is_sorted()
    assert (table["date"].dt.year() == year).all()
    fixed = {date(year, *day) for day in ((1, 1), (4, 6), (5, 1), (8, 12), (10, 23), (12, 5), (12, 10), (12, 31))}
    assert fixed <= off_peak_of(year)
    assert 16 <= len(off_peak_of(year)) <= 19
    substitutes = table.filter(reason="substitution day")
    assert not substitutes["off_peak"].any()


def test_days_of_mourning_cremation_and_coronation_celebrations_are_special_days():
    for day in (date(2016, 10, 14), date(2017, 10, 26), date(2019, 5, 6)):
        row = tou_holidays(day.year).filter(date=day)
        assert row["reason"].to_list() == ["special day by cabinet resolution"], day
        assert day not in off_peak_of(day.year)


@pytest.mark.parametrize("year", [2014, 2101, 0, -5])
def test_year_out_of_reach_is_refused(year):
    with pytest.raises(CalendarError, match="2015 to 2100"):
        tou_holidays(year)


def test_buddhist_year_is_explained_where_a_christian_one_is_needed():
    with pytest.raises(CalendarError, match="2569 BE is 2026 CE"):
        tou_holidays(2569)


@pytest.mark.parametrize("year", ["2026", 2026.0, None, True])
def test_year_of_a_wrong_type_is_refused(year):
    with pytest.raises(ArgumentTypeError):
        tou_holidays(year)


def test_holidays_cannot_be_spoiled_by_a_caller():
    tou_holidays(2026)[0, "off_peak"] = False
    assert tou_holidays(2026)["off_peak"][0]


def test_importing_the_calendar_and_asking_for_2026_loads_no_holidays_package():
    code = (
        "import sys; from gridlab.calendar import *; is_on_peak(slots('2026-04-13', hours=24)); "
        "print('holidays' in sys.modules); tou_holidays(2030); print('holidays' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


# On-peak


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-24T08:45", False),
        ("2026-11-24T09:00", True),
        ("2026-11-24T21:45", True),
        ("2026-11-24T22:00", False),
        ("2026-11-28T12:00", False),  # Saturday
        ("2026-04-13T12:00", False),  # Songkran, a Monday
        ("2026-06-01T12:00", True),  # substitution day
        ("2026-05-13T12:00", True),  # Royal Ploughing Day
        ("2026-05-01T12:00", False),  # Labour Day
    ],
)
def test_on_peak_hours_mea_page_258(moment, expected):
    assert is_on_peak(slots(moment, slots=1)).item() is expected


@given(st.lists(MOMENTS, min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_on_peak_equals_the_slow_rule(moments):
    off_peak = set().union(*(off_peak_of(moment.year) for moment in moments))
    series = pl.Series("slot", moments, dtype=pl.Datetime("us")).dt.replace_time_zone("Asia/Bangkok")
    expected = [slow_on_peak(moment, off_peak) for moment in moments]
    assert is_on_peak(series).to_list() == expected
    assert series.to_frame().select(is_on_peak(pl.col("slot")))["slot"].to_list() == expected


def test_on_peak_of_a_year_equals_the_slow_rule():
    year = slots("2026-01-01", hours=24 * 365)
    off_peak = {date(2026, int(day[:2]), int(day[3:])) for day in FACT_SHEET_OFF_PEAK_2026}
    assert is_on_peak(year).to_list() == [slow_on_peak(moment, off_peak) for moment in year]


def test_series_of_any_zone_and_unit_is_read_in_bangkok_time():
    bangkok = slots("2026-11-24", hours=24)
    expected = is_on_peak(bangkok)
    for other in (
        bangkok.dt.convert_time_zone("UTC"),
        bangkok.dt.convert_time_zone("America/New_York"),
        bangkok.dt.replace_time_zone(None),
        bangkok.dt.cast_time_unit("ms"),
    ):
        assert is_on_peak(other).equals(expected)
        assert billing_month(other).equals(billing_month(bangkok))


def test_nulls_and_empty_series_stay_so():
    holes = pl.Series("slot", [None, datetime(2026, 11, 24, 12, tzinfo=BANGKOK)], dtype=SLOT)
    assert is_on_peak(holes).to_list() == [None, True]
    assert is_on_peak(holes.clear()).to_list() == []
    assert is_on_peak(holes.clear()).dtype == pl.Boolean


def test_slots_outside_the_calendar_are_an_error_in_a_series_and_null_in_an_expression():
    outside = pl.Series("slot", [datetime(2014, 12, 31, 12, tzinfo=BANGKOK)], dtype=SLOT)
    with pytest.raises(CalendarError):
        is_on_peak(outside)
    assert outside.to_frame().select(is_on_peak(pl.col("slot"))).to_series().to_list() == [None]


@pytest.mark.parametrize("slot", ["slot", None, pl.Series([1, 2]), pl.Series(["2026-01-01"]), date(2026, 1, 1)])
def test_on_peak_of_anything_else_is_refused(slot):
    with pytest.raises(ArgumentTypeError):
        is_on_peak(slot)


def test_working_days_leave_out_substitution_days_but_not_ploughing_day():
    days = pl.Series("day", [date(2026, 6, 1), date(2026, 5, 13), date(2026, 11, 24), date(2026, 11, 28)])
    assert is_working_day(days).to_list() == [False, True, True, False]
    assert days.to_frame().select(is_working_day(pl.col("day")))["day"].to_list() == [False, True, True, False]
    assert is_working_day(slots("2026-06-01", hours=24)).any() is False
    with pytest.raises(ArgumentTypeError):
        is_working_day("2026-06-01")


# Months, years, dates


def test_billing_month_in_every_form():
    series = slots("2026-11-30T23:45", slots=2)
    assert billing_month(series).to_list() == ["2026-11", "2026-12"]
    assert series.to_frame().select(billing_month(pl.col("slot")))["slot"].to_list() == ["2026-11", "2026-12"]
    assert billing_month("2026-05-31") == "2026-05"
    assert billing_month(datetime(2026, 5, 31, 17, tzinfo=UTC)) == "2026-06"


def test_buddhist_year_is_christian_year_plus_543():
    assert buddhist_year(2026) == buddhist_year("2026-01-01") == buddhist_year(date(2026, 1, 1)) == 2569
    assert buddhist_year(slots("2026-12-31T23:45", slots=2)).to_list() == [2569, 2570]
    assert pl.select(buddhist_year(pl.lit(date(2026, 1, 1)))).item() == 2569
    assert buddhist_year(pl.Series([date(2026, 1, 1)])).item() == 2569


@pytest.mark.parametrize("wrong", [None, True, 3.5, [2026]])
def test_buddhist_year_of_a_wrong_type_is_refused(wrong):
    with pytest.raises(ArgumentTypeError):
        buddhist_year(wrong)


def test_buddhist_year_of_no_year_is_refused():
    with pytest.raises(CalendarError):
        buddhist_year(0)


def test_thai_date_in_both_languages():
    assert thai_date("2026-11-24") == "24 พฤศจิกายน 2569"
    assert thai_date(date(2026, 1, 1), language="en") == "1 January 2026"
    months = [thai_date(date(2026, month, 1)).split()[1] for month in range(1, 13)]
    assert len(set(months)) == 12
    assert all(name.endswith(("คม", "ยน", "พันธ์")) for name in months)
    with pytest.raises(ArgumentError, match="'th', 'en'"):
        thai_date("2026-11-24", "de")
    with pytest.raises(ArgumentTypeError):
        thai_date(20261124)
