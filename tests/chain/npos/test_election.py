"""The views of a result, and the verdict on its representation."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import npos
from gridlab.chain.npos.perbill import share
from gridlab.chain.perbill import part_of

NAMES = ["north", "south", "east"]
VOTES = [("a", 10, ["north", "south"]), ("b", 20, ["north", "east"]), ("c", 30, ["south", "east"])]


@pytest.fixture(scope="module")
def election():
    return npos.seq_phragmen(NAMES, VOTES, 2)


def test_a_result_says_what_it_is(election):
    assert repr(election) == "Election(2 winners, 3 nominators, least stake 25)"
    html = election._repr_html_()
    assert "2 winners" in html
    assert "east" in html
    assert pickle.loads(pickle.dumps(election)) == election


def test_the_frame_has_one_row_per_winner_in_order_of_election(election):
    assert election.frame.schema == {"winner": pl.String, "stake": pl.Int64, "nominators": pl.Int64}
    assert election.frame.rows() == [("east", 35, 2), ("south", 25, 2)]


def test_a_frame_holds_stakes_beyond_64_bits_and_ids_of_every_kind():
    largest = 2**64 - 1
    found = npos.seq_phragmen([(1, "x"), b"y"], [("a", largest, [(1, "x")]), ("b", largest, [(1, "x")])], 2)
    assert found.frame["stake"].to_list() == [2 * largest, 0]
    assert found.frame["winner"].to_list() == ["(1, 'x')", "b'y'"]
    assert npos.seq_phragmen([b"y"], [("a", 1, [b"y"])], 1).frame["winner"].dtype == pl.Binary
    assert npos.seq_phragmen([], [], 1).frame.height == 0


def test_support_is_the_assignments_from_the_other_side(election):
    assert election.support == {"east": {"b": 20, "c": 15}, "south": {"a": 10, "c": 15}}
    assert npos.seq_phragmen(NAMES, [("a", 1, ["south"])], 3).support == {"south": {"a": 1}, "north": {}, "east": {}}


def test_scores_tell_the_even_result_from_the_uneven(election):
    even = npos.seq_phragmen(NAMES, VOTES, 2, balance_iterations=3)
    assert election.score == npos.Score(25, 60, 35**2 + 25**2)
    assert even.score == npos.Score(30, 60, 2 * 30**2)
    assert even.score > election.score
    assert even.score.better_than(election.score, 150_000_000)
    assert not even.score.better_than(election.score, 210_000_000)


def test_a_verdict_is_true_or_names_who_was_left_out(election):
    assert npos.pjr_check(election, NAMES, VOTES)
    left_out = npos.pjr_check({"north": {"a": 10, "b": 20}}, NAMES, VOTES, threshold=25)
    assert not left_out
    assert (left_out.counter_example, left_out.spare) == ("east", 33)
    whole = npos.pjr_check(npos.seq_phragmen(NAMES, VOTES, 3), NAMES, VOTES)
    assert (whole.holds, whole.counter_example, whole.spare) == (True, None, 0)


def slow_spare(support, votes, candidate, threshold):
    """What all who approve the candidate could spare, voter by voter and winner by winner."""
    spare = 0
    for voter, stake, approved in votes:
        kept = 0
        for backers in support.values():
            kept += part_of(share(threshold, sum(backers.values())), backers.get(voter, 0))
        spare += max(stake - kept, 0) if candidate in approved else 0
    return spare


@given(
    stakes=st.lists(st.one_of(st.integers(0, 50), st.integers(0, 2**64 - 1)), min_size=1, max_size=6),
    approvals=st.lists(st.lists(st.integers(0, 4), min_size=1, unique=True), min_size=6, max_size=6),
    seats=st.integers(1, 4),
    parts=st.integers(1, 8),
)
def test_what_can_be_spared_equals_the_loops(stakes, approvals, seats, parts):
    votes = [(number, stake, approvals[number]) for number, stake in enumerate(stakes)]
    found = npos.seq_phragmen(range(5), votes, seats)
    threshold = sum(stakes) // parts
    spare = {
        candidate: slow_spare(found.support, votes, candidate, threshold)
        for candidate in range(5)
        if candidate not in found.support
    }
    verdict = npos.pjr_check(found, range(5), votes, threshold=threshold)
    assert verdict.spare == max(spare.values())
    assert verdict.holds == (verdict.spare < threshold)
    if not verdict:
        assert verdict.counter_example == max(spare, key=spare.__getitem__)  # the first of several


def test_the_examples_of_the_page_run():
    page = Path(__file__).parents[3] / "docs" / "npos.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert failed == 0
    assert attempted >= 10
