"""The reward curve, inflation, and the shares that offences cost."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import perbill, staking
from gridlab.chain.staking import Inflation
from gridlab.errors import ArgumentError, ArgumentTypeError

BILLION = 10**9
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "staking.json").read_text(encoding="utf-8"))


def in_eight_parts(staked, ideal, falloff, accuracy):
    found = staking.reward_curve_parts(staked, ideal, falloff, accuracy) / accuracy
    expected = staking.reward_curve(staked / accuracy, ideal / accuracy, falloff / accuracy)
    return abs(found - expected) <= max(8 / accuracy, 8 * 2**-52)


@pytest.mark.parametrize("accuracy", [BILLION, 10**18])
def test_substrate_reward_fn_precision_for_minimum_falloff(accuracy):
    assert all(in_eight_parts(each * accuracy // 1000, 0, accuracy // 100, accuracy) for each in range(1000))


@pytest.mark.parametrize("accuracy", [BILLION, 10**18])
def test_substrate_reward_fn_compute_inflation_works(accuracy):
    hundredth, tenth = accuracy // 100, accuracy // 10
    assert all(
        in_eight_parts(staked * hundredth, ideal * tenth, falloff * hundredth, accuracy)
        for staked in range(100)
        for ideal in range(10)
        for falloff in range(1, 10)
    )


def test_curve_peaks_at_the_ideal_and_halves_a_falloff_later():
    assert staking.reward_curve(0, 0.75, 0.05) == 0
    assert staking.reward_curve(0.375, 0.75, 0.05) == 0.5
    assert staking.reward_curve(0.75, 0.75, 0.05) == 1
    assert staking.reward_curve(0.8, 0.75, 0.05) == pytest.approx(0.5, abs=1e-12)
    assert staking.reward_curve(1.0, 0.75, 0.05) == pytest.approx(2**-5, abs=1e-12)
    assert staking.reward_curve_parts(BILLION, 750_000_000, 50_000_000) == pytest.approx(BILLION / 32, abs=8)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.1, 0.75, 0.05), ArgumentError, r"staked is 1.1, allowed: 0 … 1"),
        ((-0.1, 0.75, 0.05), ArgumentError, "staked is -0.1"),
        ((0.5, 75, 0.05), ArgumentError, "ideal is 75.*0.75 for 75 %"),
        ((0.5, 0.75, 0.0), ArgumentError, "falloff is 0.0, allowed: 0.01"),
        ((float("nan"), 0.75, 0.05), ArgumentError, "staked is nan"),
        (("half", 0.75, 0.05), ArgumentTypeError, "staked is 'half'"),
        ((True, 0.75, 0.05), ArgumentTypeError, "staked is True"),
    ],
)
def test_curve_refuses_what_is_no_share(arguments, error, message):
    with pytest.raises(error, match=message):
        staking.reward_curve(*arguments)


def test_inflation_runs_from_minimum_to_maximum():
    shape = Inflation()
    assert staking.inflation(0, 100, shape) == 25 * 10**15
    assert staking.inflation(75, 100, shape) == 100 * 10**15
    # Half of the ideal is half of what lies between: 2.5 % + 7.5 % / 2.
    assert staking.inflation(375, 1000, shape) == 6_25 * 10**14


def test_era_of_a_day_mints_its_part_of_a_julian_year():
    shape = Inflation(100_000_000, 100_000_000)
    minted = staking.era_payout(75, 10**15, 24 * 3600 * 1000, shape)
    exact = Fraction(10**14) * Fraction(4, 1461)
    assert exact - 1 <= minted <= exact


@given(st.integers(0, 10**15), st.integers(1, 10**15), st.integers(0, 31_557_600_000))
def test_no_year_mints_more_than_the_maximum(staked, issuance, milliseconds):
    shape = Inflation()
    minted = staking.era_payout(staked, issuance, milliseconds, shape)
    assert 0 <= minted <= issuance * shape.maximum // BILLION


@pytest.mark.parametrize(
    "fields", [{"minimum": 200_000_000}, {"ideal": BILLION + 1}, {"falloff": 1}, {"maximum": 2 * BILLION}]
)
def test_shape_that_cannot_be_is_refused(fields):
    with pytest.raises(ArgumentError, match="parts per billion"):
        Inflation(**fields)


@pytest.mark.parametrize("case", VECTORS["slashing_offline"]["cases"])
def test_offline_slash_against_vectors(case):
    assert staking.offline_slash(case["k"], case["n"]) == case["perbill"]


def test_substrate_im_online_unresponsiveness_slash_fraction():
    # From the tests of pallet-im-online: nothing for 1 and 5 of 50, 0.42 % for 7, 4.62 % for 17.
    assert staking.offline_slash(1, 50) == 0
    assert staking.offline_slash(5, 50) == 0
    assert staking.offline_slash(7, 50) == 4_200_000
    assert staking.offline_slash(17, 50) == 46_200_000


@given(st.integers(1, 400), st.data())
def test_slashes_are_the_rounded_formulas(validators, data):
    offenders = data.draw(st.integers(0, validators))
    share = min(Fraction(3 * max(0, offenders - (validators // 10 + 1)), validators), 1)
    exact = share * 7 / 100 * BILLION
    assert exact - 1 <= staking.offline_slash(offenders, validators) <= exact
    square = min(Fraction(3 * offenders, validators), 1) ** 2 * BILLION
    assert square - 3 <= staking.equivocation_slash(offenders, validators) <= square


@pytest.mark.parametrize(
    ("offenders", "validators", "parts"),
    [
        (0, 100, 0),
        (1, 100, 900_000),
        (10, 100, 90_000_000),
        (34, 100, BILLION),
        (100, 100, BILLION),
        (1, 7, 183_673_468),
    ],  # the last: 3/7 is rounded down before it is squared
)
def test_equivocation_slash_is_the_square_of_three_times_the_share_rounded_down(offenders, validators, parts):
    assert staking.equivocation_slash(offenders, validators) == parts


@pytest.mark.parametrize("slash", [staking.offline_slash, staking.equivocation_slash])
@pytest.mark.parametrize(("offenders", "validators"), [(5, 4), (-1, 4), (0, 0)])
def test_impossible_counts_are_refused(slash, offenders, validators):
    with pytest.raises(ArgumentError, match="allowed"):
        slash(offenders, validators)


@given(st.integers(0, BILLION), st.integers(0, 2**64))
def test_part_goes_to_the_nearest_unit_and_halves_go_down(parts, amount):
    exact = Fraction(parts * amount, BILLION)
    found = perbill.part_of(parts, amount)
    assert -Fraction(1, 2) <= found - exact < Fraction(1, 2)
    assert perbill.floor_of(parts, amount) == exact.numerator // exact.denominator


def test_share_of_nothing_is_refused():
    with pytest.raises(ArgumentError, match="denominator of 1 or more"):
        perbill.from_rational(1, 0)
    assert perbill.from_rational(3, 2) == BILLION
