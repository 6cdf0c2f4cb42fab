"""What there ever was costs a block nothing; what may wait, and how far delegations are followed, has an end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridlab.errors import GovernanceError
from gridlab.governance import delegating, proposing
from gridlab.governance.ballots import Ballot, Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.course import Course
from gridlab.governance.history import History
from gridlab.governance.register import Register


@pytest.mark.parametrize("ended", [0, 1_000])
def test_a_block_looks_only_at_what_is_alive(world, rules, monkeypatch, ended):
    made = world([10, 20], rules(timeout=100))
    for number in range(ended):
        made.open(number, "treasury")
        made.complete(number, "rejected", 1)
    made.open(ended, "treasury")
    made.open(ended + 1, "parameter")
    looked, look = [], GovernanceBook.referendum

    def counting(book, number):
        looked.append(number)
        return look(book, number)

    def never(register):
        raise AssertionError(register)

    monkeypatch.setattr(GovernanceBook, "referendum", counting)
    monkeypatch.setattr(Register, "items", never)
    made.run_to(2)
    assert looked == [ended, ended + 1]


def test_a_course_writes_an_end_down_once_and_looks_no_further(polls, monkeypatch):
    course = Course()
    course.note(polls.book, 60_000_000, 210)
    polls.complete(3, "rejected", 1)
    course.note(polls.book, 120_000_000, 210)
    assert course.frame(3)["status"].to_list() == ["preparing", "rejected"]

    def never(book, number):
        raise AssertionError(number)

    monkeypatch.setattr(GovernanceBook, "referendum", never)
    course.note(polls.book, 180_000_000, 210)
    assert course.frame(3).height == 2


def test_what_awaits_enactment_is_alive_until_it_is_done(world):
    made = world([10, 200], treasury=5)
    number = made.propose(2)
    made.deposit(2, number)
    made.vote(2, number, Ballot.for_it(100))
    seen = []
    while made.now < 20:
        made.run_to(made.now + 1)
        referendum = made.book.referendum(number)
        seen.append((referendum.status, referendum.outcome))
        assert made.book.alive == ({number} if not referendum.outcome else set())
    assert {("approved", ""), ("approved", "enacted")} <= set(seen)


@pytest.fixture
def full(world, rules):
    """A track on which a hundred referenda wait, with 1 … 100 ayes, and one more that has no deposit yet."""
    made = world([10_000, 50], rules(timeout=1_000, prepare=500))
    for number in range(100):
        made.propose(1)
        made.deposit(1, number)
        made.book.put(replace(made.book.referendum(number), tally=Tally(number + 1)))
    made.propose(2)
    return made


@pytest.mark.parametrize("ayes", [0, 1])
def test_a_full_track_refuses_one_with_no_more_ayes_than_the_least(full, ayes):
    full.book.put(replace(full.book.referendum(100), tally=Tally(ayes)))
    before = full.book.hash, full.ledger.root
    with pytest.raises(GovernanceError, match=r"100 referenda wait on the treasury track, allowed: 100; .* gather"):
        full.deposit(2, 100)
    assert (full.book.hash, full.ledger.root) == before


def test_into_a_full_track_comes_one_with_more_ayes_than_the_least(full):
    full.book.put(replace(full.book.referendum(100), tally=Tally(2)))
    usable = full.usable(1)
    full.deposit(2, 100)
    out = full.book.referendum(0)
    assert (out.paid, out.queued, out.decision, out.status) == (False, False, None, "preparing")
    assert full.usable(1) == usable + 10
    assert sum(each.paid for each in full.book.living("treasury")) == 100
    with pytest.raises(GovernanceError, match="gather more"):
        full.deposit(1, 0)


def test_a_full_track_takes_the_next_once_one_is_decided_and_another_track_is_not_full(full):
    other = full.propose(2, "parameter")
    full.deposit(2, other)
    full.do(proposing.cancel, 50)
    full.deposit(1, 100)
    assert full.book.referendum(100).paid


def test_delegations_are_followed_for_a_hundred_steps(world):
    most = delegating._MOST_STEPS
    made = world([10] * (most + 4))
    # Each delegates to the one before, so that every chain ends with holder 1.
    for holder in range(2, most + 3):
        made.delegate(holder, "parameter", holder - 1, 1, 5)
    with pytest.raises(GovernanceError, match="chain of more than 100 delegations on the parameter track, allowed"):
        made.delegate(most + 3, "parameter", most + 2, 1, 5)
    made.delegate(most + 3, "treasury", most + 2, 1, 5)
    made.delegate(most + 3, "parameter", most + 1, 1, 5)
    # A circle of a hundred and one is still found.
    with pytest.raises(GovernanceError, match="choose a delegate who votes"):
        made.delegate(1, "parameter", most + 1, 1, 5)


def test_a_history_is_what_was_added_and_its_copies_do_not_disturb_each_other():
    whole, parts = History(), []
    for size in (0, 1, 255, 1, 700, 3):
        parts.append(range(len(whole), len(whole) + size))
        branch = whole.added([-1] * 300)
        whole = whole.added(parts[-1])
        assert branch[-300:] == (-1,) * 300
    assert list(whole) == [*range(960)] == [whole[place] for place in range(len(whole))]
    assert whole[250:520:7] == tuple(range(250, 520, 7))
    assert (whole[-1], repr(whole)) == (959, "History(960 entries)")
    with pytest.raises(IndexError):
        whole[960]


def test_a_further_entry_leaves_full_pages_where_they_are():
    long = History().added(range(100_000))
    assert all(one is other for one, other in zip(long._pages, long.added([0])._pages, strict=True))
