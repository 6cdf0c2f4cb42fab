"""Ballots and their count: by hand, by a slow loop over voters, and for what a frame may not hold."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, GovernanceError
from gridlab.governance.ballots import CHOICES, Ballot, Delegations, Tally
from gridlab.governance.tallying import BALLOTS, DELEGATED, count_votes
from gridlab.governance.voting import CONVICTIONS, conviction_votes

amounts = st.one_of(st.integers(0, 30), st.integers(0, 2**60))


@st.composite
def ballots(draw):
    choice = draw(st.sampled_from(CHOICES))
    sides = [side for side in ("aye", "nay", "abstain") if choice in ("split", side)]
    level = 0 if choice == "split" else draw(st.integers(0, 6))
    given_amounts = {side: draw(amounts) for side in sides}
    given_amounts[sides[0]] += not any(given_amounts.values())
    return Ballot(choice, level, **given_amounts)


def frame_of(cast):
    rows = [(who, each.choice, each.level, each.aye, each.nay, each.abstain) for who, each in cast.items()]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in BALLOTS.columns}, orient="row")


def delegated_of(handed):
    rows = [(who, *each) for who, each in handed.items()]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in DELEGATED.columns}, orient="row")


def counted_one_by_one(cast, handed):
    ayes = nays = support = turnout = 0
    for ballot in cast.values():
        conviction = CONVICTIONS[ballot.level]
        ayes += conviction_votes(ballot.aye, conviction)
        nays += conviction_votes(ballot.nay, conviction)
        support += ballot.aye + ballot.abstain
        turnout += ballot.aye + ballot.nay + ballot.abstain
    for to, level, amount in handed.values():
        side = cast[to].choice if to in cast else "split"
        votes = conviction_votes(amount, CONVICTIONS[level])
        ayes += votes * (side == "aye")
        nays += votes * (side == "nay")
        support += amount * (side == "aye")
        turnout += amount * (side != "split")
    return Tally(ayes, nays, support, turnout)


delegations = st.dictionaries(
    st.integers(20, 40), st.tuples(st.integers(0, 19), st.integers(0, 6), amounts), max_size=8
)


@given(st.dictionaries(st.integers(0, 19), ballots(), max_size=12), delegations)
def test_count_equals_a_loop_over_the_voters(cast, handed):
    assert count_votes(frame_of(cast), delegated_of(handed)) == counted_one_by_one(cast, handed)


@given(st.dictionaries(st.integers(0, 19), ballots(), max_size=12))
def test_count_is_the_sum_of_the_ballots(cast):
    total = Tally()
    for ballot in cast.values():
        total += ballot.tally
    assert count_votes(frame_of(cast)) == total


def test_ballots_count_by_hand():
    assert Ballot.for_it(1_005, 0.1).tally == Tally(100, 0, 1_005, 1_005)
    assert Ballot.against(1_005, 6).tally == Tally(0, 6_030, 0, 1_005)
    assert Ballot.split(aye=19, nay=25, abstain=7).tally == Tally(1, 2, 26, 51)
    assert Tally.of(Delegations.of(10, 2), aye=False) == Tally(0, 20, 0, 10)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Ballot("maybe", 0, aye=1), GovernanceError, "choice 'maybe' is not known"),
        (lambda: Ballot(1, 0, aye=1), ArgumentTypeError, "choice is a int"),
        (lambda: Ballot("aye", 7, aye=1), GovernanceError, "level of conviction is 7"),
        (lambda: Ballot("aye", -1, aye=1), GovernanceError, "level of conviction is -1"),
        (lambda: Ballot("aye", 1.0, aye=1), ArgumentTypeError, "level is 1.0"),
        (lambda: Ballot("aye", 1, nay=1), GovernanceError, "amounts on another side"),
        (lambda: Ballot("nay", 1, nay=1, abstain=1), GovernanceError, "amounts on another side"),
        (lambda: Ballot("split", 1, aye=1), GovernanceError, "split vote has no conviction"),
        (lambda: Ballot("aye", 1), GovernanceError, "the vote is over 0"),
        (lambda: Ballot("aye", 1, aye=-1), ArgumentError, "aye is -1"),
        (lambda: Ballot("aye", 1, aye=1.5), ArgumentTypeError, "aye is 1.5"),
        (lambda: Ballot.split(aye=2**63 - 1, nay=1), GovernanceError, "the vote is over"),
        (lambda: Ballot.for_it(1, 7), GovernanceError, "conviction is 7"),
    ],
)
def test_a_ballot_that_says_nothing_is_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


ONE = frame_of({1: Ballot.for_it(10, 1)})


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pl.concat([ONE, ONE]), "votes twice"),
        (ONE.with_columns(conviction=pl.lit(7, pl.UInt8)), "out of range"),
        (ONE.with_columns(aye=pl.lit(-1)), "below 0"),
        (ONE.with_columns(choice=pl.lit("nay")), "another side"),
        (ONE.with_columns(choice=pl.lit("split")), "split vote has a conviction"),
        (ONE.with_columns(choice=pl.lit("perhaps")), "choice"),
        (ONE.drop("abstain"), "'abstain' is missing"),
    ],
)
def test_ballots_that_break_a_rule_are_refused_with_their_rows(frame, says):
    with pytest.raises(FrameError, match=says):
        count_votes(frame)


@pytest.mark.parametrize(
    ("row", "error", "says"),
    [
        ((5, 5, 1, 1), FrameError, "to itself"),
        ((5, 1, 9, 1), FrameError, "out of range"),
        ((5, 1, 1, -1), FrameError, "below 0"),
        ((1, 5, 1, 1), GovernanceError, "delegates and votes"),
    ],
)
def test_delegations_that_break_a_rule_are_refused(row, error, says):
    with pytest.raises(error, match=says):
        count_votes(ONE, delegated_of({row[0]: row[1:]}))
    with pytest.raises(FrameError, match="delegates twice"):
        count_votes(ONE, pl.concat([delegated_of({7: (1, 1, 1)})] * 2))
