"""Near ties: floating point narrows the race down, whole numbers decide it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import npos
from gridlab.chain.npos.electorate import read_electorate
from gridlab.chain.npos.phragmms import _highest
from gridlab.chain.npos.race import DENOMINATOR, Race
from tests.chain.npos import reference


@pytest.mark.parametrize("place", range(5))
def test_one_unit_in_2_to_the_60_decides_wherever_it_stands(place):
    votes = [(voter, 2**60 + (voter == place), [voter]) for voter in range(5)]
    assert float(2**60) == float(2**60 + 1)  # floats cannot tell them apart
    assert npos.seq_phragmen(range(5), votes, 1).winners == [(place, 2**60 + 1)]


def test_equal_scores_go_to_the_candidate_that_stands_first():
    for order in ([1, 2, 3], [3, 1, 2], [2, 3, 1]):
        votes = [(f"voter {name}", 7, [name]) for name in (3, 2, 1)]
        assert [winner for winner, _ in npos.seq_phragmen(order, votes, 3).winners] == order
        assert [winner for winner, _ in npos.phragmms(order, votes, 3).winners] == order


@pytest.mark.parametrize("method", ["seq_phragmen", "phragmms"])
@given(
    base=st.sampled_from([10**12, 2**53, 2**60, 2**64 - 40]),
    extra=st.lists(st.integers(0, 3), min_size=12, max_size=12),
    seats=st.integers(1, 6),
)
def test_rings_of_voters_with_almost_equal_stakes_equal_the_reference(method, base, extra, seats):
    names = list(range(6))
    votes = [(f"voter {v}", base + extra[v], [v % 6, (v + 1 + v // 6) % 6]) for v in range(12)]
    found = getattr(npos, method)(names, votes, seats)
    assert (found.winners, found.assignments) == getattr(reference, method)(names, votes, seats)


@pytest.mark.parametrize("most", [3000, 10**15, 2**64 - 1])
def test_the_bounds_hold_every_exact_score_through_a_whole_election(make_election, most):
    for seed in range(3):
        race = Race(read_electorate(*make_election(seed, voters=120, choices=6, candidates=30, most=most)))
        for _ in range(20):
            exact = {place: race.score(place) for place in np.flatnonzero(race.open).tolist()}
            low, high = (bound.tolist() for bound in race.rough.bounds())
            assert all(int(low[place]) <= score <= int(high[place]) for place, score in exact.items())
            winner = min(exact, key=exact.__getitem__)
            assert winner in race.rough.contenders(race.open)
            race.elect(winner, exact[winner])


@given(
    whole=st.integers(10**9, 10**13),
    other=st.integers(10**9, 10**13),
    stake=st.integers(2**50, 2**75),
    shift=st.integers(-2, 2),
    turn=st.booleans(),
)
def test_quotients_that_floats_cannot_tell_apart_are_compared_exactly(whole, other, stake, shift, turn):
    pairs = [(stake, whole), (stake * other // whole + shift, other)]
    approval, below = zip(*(pairs[::-1] if turn else pairs), strict=True)
    quotients = [Fraction(*pair) for pair in zip(approval, below, strict=True)]
    rough = np.array(approval, dtype=np.float64)
    assert _highest(approval, np.array(below), rough) == quotients.index(max(quotients))


def test_floats_leave_few_candidates_in_the_race(make_election):
    race = Race(read_electorate(*make_election(5, voters=500, choices=8, candidates=80)))
    counts = []
    for _ in range(40):
        counts.append(len(race.rough.contenders(race.open)))
        race.run(1)
    assert sum(counts) < 60  # forty seats; the reference scores every open candidate, 2,420 in all


def test_scores_stop_at_one():
    race = Race(read_electorate(["a", "b"], [("voter", 1, ["a", "b"])]))
    assert race.score(0) == DENOMINATOR
    race.elect(0, race.score(0))
    assert race.score(1) == DENOMINATOR
    assert npos.seq_phragmen(["a", "b"], [("voter", 1, ["a", "b"])], 2).winners == [("a", 1), ("b", 0)]


@given(
    votes=st.lists(st.tuples(st.integers(1, 9), st.lists(st.integers(0, 4), min_size=1, unique=True)), min_size=1),
    seats=st.integers(1, 5),
)
def test_no_load_and_no_score_ever_falls(votes, seats):
    race = Race(read_electorate(range(5), [(number, *vote) for number, vote in enumerate(votes)]))
    scores = []
    for _ in range(seats):
        before = list(race.load)
        scores += [race.load[race.voters[winner][0]] for winner in race.run(1)]
        assert all(old <= new for old, new in zip(before, race.load, strict=True))
    assert scores == sorted(scores)
    assert min(race.edge_load, default=0) >= 0
