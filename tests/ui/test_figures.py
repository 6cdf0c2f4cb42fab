"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

import gridlab as gl
from gridlab.ui import figures


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "shown"),
    [
        (1234567.891, 2, False, "1,234,567.89"),
        (-1234.5, 1, False, "−1,234.5"),
        (12.0, 0, True, "+12"),
        (-0.004, 2, True, "0.00"),
        (0, 3, True, "0.000"),
    ],
)
def test_numbers_have_separators_a_real_minus_and_no_sign_on_nothing(value, decimals, signed, shown):
    assert figures.number(value, decimals, signed=signed) == shown


@pytest.mark.parametrize(
    ("wh", "shown"), [(1500, "1.5 kWh"), (99_999_900, "99,999.9 kWh"), (123_456_000_000, "123,456.0 MWh")]
)
def test_energy_is_in_kwh_and_in_mwh_from_100_mwh_upward(wh, shown):
    assert figures.energy(wh) == shown


def test_money_and_prices_carry_their_units_in_both_languages():
    assert (figures.money(1_234_567_890), figures.price(3238)) == ("1,234.57 THB", "3.238 THB/kWh")
    gl.config(language="th")
    assert (figures.money(-1_000_000), figures.price(-50)) == ("−1.00 บาท", "−0.050 บาท/หน่วย")


@pytest.mark.parametrize(
    ("ms", "shown"), [(42.83, "42.8 ms"), (999.9, "999.9 ms"), (3953.9, "3.95 s"), (1_804_000.0, "30.1 minutes")]
)
def test_virtual_times_are_told_in_the_unit_that_reads_best(ms, shown):
    assert figures.duration(ms) == shown


def test_days_and_clocks_are_thai_in_thai():
    slot = datetime(2026, 5, 6, 12, 45)
    assert (figures.day_of(slot), figures.clock(slot)) == ("6 May 2026", "12:45")
    gl.config(language="th")
    assert (figures.day_of(slot), figures.clock(slot)) == ("6 พฤษภาคม 2569", "12:45 น.")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.07, "THB/kWh", "1.07 THB/kWh"),
        (35.0, "%", "35 %"),
        (-0.5, "", "−0.5"),
        ("pro_rata", "", "pro rata"),
        (True, "", "on"),
    ],
)
def test_lever_values_are_shown_as_typed(value, unit, shown):
    assert figures.lever_text(value, unit) == shown


def test_a_price_of_nothing_is_a_dash(night_run, day_run):
    night = {name: text for name, _, text in figures.figure_rows(night_run.kpis())}
    day = {name: text for name, _, text in figures.figure_rows(day_run.kpis())}
    assert night["average_price"] == night["local_share"] == "–"
    assert day["average_price"] == f"{day_run.kpi('average_price'):.3f} THB/kWh"


def test_every_key_figure_makes_a_row(day_run):
    rows = list(figures.figure_rows(day_run.kpis()))
    assert [name for name, _, _ in rows] == day_run.kpis()["kpi"].to_list()
    savings = day_run.kpis().filter(pl.col("kpi") == "savings")["value"].item()
    assert {name: text for name, _, text in rows}["savings"] == f"+{savings:,.2f} THB"
