"""Both methods against plain loops over Python's integers: winners, stakes and every assignment equal to the unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import npos
from gridlab.chain.npos import balancing
from gridlab.chain.npos.balancing import Backing
from gridlab.chain.npos.electorate import exact, read_electorate
from tests.chain.npos import reference

METHODS = ["seq_phragmen", "phragmms"]
LARGEST = 2**64 - 1
STAKES = st.one_of(
    st.integers(0, 4),
    st.integers(0, 1000),
    st.sampled_from([10**9, 10**15, 10**18]),
    st.integers(10**15, 10**15 + 3),
    st.integers(LARGEST - 3, LARGEST),
)


@st.composite
def elections(draw, stakes=STAKES):
    candidates = list(range(draw(st.integers(1, 7))))
    approvals = st.lists(st.sampled_from(candidates), max_size=len(candidates) + 2)
    votes = draw(st.lists(st.tuples(stakes, approvals), max_size=9))
    voters = [(f"voter {number}", stake, approved) for number, (stake, approved) in enumerate(votes)]
    return candidates, voters, draw(st.integers(1, 8))


def assert_same(method, candidates, voters, seats, iterations=0, tolerance=0):
    found = getattr(npos, method)(candidates, voters, seats, balance_iterations=iterations, tolerance=tolerance)
    winners, assignments = getattr(reference, method)(candidates, voters, seats, iterations, tolerance)
    assert found.winners == winners
    assert found.assignments == assignments
    assert [list(given) for given in found.assignments.values()] == [list(given) for given in assignments.values()]
    return found


@pytest.mark.parametrize("method", METHODS)
@given(election=elections(), iterations=st.integers(0, 4), tolerance=st.integers(0, 30))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_small_elections_equal_the_reference_to_the_unit(way, method, election, iterations, tolerance):
    assert_same(method, *election, iterations, tolerance)


@given(election=elections(st.integers(0, 20)), iterations=st.integers(1, 6), tolerance=st.integers(0, 12))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_balancing_stops_when_the_reference_does(way, election, iterations, tolerance):
    names, votes, seats = election
    electorate = read_electorate(names, votes)
    plain = npos.seq_phragmen(names, votes, seats)
    weights = [
        plain.assignments.get(voter, {}).get(approved, 0)
        for voter, _, approvals in votes
        for approved in dict.fromkeys(approvals)
    ]
    edges = np.flatnonzero(weights)
    backing = Backing.of(electorate, edges, exact(weights, electorate.bound)[edges])
    _, slow = reference.phragmen_weights(names, votes, seats)
    assert balancing.balance(backing, iterations, tolerance, rounds=1) == reference.balance(slow, iterations, tolerance)
    assert backing.weight.tolist() == [edge.weight for voter in slow for edge in voter.edges]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("most", "fame"), [(10**15, 0.5), (2**64 - 1, 0.0), (40, 1.0)])
def test_larger_elections_equal_the_reference_to_the_unit(way, method, make_election, most, fame):
    names, votes = make_election(most % 97, voters=150, choices=8, candidates=40, most=most, fame=fame)
    assert_same(method, names, votes, 25, 3)


@pytest.mark.parametrize("method", METHODS)
def test_a_hundred_validators_from_two_thousand_nominators_equal_the_reference_to_the_unit(method, make_election):
    names, votes = make_election(2569, voters=2000, choices=16, candidates=300)
    assert len(assert_same(method, names, votes, 100).winners) == 100


@pytest.mark.parametrize(("method", "iterations"), [("seq_phragmen", 0), ("seq_phragmen", 5), ("phragmms", 2)])
def test_a_hundred_validators_represent_two_thousand_nominators(method, iterations, make_election):
    names, votes = make_election(2569, voters=2000, choices=16, candidates=300)
    election = getattr(npos, method)(names, votes, 100, balance_iterations=iterations)
    assert npos.pjr_check(election, names, votes)
    assert sum(map(len, election.support.values())) == sum(map(len, election.assignments.values()))


def test_compiled_and_interpreted_balancing_agree_where_64_bits_just_hold(monkeypatch, make_election):
    pytest.importorskip("numba")
    names, votes = make_election(3, voters=60, choices=9, candidates=20, most=2**62 // (60 * 10))
    found = []
    for compiled in (True, False):
        monkeypatch.setattr(balancing, "pays_to_compile", lambda _, answer=compiled: answer)
        found.append(npos.phragmms(names, votes, 15, balance_iterations=7, tolerance=1000))
    assert found[0] == found[1]


def test_without_numba_nothing_is_compiled(monkeypatch, make_election):
    balancing._can_compile.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "gridlab.chain.npos.compiled", None)
    try:
        assert not balancing.pays_to_compile(10**12)
        names, votes = make_election(4, voters=20, choices=4, candidates=9)
        assert_same("seq_phragmen", names, votes, 5, 2)
    finally:
        balancing._can_compile.cache_clear()


def test_small_work_is_not_worth_compiling():
    assert not balancing.pays_to_compile(balancing.COMPILED_FROM_ONCE_LOADED - 1)
