"""Units: exact conversion, and what is too fine is refused."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab import units
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError


@given(st.integers(-(10**9), 10**9))
def test_a_whole_number_of_wh_survives_kwh_as_decimal(wh):
    assert units.energy(Decimal(wh) / 1000) == wh


@given(st.integers(-(10**6), 10**6))
def test_a_price_typed_as_float_with_three_decimals_is_exact(thb_per_mwh):
    assert units.price(float(f"{thb_per_mwh / 1000:.3f}")) == thb_per_mwh


@given(st.integers(-(10**7), 10**7), st.integers(0, 10**6))
def test_price_times_energy_is_money_without_remainder(price, energy):
    thb = Fraction(price, 1000) * Fraction(energy, 1000)
    assert units.money(thb) == price * energy


def test_numpy_integers_do_not_overflow():
    assert units.money(np.int64(10**15)) == 10**21
    assert type(units.energy(np.int32(5))) is int


def test_a_decimal_number_means_what_it_says():
    assert units.exact(0.1) == Fraction(1, 10)
    assert units.share(5.35) == 53_500


@pytest.mark.parametrize("value", ["1", None, True, [1]])
def test_what_is_no_number_is_a_type_error(value):
    with pytest.raises(ArgumentTypeError, match="expected a number") as caught:
        units.money(value)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, GridlabError)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ArgumentError, match="not a finite number"):
        units.price(value)


@pytest.mark.parametrize(
    ("convert", "value", "step"),
    [
        (units.energy, 0.0005, "1 Wh"),
        (units.price, 0.0594, "1 THB/MWh"),
        (units.money, Fraction(1, 3), "0.000001 THB"),
        (units.share, Decimal("0.00001"), "0.0001 %"),
    ],
)
def test_what_is_finer_than_counted_names_the_step(convert, value, step):
    with pytest.raises(ArgumentError, match="finer than what is counted") as caught:
        convert(value)
    assert step in str(caught.value)


def test_display_goes_back():
    assert (units.to_kwh(1500), units.to_thb(2_500_000), units.to_thb_per_kwh(1070)) == (1.5, 2.5, 1.07)
