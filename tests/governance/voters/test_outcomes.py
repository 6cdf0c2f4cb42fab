"""A thousand referenda at once against one counted voter by voter, with the chain's own states and curves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, GovernanceError
from gridlab.governance.tallying import count_votes
from gridlab.governance.voters import GROUPS, Voters, ballots, counting_frames, outcome, sample
from gridlab.governance.voting import QUORUM_RULES, Linear, Reciprocal, Stepped

EFFECTS = {"household": 30.0, "prosumer": 150.0, "utility": -400_000.0, "cooperative": 1_000.0}
DAY = 86_400_000_000
CURVES = (
    Linear(1, Fraction(1, 2), 1),
    Stepped(begin=0.9, end=0.3, step=0.2, period=0.25),
    Reciprocal.through(4, 0.8, 0.5, 1, 28),
    Linear(1, 0, Fraction(1, 2)),
    Linear(Fraction(1, 10), 0, Fraction(1, 100)),
)


@pytest.mark.parametrize("strategic", [False, True])
@pytest.mark.parametrize("quorum", ["", "super_majority_approve"])
def test_each_outcome_is_that_of_the_referendum_counted_voter_by_voter(track, small, followed, strategic, quorum):
    terms = small(strategic=strategic)
    population, rules = sample(3, terms=terms), track(quorum=quorum, confirm=3 * DAY, support=CURVES[4])
    found = outcome(EFFECTS, rules, 12, population=population, terms=terms)
    electorate = int(population["balance"].sum())
    for row in found.to_dicts():
        cast = ballots(EFFECTS, row["seed"], population=population, terms=terms)
        end, step, tally = followed(rules, cast, electorate, 28)
        assert row["passed"] == (end == "approved")
        assert row["decided_at"] == pytest.approx(step)
        assert (row["ayes"], row["nays"]) == (tally.ayes, tally.nays)
        assert row["support"] == pytest.approx(tally.support / electorate)
        assert row["turnout"] == pytest.approx(tally.turnout / electorate)
    assert found["passed"].n_unique() == 2 or strategic or quorum


@settings(max_examples=60)
@given(data=st.data(), approval=st.sampled_from(CURVES), support=st.sampled_from(CURVES),
       quorum=st.sampled_from(("", *QUORUM_RULES)), confirm=st.integers(0, 40))  # fmt: skip
def test_any_population_and_any_track_agree_with_the_chain(
    track, small, followed, people, data, approval, support, quorum, confirm
):
    count = data.draw(st.integers(1, 8))
    delegates = data.draw(st.lists(st.none() | st.just(0), min_size=count, max_size=count))
    rows = [
        (
            data.draw(st.sampled_from(GROUPS)), data.draw(st.integers(0, 10**6)), data.draw(st.integers(0, 6)),
            None if voter == 0 else delegates[voter], data.draw(st.integers(0, 7)) / 7,
        )
        for voter in range(count)
    ]  # fmt: skip
    population, terms = people(rows), small(strategic=data.draw(st.booleans()), engagement=100.0)
    rules = track(approval=approval, support=support, quorum=quorum, confirm=confirm * DAY)
    effects = {"household": 200.0, "apathetic": -2_000.0, "prosumer": 10.0, "utility": 10.0**6}
    row = outcome(effects, rules, [7], steps=7, population=population, terms=terms).row(0, named=True)
    # Strategic whales look at what the track asks for in the end.
    needed = rules.needs(rules.decision)[0]
    cast = ballots(effects, 7, required=needed, population=population, terms=terms)
    # Who delegates arrives with its delegate.
    end, step, tally = followed(rules, cast, int(population["balance"].sum()), 7)
    assert (row["passed"], row["ayes"], row["nays"]) == (end == "approved", tally.ayes, tally.nays)
    assert row["decided_at"] == pytest.approx(step * 4)


@pytest.mark.parametrize("seed", range(5))
def test_ballots_count_as_the_chain_counts_them(small, by_voter, seed):
    population = sample(2, terms=small())
    cast = ballots(EFFECTS, seed, population=population, terms=small())
    direct, handed = counting_frames(cast)
    tally = count_votes(direct, handed)
    assert handed.height > 5
    assert tally == by_voter(cast, 1.0)
    assert tally.ayes + tally.nays == cast["votes"].sum() > 0


def test_who_delegates_votes_as_its_delegate_does_or_not_at_all(small):
    population = sample(2, terms=small())
    sides = [ballots(EFFECTS, seed, population=population, terms=small()) for seed in range(8)]
    for cast in sides:
        handed = cast.filter(pl.col("delegate").is_not_null())
        leaders = cast.select(pl.col("voter").alias("delegate"), pl.col("aye").alias("led"))
        joined = handed.join(leaders, on="delegate", how="left")
        assert joined["led"].null_count() == 0
        assert (joined["aye"] == joined["led"]).all()
    delegating = population["delegate"].is_not_null().sum()
    assert min(cast["delegate"].is_not_null().sum() for cast in sides) < delegating


def test_a_better_proposal_passes_more_often(track, small):
    population, rules = sample(1, terms=small()), track(support=CURVES[4])
    rates = [
        outcome(dict.fromkeys(GROUPS, effect), rules, 60, population=population, terms=small())["passed"].mean()
        for effect in (-1e8, 0.0, 1e8)
    ]
    assert rates[0] == 0.0 < rates[1] < rates[2] == 1.0


def test_strategic_whales_turn_results_that_others_had_settled(track, small):
    sincere, strategic = small(), small(strategic=True)
    rules = track(support=CURVES[4], confirm=0)
    population = sample(4, terms=sincere)
    before, after = (
        outcome(EFFECTS, rules, 80, population=population, terms=terms, steps=1) for terms in (sincere, strategic)
    )
    turned = before["passed"] != after["passed"]
    assert 0 < turned.sum() < 80
    # Who would have lost either wins, or votes as before.
    same = before.filter(~turned).select("ayes", "nays")
    assert same.equals(after.filter(~turned).select("ayes", "nays"))


def test_strategic_whales_take_the_least_conviction_that_wins(people):
    # 100 against; the whale's 30 win with 4x (120), not with 3x (90) or by habit (30).
    rows = [("household", 100, 1, None, 0.5), ("whale", 30, 1, None, 0.95)]
    sure = {"household.noise": 1.0, "whale.noise": 1.0, "mood": 0.0, "engagement": 100.0, "strategic": True}
    terms = Voters().set(sure)
    cast = ballots({"household": -1_000.0, "whale": 1_000.0}, 0, population=people(rows), terms=terms)
    assert cast.select("aye", "conviction", "votes").rows() == [(False, 1, 100), (True, 4, 120)]
    cast = ballots({"household": -1_000.0, "whale": 1_000.0}, 0, required=Fraction(3, 5),
                   population=people(rows), terms=terms)  # fmt: skip
    assert cast["conviction"].to_list() == [1, 5]
    cast = ballots({"household": -1_000.0, "whale": 1_000.0}, 0, required=0.9, population=people(rows), terms=terms)
    assert cast["conviction"].to_list() == [1, 1], "what cannot be won is not paid for"


def test_certain_voters_vote_as_the_logit_and_turnout_say(people):
    rows = [("household", 1, 1, None, 0.0)] * 4_000
    terms = Voters().set({"household.noise": 100.0, "mood": 0.0, "household.turnout": 20.0, "engagement": 50.0})
    cast = ballots({"household": 100.0}, 5, population=people(rows), terms=terms)
    aye, turnout = 1 / (1 + np.exp(-1)), 0.2 + 0.8 * 0.5 * (1 - np.exp(-1))
    assert cast.height / 4_000 == pytest.approx(turnout, abs=4 * np.sqrt(turnout * (1 - turnout) / 4_000))
    assert cast["aye"].mean() == pytest.approx(aye, abs=4 * np.sqrt(aye * (1 - aye) / cast.height))


def test_the_seed_of_a_vote_decides_it_alone(track, small):
    terms = small()
    population = sample(1, terms=terms)
    every = outcome(EFFECTS, track(), 6, population=population, terms=terms)
    some = outcome(EFFECTS, track(), [4, 2], population=population, terms=terms)
    assert some.equals(pl.concat([every[4], every[2]]))
    assert every["ayes"].n_unique() == 6


def test_nobody_there_decides_nothing(track):
    terms = Voters().set({f"{name}.members": 0 for name in GROUPS})
    found = outcome({}, track(), 2, terms=terms)
    assert found.select("ayes", "nays", "passed").rows() == [(0, 0, False)] * 2
    assert found["decided_at"].to_list() == [28.0, 28.0]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"effects": [1.0]}, ArgumentTypeError, "a mapping"),
        ({"effects": {"prosumers": 1.0}}, GovernanceError, "did you mean 'prosumer'"),
        ({"effects": {"prosumer": "1"}}, ArgumentTypeError, "a number"),
        ({"effects": {"prosumer": float("inf")}}, GovernanceError, "finite"),
        ({"track": "parameter"}, ArgumentTypeError, "a Track"),
        ({"seeds": 0}, ArgumentError, "seeds"),
        ({"seeds": []}, ArgumentError, "seeds is empty"),
        ({"seeds": [-1]}, ArgumentTypeError, "seed"),
        ({"seeds": 2.5}, ArgumentTypeError, "seeds"),
        ({"steps": 0}, ArgumentError, "steps"),
        ({"terms": 3}, ArgumentTypeError, "Voters"),
        ({"population": 3}, ArgumentTypeError, "polars"),
        ({"population": pl.DataFrame({"voter": [0]})}, FrameError, "missing"),
    ],
)
def test_bad_arguments_are_refused_with_the_reason(track, small, change, error, says):
    usual = {"effects": EFFECTS, "track": track(), "seeds": 1, "population": sample(1, terms=small()), "terms": small()}
    with pytest.raises(error, match=says):
        outcome(**usual | change)
