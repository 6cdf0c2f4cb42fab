"""Votes, delegations and locks: the published tests of pallet-conviction-voting, each under its own name.

Sources: paritytech/substrate, frame/conviction-voting/src/tests.rs, 2022, whose tally has the capital of both sides as
its third number (our turnout), and polkadot-sdk, substrate/frame/conviction-voting/src/tests.rs, 2024, whose third
number is the capital of ayes and abstentions (our support). Its classes 0, 1 and 2 are our first three tracks.
"""

from __future__ import annotations

import pytest

from gridlab.errors import GovernanceError
from gridlab.governance.actions import TRACKS
from gridlab.governance.ballots import Ballot, Delegations
from gridlab.governance.casting import _MOST_BALLOTS, unlock


def aye(amount, level):
    return Ballot("aye", level, aye=amount)


def nay(amount, level):
    return Ballot("nay", level, nay=amount)


def support(world, number):
    return world.book.referendum(number).tally.support


def run_and_unlock(world, now, holder=1):
    world.run_to(now)
    world.unlock(holder)
    return world.usable(holder)


@pytest.fixture
def without_polls(polls):
    """Let time pass without referenda being serviced."""

    def run_to(now):
        polls.now = now

    polls.run_to = run_to
    return polls


def test_basic_voting_works(polls):
    for ballot, tally, usable in (
        (aye(2, 5), (10, 0, 2), 8),
        (nay(2, 5), (0, 10, 2), 8),
        (aye(5, 1), (5, 0, 5), 5),
        (nay(5, 1), (0, 5, 5), 5),
        (aye(10, 0), (1, 0, 10), 0),
        (nay(10, 0), (0, 1, 10), 0),
    ):
        polls.vote(1, 3, ballot)
        assert polls.tally(3) == tally
        assert support(polls, 3) == ballot.aye
        assert polls.usable(1) == usable
    polls.remove_vote(1, 3)
    assert polls.tally(3) == (0, 0, 0)
    polls.unlock(1)
    assert polls.usable(1) == 10


def test_split_voting_works(polls):
    polls.vote(1, 3, Ballot.split(aye=10))
    assert (*polls.tally(3)[:2], support(polls, 3)) == (1, 0, 10)
    polls.vote(1, 3, Ballot.split(aye=5, nay=5))
    assert (*polls.tally(3)[:2], support(polls, 3)) == (0, 0, 5)
    assert polls.usable(1) == 0
    polls.remove_vote(1, 3)
    polls.unlock(1)
    assert polls.usable(1) == 10


def test_abstain_voting_works(polls):
    for holder, ballot, tally in (
        (1, Ballot.split(abstain=10), (0, 0, 10)),
        (6, Ballot.split(aye=10, abstain=20), (1, 0, 40)),
        (6, Ballot.split(abstain=40), (0, 0, 50)),
    ):
        polls.vote(holder, 3, ballot)
        assert (*polls.tally(3)[:2], support(polls, 3)) == tally
    assert (polls.usable(1), polls.usable(6)) == (0, 20)


@pytest.mark.parametrize("holder", [1, 2])
def test_zero_conviction_or_unsuccessful_vote_balance_can_be_unlocked(polls, holder):
    polls.vote(1, 3, aye(1, 1))
    polls.vote(2, 3, nay(20, 0))
    polls.complete(3, "rejected", 3)
    polls.remove_vote(holder, 3)
    polls.unlock(holder)
    assert polls.usable(holder) == 10 * holder


def test_successful_conviction_vote_balance_stays_locked_for_correct_time(without_polls):
    polls = without_polls
    for holder in range(1, 6):
        polls.vote(holder, 3, aye(10, holder))
    polls.complete(3, "approved", 3)
    for holder in range(1, 6):
        polls.remove_vote(holder, 3)
    for block in range(1, 3 + 5 * 3 + 40):
        for holder in range(1, 6):
            expired = block >= (3 << (holder - 1)) + 3
            assert run_and_unlock(polls, block, holder) == holder * 10 - (0 if expired else 10)


def classwise(polls):
    polls.open(0, TRACKS[0])
    polls.open(1, TRACKS[1])
    polls.open(2, TRACKS[2])
    polls.open(3, TRACKS[2])
    for track, delegate in zip(TRACKS, (2, 3, 4), strict=False):
        polls.delegate(1, track, delegate, 1, 5)
    ballots = {2: (aye, nay, nay), 3: (nay, aye, nay), 4: (nay, nay, aye)}
    for holder, sides in ballots.items():
        for number, side in enumerate(sides):
            polls.vote(holder, number, side(10, 0))
    return [polls.tally(number) for number in range(4)]


def redelegate(polls, track, to, amount):
    polls.undelegate(1, track)
    polls.delegate(1, track, to, 1, amount)


def test_classwise_delegation_works(without_polls):
    polls = without_polls
    assert classwise(polls) == [(6, 2, 35)] * 3 + [(0, 0, 0)]
    assert polls.usable(1) == 5
    polls.vote(4, 3, nay(10, 0))
    assert polls.tally(3) == (0, 6, 15)
    redelegate(polls, TRACKS[2], 3, 5)
    assert [polls.tally(number) for number in (2, 3)] == [(1, 7, 35), (0, 1, 10)]
    for track, delegate in zip(TRACKS, (2, 3, 4), strict=False):
        redelegate(polls, track, delegate, 3)
    assert [polls.tally(number) for number in range(4)] == [(4, 2, 33)] * 3 + [(0, 4, 13)]
    assert polls.usable(1) == 5
    polls.unlock(1)
    assert polls.usable(1) == 5
    for track, delegate, amount in zip(TRACKS, (2, 3, 4), (6, 7, 8), strict=False):
        redelegate(polls, track, delegate, amount)
        polls.unlock(1)
        assert polls.usable(1) == 10 - amount
    assert [polls.tally(number) for number in range(4)] == [(7, 2, 36), (8, 2, 37), (9, 2, 38), (0, 9, 18)]


def test_redelegation_after_vote_ending_should_keep_lock(polls):
    polls.open(0, TRACKS[0])
    polls.delegate(1, TRACKS[0], 2, 1, 5)
    polls.vote(2, 0, aye(10, 1))
    polls.complete(0, "approved", 1)
    redelegate(polls, TRACKS[0], 3, 3)
    polls.unlock(1)
    assert polls.usable(1) == 5


def vote_and_win(polls, track, *votes):
    for number, (amount, level) in enumerate(votes):
        polls.open(number, track if isinstance(track, str) else track[number])
        polls.vote(1, number, aye(amount, level))
    for number in range(len(votes)):
        polls.complete(number, "approved", 1)
    for number in range(len(votes)):
        polls.remove_vote(1, number)
        polls.unlock(1)


def test_lock_amalgamation_valid_with_multiple_removed_votes(without_polls):
    vote_and_win(without_polls, TRACKS[0], (5, 1), (10, 1), (5, 2))
    assert without_polls.usable(1) == 0
    assert run_and_unlock(without_polls, 3) == 0
    assert run_and_unlock(without_polls, 6) <= 5
    assert run_and_unlock(without_polls, 7) == 10


def test_lock_amalgamation_valid_with_multiple_delegations(without_polls):
    for level, amount in ((1, 5), (1, 10), (2, 5)):
        without_polls.delegate(1, TRACKS[0], 2, level, amount)
        without_polls.undelegate(1, TRACKS[0])
    without_polls.unlock(1)
    assert without_polls.usable(1) == 0
    assert run_and_unlock(without_polls, 3) == 0
    assert run_and_unlock(without_polls, 6) <= 5
    assert run_and_unlock(without_polls, 7) == 10


def test_lock_amalgamation_valid_with_move_roundtrip_to_delegation(without_polls):
    polls = without_polls
    vote_and_win(polls, TRACKS[0], (5, 1))
    assert polls.usable(1) == 5
    polls.delegate(1, TRACKS[0], 2, 1, 10)
    polls.undelegate(1, TRACKS[0])
    polls.unlock(1)
    assert polls.usable(1) == 0
    polls.open(1, TRACKS[0])
    polls.vote(1, 1, aye(5, 2))
    polls.complete(1, "approved", 1)
    polls.remove_vote(1, 1)
    assert run_and_unlock(polls, 3) == 0
    assert run_and_unlock(polls, 6) <= 5
    assert run_and_unlock(polls, 7) == 10


def test_lock_amalgamation_valid_with_move_roundtrip_to_casting(without_polls):
    polls = without_polls
    polls.delegate(1, TRACKS[0], 2, 1, 5)
    polls.undelegate(1, TRACKS[0])
    polls.unlock(1)
    assert polls.usable(1) == 5
    vote_and_win(polls, TRACKS[0], (10, 1))
    assert polls.usable(1) == 0
    polls.delegate(1, TRACKS[0], 2, 2, 10)
    polls.undelegate(1, TRACKS[0])
    assert run_and_unlock(polls, 3) == 0
    assert run_and_unlock(polls, 6) <= 5
    assert run_and_unlock(polls, 7) == 10


def test_lock_aggregation_over_different_classes_with_delegation_works(without_polls):
    for track, (level, amount) in zip(TRACKS, ((1, 5), (2, 5), (1, 10)), strict=False):
        without_polls.delegate(1, track, 2, level, amount)
    for track in TRACKS[:3]:
        without_polls.undelegate(1, track)
    assert [run_and_unlock(without_polls, now) for now in (3, 6, 7)] == [0, 5, 10]


def test_lock_aggregation_over_different_classes_with_casting_works(without_polls):
    vote_and_win(without_polls, TRACKS, (5, 1), (10, 1), (5, 2))
    assert [run_and_unlock(without_polls, now) for now in (3, 6, 7)] == [0, 5, 10]


def test_errors_with_vote_work(polls):
    with pytest.raises(GovernanceError, match="there is no referendum 0"):
        polls.vote(1, 0, aye(10, 0))
    polls.open(1, TRACKS[0])
    polls.complete(1, "approved", 1)
    with pytest.raises(GovernanceError, match=r"referendum 1 has ended \(approved\)"):
        polls.vote(1, 1, aye(10, 0))
    with pytest.raises(GovernanceError, match="votes with 11 micro-GRID, it has 10"):
        polls.vote(1, 3, aye(11, 0))
    polls.delegate(1, TRACKS[0], 2, 0, 10)
    with pytest.raises(GovernanceError, match="undelegate first"):
        polls.vote(1, 3, aye(10, 0))
    polls.undelegate(1, TRACKS[0])
    for number in range(10, 10 + _MOST_BALLOTS):
        polls.open(number, TRACKS[0])
        polls.vote(1, number, aye(10, 0))
    with pytest.raises(GovernanceError, match="remove those of referenda that have ended"):
        polls.vote(1, 3, aye(10, 0))


def test_errors_with_delegating_work(polls):
    with pytest.raises(GovernanceError, match="votes with 11 micro-GRID, it has 10"):
        polls.delegate(1, TRACKS[0], 2, 0, 11)
    with pytest.raises(GovernanceError, match="track 'tax' is not known"):
        polls.delegate(1, "tax", 2, 0, 10)
    polls.vote(1, 3, aye(10, 0))
    with pytest.raises(GovernanceError, match=r"has votes in the referenda \[3\]; remove them first"):
        polls.delegate(1, TRACKS[0], 2, 0, 10)
    with pytest.raises(GovernanceError, match="delegates nothing"):
        polls.undelegate(1, TRACKS[0])


def test_errors_with_remove_vote_work(polls):
    with pytest.raises(GovernanceError, match="has no vote in referendum 3"):
        polls.remove_vote(1, 3)


# What the pallet's tests do not ask.


def test_delegated_votes_travel_no_further(polls):
    polls.delegate(1, TRACKS[0], 2, 6, 10)
    polls.delegate(2, TRACKS[0], 3, 1, 20)
    polls.vote(3, 3, aye(30, 1))
    assert polls.tally(3) == (50, 0, 50)
    # What the first handed on rests with the second, and counts again once that one votes.
    assert polls.book.voter(TRACKS[0], 3).received == Delegations(60, 10)
    polls.undelegate(2, TRACKS[0])
    polls.vote(2, 3, nay(20, 1))
    assert polls.tally(3) == (30, 80, 60)


def test_a_split_vote_does_not_carry_delegations(polls):
    polls.delegate(1, TRACKS[0], 2, 6, 10)
    polls.vote(2, 3, Ballot.split(aye=20))
    assert polls.tally(3) == (2, 0, 20)
    polls.vote(2, 3, aye(20, 0))
    assert polls.tally(3) == (62, 0, 30)
    polls.remove_vote(2, 3)
    assert polls.tally(3) == (0, 0, 0)


def test_a_cancelled_or_timed_out_referendum_leaves_no_lock(polls):
    polls.vote(1, 3, aye(10, 6))
    polls.complete(3, "timed_out", 1)
    polls.remove_vote(1, 3)
    polls.unlock(1)
    assert polls.usable(1) == 10


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_a_circle_of_delegations_is_refused(polls, length):
    for holder in range(1, length):
        polls.delegate(holder, TRACKS[0], holder + 1, 1, 5)
    before = polls.book.hash
    with pytest.raises(GovernanceError, match=r"to itself|to account \d+ itself"):
        polls.delegate(length, TRACKS[0], 1, 1, 5)
    assert polls.book.hash == before
    polls.delegate(length, TRACKS[1], 6, 1, 5)


def test_delegating_to_nobody_is_refused(polls):
    for account in (0, 1, 99):
        with pytest.raises(GovernanceError, match=f"the delegate {account} is not an account"):
            polls.delegate(1, TRACKS[0], account - 1, 1, 5)
    polls.delegate(1, TRACKS[0], 2, 1, 5)
    with pytest.raises(GovernanceError, match="already; undelegate first"):
        polls.delegate(1, TRACKS[0], 3, 1, 5)


def test_unlocking_nothing_is_refused(polls):
    with pytest.raises(GovernanceError, match="locks nothing of account 2"):
        polls.do(unlock, 2)


def test_unlocking_clears_away_votes_that_lock_nothing_any_more(without_polls):
    polls = without_polls
    polls.vote(1, 3, aye(10, 2))
    polls.vote(2, 3, nay(20, 2))
    polls.complete(3, "approved", 1)
    polls.unlock(2)
    assert polls.usable(2) == 20
    assert polls.book.voter(TRACKS[0], 3).is_empty
    assert run_and_unlock(polls, 6) == 0
    assert polls.book.voter(TRACKS[0], 2).ballots
    assert run_and_unlock(polls, 7) == 10
    assert polls.book.voter(TRACKS[0], 2).is_empty
