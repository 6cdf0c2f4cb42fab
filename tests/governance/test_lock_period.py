"""The length of a lock is what it was when people bound themselves, however votes move the rule meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridlab.governance.actions import SetLevers
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot
from gridlab.governance.governance import Governance

GRID = 1_000_000


@pytest.fixture(params=[1, 1_000], ids=["down", "up"])
def moved(request):
    """Return the period that a majority votes for instead of 3."""
    return request.param


def with_period(world, period):
    world.book.rules = replace(world.book.rules, lock_period=period)


def test_a_vote_stays_locked_as_long_as_the_rules_said_at_submission(polls, moved):
    polls.vote(1, 3, Ballot.for_it(10, 2))
    with_period(polls, moved)
    polls.vote(2, 3, Ballot.for_it(20, 2))
    polls.complete(3, "approved", 5)
    polls.remove_vote(1, 3)
    for now, left in ((10, 10), (11, 0)):  # 5, and two periods of 3
        polls.now = now
        polls.unlock(1)
        polls.unlock(2)
        assert (polls.usable(1), polls.usable(2)) == (10 - left, 20 - 2 * left)


def test_a_proposal_has_the_period_in_force_when_it_is_submitted(polls, moved):
    before = polls.propose(6, track="treasury")
    with_period(polls, moved)
    after = polls.propose(6, track="treasury")
    assert [polls.book.referendum(each).lock_period for each in (before, after)] == [3, moved]
    one = polls.book.referendum(before)
    assert one.to_bytes() != replace(one, lock_period=moved).to_bytes()


def test_a_delegation_locks_for_the_period_in_force_when_it_was_made(polls, moved):
    polls.delegate(1, "parameter", 2, 2, 10)
    before = polls.book.voter("parameter", 2)
    with_period(polls, moved)
    polls.now = 20
    polls.undelegate(1, "parameter")
    assert before.period == 3
    assert before.to_bytes() != replace(before, period=moved).to_bytes()
    assert polls.book.voter("parameter", 2).period == 0
    for now, left in ((25, 10), (26, 0)):
        polls.now = now
        polls.unlock(1)
        assert polls.usable(1) == 10 - left


def test_a_majority_cannot_vote_its_own_lock_away():
    governance = Governance(lock_period=60)
    levers = governance.levers().with_columns(path="governance." + governance.levers()["path"])
    assembly = Assembly({"ana": 900 * GRID, "bun": 300 * GRID}, governance, levers)
    number = assembly.propose("ana", SetLevers((("governance.lock_period", "0"),)))
    assembly.place_deposit("ana", number)
    assembly.vote("ana", number, Ballot.for_it(700 * GRID, 2))
    assembly.advance(100)
    assert assembly.book.rules.lock_period == 0
    assert assembly.unlock("ana") == 700 * GRID
    assembly.advance(120)
    assert assembly.unlock("ana") == 0
