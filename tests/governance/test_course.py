"""The course of a referendum: each row is how the tally stood, and what the track asked for then."""

from __future__ import annotations

import polars as pl
import pytest

from gridlab.errors import GovernanceError
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot
from gridlab.governance.course import COURSE

GRID = 1_000_000


@pytest.fixture
def assembly():
    made = Assembly({"ana": 60_000 * GRID, "bun": 40_000 * GRID}, treasury=5 * GRID)
    made.propose("ana", made.spend({"bun": 2 * GRID}))
    made.place_deposit("ana", 0)
    return made


def test_each_minute_is_a_row_and_the_shares_are_those_of_the_tally(assembly):
    assembly.advance(25)
    assembly.vote("ana", 0, Ballot.for_it(30_000 * GRID, 1))
    assembly.vote("bun", 0, Ballot.against(10_000 * GRID, 1))
    course = assembly.course(0)
    assert dict(course.schema) == COURSE
    assert course["minute"].to_list() == [float(minute) for minute in range(26)]
    last = course.row(-1, named=True)
    assert last["approval"] == 0.75
    assert last["support"] == 30_000 / 100_000
    assert last["turnout"] == 40_000 / 100_000


def test_what_is_asked_is_that_of_the_track_at_that_moment(assembly):
    assembly.advance(60)
    track = assembly.book.rules["treasury"]
    since = assembly.book.referendum(0).since
    for row in assembly.course(0).rows(named=True):
        elapsed = int(row["minute"]) * 60_000_000 - since
        asked = (row["approval_asked"], row["support_asked"])
        assert asked == ((None, None) if elapsed < 0 else tuple(float(each) for each in track.needs(elapsed)))


def test_an_ended_referendum_is_written_down_once(assembly):
    assembly.vote("ana", 0, Ballot.for_it(30_000 * GRID, 2))
    assembly.advance(200)
    course = assembly.course(0)
    assert course.filter(pl.col("status") == "approved").height == 1
    assert course["status"][-1] == "approved"
    ended = assembly.book.referendum(0).ended
    assert course["minute"][-1] == ended / 60_000_000


def test_a_copy_goes_its_own_way_and_a_refused_act_leaves_no_row(assembly):
    assembly.advance(5)
    twin = assembly.fork()
    twin.advance(5)
    assert (assembly.course(0).height, twin.course(0).height) == (6, 11)
    with pytest.raises(GovernanceError):
        assembly.vote("ana", 0, Ballot.for_it(10**15, 1))
    assert assembly.course(0).height == 6
    with pytest.raises(GovernanceError):
        assembly.course(7)


def test_holders_and_electorate_are_those_of_the_ledger(assembly):
    assert assembly.holders == ("ana", "bun")
    assert assembly.electorate == 100_000 * GRID
