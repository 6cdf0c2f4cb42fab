"""Levers, frames for people, and how evenly stake is spread."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.staking import (
    StakingRules,
    StakingTerms,
    gini_coefficient,
    nakamoto_coefficient,
    stake_distribution,
)
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError


def test_levers_give_the_rules_of_the_chain():
    assert StakingTerms().rules() == StakingRules()
    terms = StakingTerms(validators=150, ideal_stake=60.5, bonding_duration=100, slash_defer_duration=3, falloff=2.5)
    rules = terms.rules()
    assert (rules.validators, rules.bonding_duration, rules.history_depth) == (150, 100, 100)
    assert (rules.inflation.ideal, rules.inflation.falloff) == (605_000_000, 25_000_000)


def test_every_lever_is_labelled_in_both_languages_and_has_a_source():
    levers = StakingTerms().levers()
    assert levers.height >= 12
    for column in ("label", "label_th", "source", "governed_by"):
        assert levers[column].str.len_chars().min() > 5
    assert levers["source"].str.contains(r"20\d\d|brief").all()
    assert levers["label_th"].str.contains("[ก-๙]").all()
    assert levers.filter(pl.col("path") == "validators").select("low", "value").row(0) == (100.0, "100")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"validators": 99}, "100 to 1000"),
        ({"slash_defer_duration": 28}, "slash_defer_duration 28 must be below bonding_duration 28"),
        ({"minimum_inflation": 11.0}, "minimum_inflation 11.0 is above maximum_inflation 10.0"),
        ({"commission_floor": 101}, "0.0 to 100.0 %"),
    ],
)
def test_levers_that_do_not_go_together_are_refused(values, message):
    with pytest.raises(LeverError, match=message):
        StakingTerms(**values)


def test_frames_tell_who_stakes_what(make):
    staking = make(2, {20: (500, [10]), 21: (300, [11, 10])})
    staking.unbond(20, 100)
    staking.set_payee(21, 30)
    assert staking.validators.select("validator", "own", "others", "total", "nominators").rows() == [
        (10, 1_000, 650, 1_650, 2),
        (11, 1_000, 150, 1_150, 1),
    ]
    assert staking.candidates.select("validator", "active", "nominators", "nominated").rows() == [
        (10, 1_000, 2, 700),
        (11, 1_000, 1, 300),
    ]
    assert staking.nominators.rows() == [(20, 400, [10], 500), (21, 300, [11, 10], 300)]
    assert staking.stakes.rows() == [
        (10, 1_000, 0, None, "stash", "validator"),
        (11, 1_000, 0, None, "stash", "validator"),
        (20, 400, 100, 3, "stash", "nominator"),
        (21, 300, 0, None, "30", "nominator"),
    ]


def test_frames_keep_their_dtypes_when_they_are_empty(make):
    full = make(2, {20: (500, [10])}, slash_defer_duration=1)
    full.end_era()
    empty = make(0, start=False)
    for name in ("validators", "candidates", "nominators", "stakes", "slashes", "eras", "distribution"):
        assert getattr(empty, name).is_empty()
        assert getattr(empty, name).schema == getattr(full, name).schema
    assert empty.nakamoto_coefficient == 0


def test_distribution_ranks_by_stake(make):
    staking = make(3, {20: (1_000, [12])})
    assert staking.distribution.select("rank", "validator", "total").rows() == [
        (1, 12, 2_000),
        (2, 10, 1_000),
        (3, 11, 1_000),
    ]
    assert staking.distribution["cumulative_share"].to_list() == [0.5, 0.75, 1.0]
    assert staking.nakamoto_coefficient == 1
    assert stake_distribution(staking.validators).equals(staking.distribution)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=7), st.integers(0, 9))
def test_nakamoto_coefficient_is_the_smallest_group_with_more_than_the_share(stakes, tenths):
    total = sum(stakes)
    groups = (
        size
        for size in range(1, len(stakes) + 1)
        for group in combinations(stakes, size)
        if sum(group) > Fraction(tenths, 10) * total
    )
    expected = next(groups, 0)
    assert nakamoto_coefficient(stakes, numerator=tenths, denominator=10) == expected


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=8))
def test_gini_coefficient_is_the_mean_difference_over_twice_the_mean(stakes):
    total = sum(stakes)
    expected = sum(abs(a - b) for a in stakes for b in stakes) / (2 * len(stakes) * total) if total else 0
    assert math.isclose(gini_coefficient(stakes), expected, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("stakes", "options", "error"),
    [
        ([1, -1], {}, ArgumentError),
        ([1, 0.5], {}, ArgumentTypeError),
        ([1], {"numerator": 3}, ArgumentError),
        ([1], {"denominator": 0}, ArgumentError),
    ],
)
def test_impossible_stakes_and_shares_are_refused(stakes, options, error):
    with pytest.raises(error):
        nakamoto_coefficient(stakes, **options)
