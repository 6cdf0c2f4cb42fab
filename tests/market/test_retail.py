"""Retail bills: worked examples by their source, a slow reference that prices kWh by kWh, and what is refused."""

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, GridlabError, TariffError
from gridlab.market.charges.retail import (
    RetailBill,
    bill,
    energy_rates,
    ft_rate,
    marginal_rate,
    marginal_rates,
    vat_rate,
)

D = Decimal
BANDS = dataset("tariffs").select("tariff", "voltage").unique(maintain_order=True)
FLAT = [row for row in BANDS.rows() if row[0] in {"1.1.1", "1.1.2", "2.1", "6.1", "7.1", "8 MEA", "8 PEA"}]
TIME_OF_USE = [row for row in BANDS.rows() if row[0] in {"1.2", "2.2", "3.2", "4.2", "5.2"}]
KWH = st.decimals(0, 2000, places=3)


def slow_rate(tariff, voltage, kwh, period="all"):
    """Return the rate of the kWh in which `kwh` ends, looking at the table row by row."""
    rows = dataset("tariffs").filter(component="energy", tariff=tariff, voltage=voltage).to_dicts()
    for row in rows:
        inside = row["from_kwh"] < kwh or row["from_kwh"] == kwh == 0
        if row["period"] in ("all", period) and inside and (row["to_kwh"] is None or kwh <= row["to_kwh"]):
            return row["rate"]
    raise AssertionError((tariff, voltage, kwh))


# Worked bills


@pytest.mark.parametrize(
    ("tariff", "kwh", "ft", "energy", "service", "ft_amount", "total"),
    [
        ("1.1.2", 300, "0.1623", "1120.53", "24.62", "48.69", "1277.41"),
        ("1.1.2", 500, "0.3972", "1984.88", "24.62", "198.60", "2362.67"),
        ("1.1.1", 120, "0.1623", "407.4015", "8.19", "19.476", "465.52"),
    ],
)
def test_worked_bills_fact_sheet_section_1_2(tariff, kwh, ft, energy, service, ft_amount, total):
    month = {"0.1623": "2026-05", "0.3972": "2024-05"}[ft]
    made = bill(tariff, month=month, energy_kwh=kwh)
    assert made == bill(tariff, month=month, energy_kwh=kwh, ft=D(ft))
    assert (made.energy, made.service, made.ft) == (D(energy), D(service), D(ft_amount))
    assert made.total == D(total)


def test_vat_of_the_first_worked_bill_fact_sheet_section_1_2():
    made = bill("1.1.2", month="2026-05", energy_kwh=300)
    assert (made.subtotal, made.vat) == (D("1193.84"), D("83.5688"))


def test_bills_before_and_after_the_service_charge_cut_of_2023_pea_news():
    before, after = (bill("1.1.2", month=month, energy_kwh=300, ft=0) for month in ("2022-12", "2023-01"))
    assert (before.service, after.service) == (D("38.22"), D("24.62"))
    assert before.energy == after.energy
    assert bill("2.1", month="2022-12", energy_kwh=1, ft=0).service == D("46.16")
    assert bill("1.1.1", month="2022-12", energy_kwh=1, ft=0).service == D("8.19")


def test_time_of_use_bill_with_demand_mea_page_258():
    made = bill("5.2", voltage="12-24 kV", on_peak_kwh=20_000, off_peak_kwh=30_000, demand_kw=150, ft=0)
    assert made.voltage == "22-33 kV"
    assert made.energy == D("4.1839") * 20_000 + D("2.6037") * 30_000
    assert made.demand == D("132.93") * 150
    assert made.total == D("194783.59")  # (83 678 + 78 111 + 19 939.50 + 312.24) x 1.07 = 194 783.5918


def test_time_of_day_charges_only_the_partial_peak_above_the_on_peak_demand_mea_page_114():
    terms = {"voltage": "22-33 kV", "energy_kwh": 0, "ft": 0}
    above = bill("4.1", demand_kw=500, partial_demand_kw=700, **terms)
    assert above.demand == 500 * D("285.05") + 200 * D("58.88")
    below = bill("4.1", demand_kw=500, partial_demand_kw=400, off_peak_demand_kw=900, **terms)
    assert below.demand == 500 * D("285.05")


@pytest.mark.parametrize(
    ("measured", "billed"), [(0, 0), (0.5, 0), (0.51, 1), (99.49, 99), (100.5, 100), (100.501, 101), (101.4, 101)]
)
def test_demand_is_billed_to_the_nearest_kw_discarding_half_mea_page_258(measured, billed):
    made = bill("3.1", energy_kwh=0, demand_kw=measured, ft=0)
    assert made.demand == billed * D("221.50")


def test_power_factor_charge_above_61_97_per_cent_mea_page_258():
    free = bill("3.1", energy_kwh=0, demand_kw=1000, kvar=D("620.2"), ft=0)
    assert free.power_factor == 0  # 0.5 kvar above 619.7 is discarded
    charged = bill("3.1", energy_kwh=0, demand_kw=1000, kvar=700, ft=0)
    assert charged.power_factor == 80 * D("56.07")
    peak_at_night = bill("3.2", on_peak_kwh=0, off_peak_kwh=0, demand_kw=10, off_peak_demand_kw=1000, kvar=700, ft=0)
    assert peak_at_night.power_factor == charged.power_factor
    assert peak_at_night.demand == 10 * D("210.00")


def test_demand_part_is_at_least_70_per_cent_of_the_highest_of_12_months_mea_page_258():
    terms = {"energy_kwh": 100, "demand_kw": 10, "ft": 0}
    assert bill("3.1", highest_demand_charge=10_000, **terms).demand == 7000
    assert bill("3.1", highest_demand_charge=1_000, **terms).demand == 2215
    assert bill("3.1", **terms).demand == 2215


def test_ft_differs_by_group_in_early_2023_only():
    assert ft_rate("2023-02", "residential") == D("0.9343")
    assert ft_rate("2023-02", "other") == D("1.5492")
    assert bill("1.1.2", month="2023-02", energy_kwh=100).ft == D("93.43")
    assert bill("2.1", month="2023-02", energy_kwh=100).ft == D("154.92")
    assert ft_rate("2026-08", "other") == ft_rate("2026-05") == D("0.1623")


def test_ft_of_late_2023_is_what_was_billed_and_not_what_was_announced():
    assert ft_rate("2023-10") == D("0.2048")


# Against the slow reference


@given(st.sampled_from(FLAT), st.integers(0, 600))
@settings(max_examples=60, deadline=None)
def test_energy_of_flat_and_block_tariffs_is_the_sum_over_single_kwh(band, kwh):
    tariff, voltage = band
    expected = sum((slow_rate(tariff, voltage, n) for n in range(1, kwh + 1)), D(0))
    assert bill(tariff, voltage=voltage, energy_kwh=kwh).energy == expected


@given(st.sampled_from(TIME_OF_USE), KWH, KWH, st.integers(-500, 9000))
@settings(max_examples=60, deadline=None)
def test_time_of_use_bill_equals_the_arithmetic_by_hand(band, on_peak, off_peak, ft):
    tariff, voltage = band
    demand = {} if tariff in {"1.2", "2.2"} else {"demand_kw": 40}
    made = bill(
        tariff, voltage=voltage, on_peak_kwh=on_peak, off_peak_kwh=off_peak, ft=D(ft).scaleb(-4), **demand
    )
    table = dataset("tariffs").filter(
        pl.col("tariff") == tariff, pl.col("voltage") == voltage, pl.col("valid_to").is_null()
    )
    rate = {(row["component"], row["period"]): Fraction(row["rate"]) for row in table.to_dicts()}
    before_vat = (
        Fraction(on_peak) * rate["energy", "on_peak"]
        + Fraction(off_peak) * rate["energy", "off_peak"]
        + (Fraction(on_peak) + Fraction(off_peak)) * Fraction(ft, 10_000)
        + rate["service", "all"]
        + (40 * rate["demand", "on_peak"] if demand else 0)
    )
    assert Fraction(made.subtotal) == before_vat
    assert abs(Fraction(made.total) - before_vat * Fraction(107, 100)) <= Fraction(1, 200)


@given(st.sampled_from(FLAT), KWH)
@settings(max_examples=60, deadline=None)
def test_lines_parts_and_total_of_a_bill_agree(band, kwh):
    made = bill(band[0], voltage=band[1], energy_kwh=kwh)
    parts = made.energy + made.demand + made.service + made.power_factor + made.ft
    assert made.subtotal == parts
    assert made.lines["amount"].sum() == made.subtotal + made.vat
    assert made.total == (made.subtotal + made.vat).quantize(D("0.01"), ROUND_HALF_UP)
    assert made.total.as_tuple().exponent == -2
    assert made.kwh == kwh
    energy = made.lines.filter(pl.col("item").str.starts_with("Energy"))
    assert energy["quantity"].sum() == kwh


@given(st.sampled_from(FLAT), KWH, KWH)
@settings(max_examples=60, deadline=None)
def test_bill_grows_with_energy_at_no_less_than_the_lowest_rate(band, one, other):
    less, more = sorted((one, other))
    small, large = (bill(band[0], voltage=band[1], energy_kwh=kwh, ft=0).energy for kwh in (less, more))
    assert large - small >= (more - less) * D("2.0889")


def test_caller_with_a_coarse_decimal_context_gets_the_same_bill():
    expected = bill("1.1.2", energy_kwh=D("312.345"))
    with localcontext(Context(prec=4)):
        assert bill("1.1.2", energy_kwh=D("312.345")) == expected


def test_number_of_any_kind_gives_the_same_bill():
    made = {bill(energy_kwh=kwh).total for kwh in (300, 300.0, D(300), Fraction(300), np.int64(300), np.float64(300))}
    assert made == {D("1277.41")}


def test_aliases_of_mea_and_pea():
    expected = bill("1.2", on_peak_kwh=100, off_peak_kwh=200)
    assert bill("1.3", on_peak_kwh=100, off_peak_kwh=200) == expected
    assert bill("1.2", voltage="<12 kV", on_peak_kwh=100, off_peak_kwh=200) == expected
    assert bill("3.1", voltage="≥69 kV", energy_kwh=1, demand_kw=1).voltage == ">=69 kV"


def test_bill_shows_itself_in_both_languages():
    html = bill("1.1.2", energy_kwh=1500)._repr_html_()
    assert "1,500" in html
    assert "ภาษีมูลค่าเพิ่ม" in html
    assert "&lt;22 kV" in html
    assert repr(bill(energy_kwh=1)).startswith("RetailBill(tariff='1.1.2'")
    assert isinstance(bill(energy_kwh=1), RetailBill)


# Rates


def test_energy_rates_are_the_tables_rows_of_the_month():
    rates = energy_rates("2026-05")
    assert rates.height == dataset("tariffs").filter(component="energy").height
    assert rates.schema["rate"] == pl.Decimal(18, 4)
    assert set(rates["tariff"]) == set(BANDS["tariff"])


@pytest.mark.parametrize(
    ("kwh", "rate"),
    [
        (0, "2.3488"), (15, "2.3488"), (D("15.001"), "2.9882"), (25, "2.9882"), (100, "3.6237"), (150, "3.7171"),
        (150.5, "4.2218"), (400, "4.2218"), (401, "4.4217"), (1e9, "4.4217"),
    ],
)  # fmt: skip
def test_marginal_rate_is_that_of_the_last_kwh_in_the_blocks_of_1_1_1_mea_page_111(kwh, rate):
    assert marginal_rate("1.1.1", monthly_kwh=kwh, on_peak=True) == D(rate)


def test_marginal_rate_of_time_of_use_follows_the_period():
    assert marginal_rate("1.2", monthly_kwh=0, on_peak=True) == D("5.7982")
    assert marginal_rate("1.2", monthly_kwh=9999, on_peak=False) == D("2.6369")


@given(
    st.lists(
        st.tuples(st.sampled_from(BANDS.rows()), st.one_of(st.floats(0, 1e6), st.integers(0, 500))), max_size=40
    )
)
@settings(max_examples=40, deadline=None)
def test_marginal_rates_equal_marginal_rate_row_by_row(rows):
    frame = pl.DataFrame(
        {
            "tariff": pl.Series([band[0] for band, _ in rows], dtype=pl.String),
            "voltage": pl.Series([band[1] for band, _ in rows], dtype=pl.String),
            "monthly_kwh": pl.Series([float(kwh) for _, kwh in rows], dtype=pl.Float64),
            "tag": pl.Series(range(len(rows)), dtype=pl.Int64),
        }
    )
    found = marginal_rates(frame)
    assert found.select(frame.columns).equals(frame)
    assert found.schema["on_peak"] == found.schema["off_peak"] == pl.Int64
    for row in found.to_dicts():
        for column, on_peak in (("on_peak", True), ("off_peak", False)):
            single = marginal_rate(
                row["tariff"], voltage=row["voltage"], monthly_kwh=row["monthly_kwh"], on_peak=on_peak
            )
            assert row[column] == single * 10_000


def test_marginal_rates_read_aliases_lazy_frames_and_any_band_of_one_band_tariffs():
    frame = pl.LazyFrame({"tariff": ["7.1", "1.3"], "voltage": ["<22 kV", "<12 kV"], "monthly_kwh": [101, 6]})
    found = marginal_rates(frame, month="2016-01")
    assert found["on_peak"].to_list() == [32405, 57982]
    assert found["tariff"].to_list() == ["7.1", "1.3"]


def test_vat_is_seven_per_cent_in_every_month_of_the_table():
    assert {vat_rate(month) for month in ("2015-11", "2025-09", "2025-10", "2026-12")} == {D("0.07")}


# What is refused


@pytest.mark.parametrize("month", ["2015-10", "1999-01", "2569-05", "2026-13", "2026-5", "2026-05-01", "May 2026", ""])
def test_month_outside_the_tables_is_refused_everywhere(month):
    frame = pl.DataFrame({"tariff": ["1.1.2"], "voltage": ["<22 kV"], "monthly_kwh": [1.0]})
    for call in (
        lambda: bill(month=month, energy_kwh=1),
        lambda: energy_rates(month),
        lambda: ft_rate(month),
        lambda: vat_rate(month),
        lambda: marginal_rate("1.1.2", month=month, monthly_kwh=1, on_peak=True),
        lambda: marginal_rates(frame, month=month),
    ):
        with pytest.raises(TariffError, match="month"):
            call()


def test_month_without_a_known_ft_is_refused_with_the_last_known_and_billed_with_ones_own():
    for month in ("2026-09", "2021-08"):
        with pytest.raises(TariffError, match="runs from 2021-09 to 2026-08"):
            bill(month=month, energy_kwh=1)
    assert bill(month="2026-09", energy_kwh=300, ft=0.1623).total == D("1277.41")


@pytest.mark.parametrize(
    ("tariff", "voltage", "message"),
    [
        ("1.1.3", "<22 kV", "there is no tariff '1.1.3'; did you mean '1.1.2'"),
        ("9", "<22 kV", "'8 PEA'"),
        ("1.1.2", ">=69 kV", "allowed: '<22 kV'"),
        ("3.1", "22 kV", "did you mean '<22 kV'"),
    ],
)
def test_unknown_tariff_or_voltage_is_refused_with_what_is_allowed(tariff, voltage, message):
    with pytest.raises(TariffError, match=message):
        bill(tariff, voltage=voltage, energy_kwh=1, demand_kw=1)
    with pytest.raises(TariffError, match=message):
        marginal_rate(tariff, voltage=voltage, monthly_kwh=1, on_peak=True)
    frame = pl.DataFrame({"tariff": ["1.1.1", tariff], "voltage": ["<22 kV", voltage], "monthly_kwh": [1.0, 2.0]})
    with pytest.raises(TariffError, match=r"\b1 +┆ " + tariff.replace(".", r"\.")):
        marginal_rates(frame)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "billed by energy_kwh; given: none"),
        ({"on_peak_kwh": 1, "off_peak_kwh": 1}, "billed by energy_kwh; given: on_peak_kwh, off_peak_kwh"),
        ({"tariff": "1.2", "energy_kwh": 1}, "billed by on_peak_kwh and off_peak_kwh"),
        ({"tariff": "1.2", "on_peak_kwh": 1}, "billed by on_peak_kwh and off_peak_kwh"),
        ({"energy_kwh": 1, "demand_kw": 1}, "no charge for demand_kw"),
        ({"energy_kwh": 1, "kvar": 1}, "no power-factor charge"),
        ({"energy_kwh": 1, "highest_demand_charge": 1}, "no demand charge"),
        ({"tariff": "3.1", "energy_kwh": 1}, "give demand_kw"),
        ({"tariff": "3.1", "energy_kwh": 1, "demand_kw": 1, "off_peak_demand_kw": 1}, "for off_peak_demand_kw"),
        ({"tariff": "4.1", "energy_kwh": 1, "demand_kw": 1}, "give partial_demand_kw"),
    ],
)
def test_quantity_that_is_missing_or_foreign_to_the_tariff_is_refused(arguments, message):
    with pytest.raises(TariffError, match=message):
        bill(**arguments)


@pytest.mark.parametrize("value", [-1, -0.001, float("nan"), float("inf"), 0.0001, 10**12, D("NaN")])
def test_energy_that_cannot_be_is_refused(value):
    with pytest.raises(ArgumentError):
        bill(energy_kwh=value)


@pytest.mark.parametrize("value", ["300", True, [300], 3j, pl.Series([3])])
@pytest.mark.parametrize("name", ["energy_kwh", "demand_kw", "kvar", "highest_demand_charge", "ft"])
def test_quantity_of_a_wrong_type_is_refused(name, value):
    with pytest.raises(ArgumentTypeError):
        bill("3.1", **{"energy_kwh": 1, "demand_kw": 1, name: value})


@pytest.mark.parametrize("arguments", [{"tariff": 1.2}, {"month": 202605}, {"month": None}, {"voltage": 22}])
def test_name_of_a_wrong_type_is_refused(arguments):
    with pytest.raises(ArgumentTypeError):
        bill(**{"energy_kwh": 1, **arguments})


@pytest.mark.parametrize("ft", [0.00001, 1e6, float("nan")])
def test_ft_that_cannot_be_is_refused(ft):
    with pytest.raises(ArgumentError):
        bill(energy_kwh=1, ft=ft)


def test_group_that_does_not_exist_is_refused():
    for group in ("house", "all", None):
        with pytest.raises(GridlabError):
            ft_rate("2026-05", group)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"tariff": ["1.1.2"], "voltage": ["<22 kV"]}),
        pl.DataFrame({"tariff": ["1.1.2"], "voltage": ["<22 kV"], "monthly_kwh": [-1.0]}),
        pl.DataFrame({"tariff": ["1.1.2"], "voltage": ["<22 kV"], "monthly_kwh": [float("nan")]}),
        pl.DataFrame({"tariff": ["1.1.2"], "voltage": ["<22 kV"], "monthly_kwh": [float("inf")]}),
        pl.DataFrame({"tariff": ["1.1.2"], "voltage": ["<22 kV"], "monthly_kwh": [None]}),
        pl.DataFrame({"tariff": [1.2], "voltage": ["<22 kV"], "monthly_kwh": [1.0]}),
    ],
)
def test_frame_that_does_not_fit_is_refused(frame):
    with pytest.raises(FrameError):
        marginal_rates(frame)


def test_marginal_rate_of_wrong_arguments_is_refused():
    with pytest.raises(ArgumentTypeError):
        marginal_rate("1.1.2", monthly_kwh=1, on_peak="yes")
    with pytest.raises(ArgumentTypeError):
        marginal_rate("1.1.2", monthly_kwh="1", on_peak=True)
    with pytest.raises(ArgumentError):
        marginal_rate("1.1.2", monthly_kwh=-1, on_peak=True)
    with pytest.raises(ArgumentTypeError):
        marginal_rates({"tariff": ["1.1.2"]})
