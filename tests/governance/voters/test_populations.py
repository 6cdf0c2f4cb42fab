"""Populations are drawn as their levers say, and power over votes is measured as the chain measures stake."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.staking import gini_coefficient, nakamoto_coefficient
from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, GovernanceError, LeverError
from gridlab.governance.voters import (
    GROUPS,
    Voters,
    ballots,
    concentration,
    counting_frames,
    outcome,
    patterns,
    sample,
    success_rates,
    wheeling_effects,
    wilson,
)
from gridlab.units import MICRO


@pytest.mark.parametrize(("kind", "gini"), [("lognormal", 20.0), ("lognormal", 70.0), ("pareto", 30.0)])
def test_balances_have_the_median_and_the_gini_coefficient_of_the_levers(kind, gini):
    levers = {f"{name}.members": 0 for name in GROUPS} | {"household.members": 40_000}
    levers |= {"household.distribution": kind, "household.inequality": gini, "household.balance": 500}
    balances = sample(1, terms=Voters().set(levers))["balance"]
    assert balances.median() / MICRO == pytest.approx(500, rel=0.03)
    assert gini_coefficient(balances.to_list()) == pytest.approx(gini / 100, abs=0.02)


def test_habits_are_those_of_the_levers(small):
    population = sample(2, terms=small(**{"household.members": 10_000, "household.conviction": 2.4,
                                          "household.delegating": 30.0}))  # fmt: skip
    house = population.filter(pl.col("group") == "household")
    assert house["conviction"].mean() == pytest.approx(2.4, abs=0.05)
    assert house["delegate"].is_not_null().mean() == pytest.approx(0.3, abs=0.02)
    assert house["exposure"].mean() == pytest.approx(1.0, abs=0.02)
    groups = population["group"].to_list()
    leaders = {groups[voter] for voter in house["delegate"].drop_nulls()}
    assert leaders == {"cooperative", "expert"}


def test_a_population_follows_from_its_seed_and_groups_are_independent(small):
    one, same, other = sample(1, terms=small()), sample(1, terms=small()), sample(2, terms=small())
    assert one.equals(same)
    assert not one.equals(other)
    more = sample(1, terms=small(**{"whale.members": 20}))
    for group in ("household", "apathetic"):
        columns = ("balance", "conviction", "arrival")
        assert (
            one.filter(pl.col("group") == group).select(columns).equals(
                more.filter(pl.col("group") == group).select(columns))
        )  # fmt: skip


def test_without_experts_and_cooperatives_nobody_delegates(small):
    alone = sample(1, terms=small(**{"expert.members": 0, "cooperative.members": 0}))
    assert alone["delegate"].null_count() == alone.height
    led = sample(1, terms=small(**{"expert.members": 0}))
    groups = led["group"].to_list()
    assert {groups[voter] for voter in led["delegate"].drop_nulls()} == {"cooperative"}


def test_strategic_whales_vote_last(small):
    late = sample(1, terms=small(strategic=True)).filter(pl.col("group") == "whale")
    assert late["arrival"].min() >= 0.9
    assert late["arrival"].max() <= 1


def test_the_wheeling_charge_moves_money_between_groups_and_makes_none():
    voters = Voters()
    effects = wheeling_effects(-0.27)
    total = sum(effects[name] * group.get("members") for name, group in voters.groups.items())
    assert total == pytest.approx(0, abs=1e-6)
    assert effects["prosumer"] == pytest.approx(0.27 * 350)
    assert effects["utility"] < 0 < effects["household"]
    assert set(wheeling_effects(0).values()) == {0.0}
    with pytest.raises(ArgumentTypeError, match="change"):
        wheeling_effects("a")


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_of_newcombe_1998_method_3(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data(), st.floats(0.5, 0.999))
def test_a_wilson_interval_holds_the_share_and_solves_its_equation(trials, data, confidence):
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials, confidence)
    share = successes / trials
    assert 0 <= low <= share <= high <= 1
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(z * math.sqrt(end * (1 - end) / trials), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((1, 0), ArgumentError), ((3, 2), ArgumentError), ((1, 2, 1.0), ArgumentError), ((1, 2, "a"), ArgumentTypeError)],
)
def test_wilson_refuses_what_is_no_share(arguments, error):
    with pytest.raises(error):
        wilson(*arguments)


def test_concentration_is_counted_before_and_after_conviction_and_delegation(people):
    rows = [
        ("household", 100, 0, 3, 0.5),
        ("household", 100, 1, 3, 0.5),
        ("whale", 300, 1, None, 0.5),
        ("cooperative", 50, 6, None, 0.5),
    ]
    found = {row[0]: row[1:] for row in concentration(people(rows)).rows()}
    expected = {
        "balance": [100, 100, 300, 50],
        "balance delegated": [300, 250],
        "votes": [10, 100, 300, 300],
        "votes delegated": [300, 410],
    }
    for name, held in expected.items():
        assert found[name] == (
            len(held), gini_coefficient(held), nakamoto_coefficient(held),
            nakamoto_coefficient(held, numerator=1, denominator=2),
        )  # fmt: skip


def test_delegation_gathers_power(small):
    population = sample(1, terms=small(**{"household.delegating": 100.0, "prosumer.delegating": 100.0}))
    gini = dict(concentration(population).select("power", "gini").rows())
    alone = population.filter(pl.col("delegate").is_null())
    assert alone.height < 50
    assert concentration(population).filter(pl.col("power") == "votes delegated")["holders"].item() <= alone.height
    assert gini["balance"] != gini["balance delegated"]


def test_patterns_are_those_of_the_ballots_counted_by_group(small):
    population = sample(1, terms=small())
    cast = ballots({"prosumer": 400.0}, 3, population=population, terms=small())
    found = patterns(population, cast)
    assert found["group"].to_list() == list(GROUPS)
    assert found["capital"].sum() == pytest.approx(1)
    assert found["weight"].sum() == pytest.approx(1)
    for row in found.to_dicts():
        members = [one for one in population.to_dicts() if one["group"] == row["group"]]
        votes = [one for one in cast.to_dicts() if one["group"] == row["group"]]
        assert row["members"] == len(members)
        assert row["turnout"] == pytest.approx(len(votes) / len(members))
        total = sum(one["votes"] for one in votes)
        if votes:
            assert row["aye"] == pytest.approx(sum(one["votes"] for one in votes if one["aye"]) / total)
            assert row["delegated"] == np.mean([one["delegate"] is not None for one in votes])
    assert found.filter(pl.col("group") == "prosumer")["aye"].item() > 0.7


def test_success_rates_come_with_their_intervals(track, small):
    population = sample(1, terms=small())
    runs = {
        name: outcome({"prosumer": effect}, track(), 20, population=population, terms=small())
        for name, effect in (("good", 1_000.0), ("bad", -1_000.0))
    }
    rates = success_rates(runs)
    for name, votes, passed, rate, low, high, days, _ in rates.rows():
        assert votes == 20
        assert passed == runs[name]["passed"].sum()
        assert (low, high) == wilson(passed, 20)
        assert rate == passed / 20
        assert days == runs[name]["decided_at"].mean()
    with pytest.raises(GovernanceError, match="no frame of outcomes"):
        success_rates({"good": pl.DataFrame({"a": [1]})})
    with pytest.raises(ArgumentTypeError, match="a mapping"):
        success_rates([1])


def test_frames_that_are_no_ballots_are_refused(small):
    population = sample(1, terms=small())
    for attempt in (lambda: patterns(population, population), lambda: counting_frames(population)):
        with pytest.raises(FrameError, match="aye"):
            attempt()
    with pytest.raises(GovernanceError, match="a share from 0 to 1"):
        ballots({}, required=1.5, population=population, terms=small())


@pytest.mark.parametrize(
    ("row", "error", "says"),
    [
        (("household", -1, 0, None, 0.5), FrameError, "below 0"),
        (("household", 1, 7, None, 0.5), FrameError, "conviction is out of range"),
        (("household", 1, 0, None, 1.5), FrameError, "arrival is out of range"),
        (("household", 1, 0, 9, 0.5), GovernanceError, "delegate 9 is not in the population"),
        (("household", 1, 0, 1, 0.5), GovernanceError, "goes one step"),
        (("household", 2**62, 0, None, 0.5), GovernanceError, "more than"),
    ],
)
def test_a_population_of_one_s_own_is_checked(people, row, error, says):
    with pytest.raises(error, match=says):
        concentration(people([("household", 5, 1, None, 0.1), row]))


def test_levers_out_of_bounds_are_refused_and_all_are_described():
    with pytest.raises(LeverError, match="turnout"):
        Voters().set({"whale.turnout": 101.0})
    frame = Voters().levers()
    assert Voters().set(Voters().lever_values()).lever_values() == Voters().lever_values()
    assert frame.height == 5 + 9 * len(GROUPS)
    for column in ("label", "label_th", "source", "governed_by"):
        assert (frame[column] != "").all()
    assert frame["source"].str.contains("synthetic").all()
    assert (frame.filter(pl.col("low").is_not_null())["unit"] != "").all()
