"""What an election refuses, with the reason, and what it takes although it looks odd."""

from __future__ import annotations

import copy

import pytest

from gridlab.chain import npos
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError

METHODS = [npos.seq_phragmen, npos.phragmms]
NAMES = ["north", "south", "east"]
VOTES = [("a", 10, ["north", "south"]), ("b", 20, ["north", "east"]), ("c", 30, ["south", "east"])]

REFUSED = [
    ({"voters": [*VOTES, ("d", 5, ["nroth"])]}, ArgumentError, r"voter 'd' approves 'nroth'.*did you mean 'north'"),
    ({"candidates": [*NAMES, "north"]}, ArgumentError, r"candidates\[3\] is 'north', which candidates\[0\] is already"),
    ({"voters": [*VOTES, ("a", 5, ["north"])]}, ArgumentError, r"voters\[3\] is 'a', which voters\[0\] is already"),
    ({"voters": [("a", -1, ["north"])]}, ArgumentError, r"stake of voters\[0\] is -1, allowed: at least 0"),
    ({"voters": [("a", 2**64, ["north"])]}, ArgumentError, r"at most 18446744073709551615"),
    ({"voters": [("a", 1.5, ["north"])]}, ArgumentTypeError, r"stake of voters\[0\] is 1.5 \(float\)"),
    ({"voters": [("a", True, ["north"])]}, ArgumentTypeError, r"stake of voters\[0\] is True"),
    ({"voters": [("a", "10", ["north"])]}, ArgumentTypeError, r"stake of voters\[0\] is '10'"),
    ({"voters": [("a", 10)]}, ArgumentError, r"voters\[0\] has 2 parts, allowed: three"),
    ({"voters": ["abc"]}, ArgumentTypeError, r"voters\[0\] is a str, allowed: three"),
    ({"voters": [("a", 10, "north")]}, ArgumentTypeError, r"approvals of voters\[0\] is a str"),
    ({"voters": [("a", 10, {"north"})]}, ArgumentTypeError, r"approvals of voters\[0\] is a set"),
    ({"voters": [("a", 10, [["north"]])]}, ArgumentTypeError, r"approval 0 of voter 'a' is a list"),
    ({"voters": [(["a"], 10, ["north"])]}, ArgumentTypeError, r"voters\[0\] is a list"),
    ({"voters": {"a": 10}}, ArgumentTypeError, r"voters is a dict"),
    ({"candidates": "north"}, ArgumentTypeError, r"candidates is a str"),
    ({"candidates": [{}]}, ArgumentTypeError, r"candidates\[0\] is a dict"),
    ({"seats": 0}, ArgumentError, r"seats is 0, allowed: at least 1"),
    ({"seats": -3}, ArgumentError, r"seats is -3"),
    ({"seats": 2.0}, ArgumentTypeError, r"seats is 2.0"),
    ({"balance_iterations": -1}, ArgumentError, r"balance_iterations is -1"),
    ({"balance_iterations": None}, ArgumentTypeError, r"balance_iterations is None"),
    ({"tolerance": -1}, ArgumentError, r"tolerance is -1"),
    ({"tolerance": 0.5}, ArgumentTypeError, r"tolerance is 0.5"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("change", "error", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_bad_input_is_refused_with_the_reason_and_left_as_it_was(method, change, error, words):
    arguments = {"candidates": NAMES, "voters": VOTES, "seats": 2} | change
    before = copy.deepcopy(arguments)
    with pytest.raises(error, match=words) as caught:
        method(**arguments)
    assert isinstance(caught.value, GridlabError)
    assert arguments == before


@pytest.mark.parametrize("method", METHODS)
def test_the_largest_stake_is_taken_and_counted_to_the_unit(method):
    largest = 2**64 - 1
    found = method([1, 2], [("a", largest, [1]), ("b", largest, [1, 2]), ("c", largest - 1, [2])], 2)
    assert sum(stake for _, stake in found.winners) == 3 * largest - 1


@pytest.mark.parametrize("method", METHODS)
def test_nobody_to_elect_and_nobody_to_vote(method):
    assert method([], [], 3).winners == []
    assert method([], [("a", 5, [])], 3).assignments == {}
    assert method(NAMES, [], 2).winners == ([("north", 0), ("south", 0)] if method is npos.seq_phragmen else [])


@pytest.mark.parametrize("method", METHODS)
def test_fewer_candidates_than_seats_elects_all(method):
    found = method(NAMES, VOTES, 10)
    assert {winner for winner, _ in found.winners} == set(NAMES)
    assert sum(stake for _, stake in found.winners) == 60


@pytest.mark.parametrize("method", METHODS)
def test_an_approval_named_twice_counts_once(method):
    twice = [(name, stake, approved + approved[:1]) for name, stake, approved in VOTES]
    assert method(NAMES, twice, 2) == method(NAMES, VOTES, 2)


def test_a_name_unlike_any_is_answered_with_those_there_are():
    with pytest.raises(ArgumentError, match="allowed: '1', '2'"):
        npos.seq_phragmen([1, 2], [("a", 5, [7])], 1)


CHECKED = [
    ({"west": {}}, ArgumentError, "winner 'west', which is not a candidate"),
    ({"north": {"z": 1}}, ArgumentError, "voter 'z' back 'north', whom it did not approve"),
    ({"north": {"c": 1}}, ArgumentError, "voter 'c' back 'north', whom it did not approve"),
    ({"north": {"a": 11}}, ArgumentError, r"result\['north'\]\['a'\] is 11, allowed: at least 0 and at most 10"),
    ({"north": {"a": 6}, "south": {"a": 5}}, ArgumentError, "voter 'a' give 11 in all, allowed: its stake, 10"),
    ({"north": {"a": 2**300}}, ArgumentError, "allowed: at least 0 and at most 10"),
    ({"north": {"a": -1}}, ArgumentError, r"result\['north'\]\['a'\] is -1"),
    ({"north": {"a": 0.5}}, ArgumentTypeError, r"result\['north'\]\['a'\] is 0.5"),
    ({"north": ["a"]}, ArgumentTypeError, r"result\['north'\] is a list"),
    ([("north", {})], ArgumentTypeError, "result is a list"),
]


@pytest.mark.parametrize(("result", "error", "words"), CHECKED)
def test_a_result_that_cannot_be_is_refused(result, error, words):
    with pytest.raises(error, match=words):
        npos.pjr_check(result, NAMES, VOTES)


def test_a_threshold_is_a_whole_number_not_below_zero():
    found = npos.seq_phragmen(NAMES, VOTES, 2)
    with pytest.raises(ArgumentError, match="threshold is -1"):
        npos.pjr_check(found, NAMES, VOTES, threshold=-1)
    with pytest.raises(ArgumentTypeError, match=r"threshold is 0\.5"):
        npos.pjr_check(found, NAMES, VOTES, threshold=0.5)
