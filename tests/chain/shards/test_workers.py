"""Shards in processes of their own: the same to the last byte."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from gridlab.chain.shards import ShardedLedger
from gridlab.chain.shards.hosts import shared_out
from gridlab.errors import ArgumentError, ChainError

ISSUERS = {"WATT": [0]}
ACCOUNTS = 60


@pytest.fixture
def books(make_homes):
    """The same ledger in this process and in two workers."""
    homes = make_homes(*(["MEA", "N1", "C1", "MEA"][account % 4] for account in range(ACCOUNTS)))
    here = ShardedLedger(homes, issuers=ISSUERS, timeout=10)
    with ShardedLedger(homes, issuers=ISSUERS, timeout=10, workers=2) as there:
        yield here, there


def blocks(pay, number):
    random = np.random.default_rng(3)
    yield pay(*((account, 0, account, 1_000) for account in range(1, ACCOUNTS)))
    for first in range(1, number):
        parties = random.integers(0, ACCOUNTS, (200, 2)).tolist()
        amounts = random.integers(1, 400, 200).tolist()
        yield pay(*((1_000 * first + n, *pair, amounts[n]) for n, pair in enumerate(parties) if 0 not in pair))


def test_workers_give_the_same_roots_results_and_balances(books, pay):
    here, there = books
    for number, frame in enumerate(blocks(pay, 8)):
        moment = 4 * number
        mine, theirs = here.apply_each(frame, now=moment), there.apply_each(frame, now=moment)
        assert theirs.root == mine.root
        assert (theirs.results.codes == mine.results.codes).all()
        assert there.in_flight.equals(here.in_flight)
    assert {"ok", "exceeds_balance"} <= set(mine.results.names)
    assert here.settle() == there.settle()
    assert there.balances.equals(here.balances)
    assert there.shards.equals(here.shards)
    assert there.prove_account(5) == here.prove_account(5)


def test_a_wrong_question_leaves_the_workers_as_they_are(books, pay):
    _, there = books
    there.apply_each(pay((1, 0, 1, 5)))
    with pytest.raises(ArgumentError, match="highest is -2"):
        there.set_limit(1, "WATT", -2)
    there.settle()
    assert there.balance(1, "WATT") == 5


def test_a_worker_that_ends_is_told_of_and_the_ledger_is_not_used_further(books, pay):
    _, there = books
    there.apply_each(pay((1, 0, 1, 5)))
    os.kill(there._host._processes[1].pid, signal.SIGKILL)
    there._host._processes[1].join()
    with pytest.raises(ChainError, match=r"worker process has ended \(exit code -9\)"):
        there.apply_each(pay((2, 0, 1, 5)))
    with pytest.raises(ChainError, match="block 1 failed in one of its shards"):
        there.apply_each(pay())


def test_a_closed_ledger_says_so_and_its_processes_are_gone(make_homes, pay):
    book = ShardedLedger(make_homes("MEA", "N1"), workers=2)
    pids = [process.pid for process in book._host._processes]
    book.close()
    book.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(ChainError, match="it was closed"):
        book.apply_each(pay())


def test_shards_are_shared_out_by_size():
    assert shared_out([10, 1, 5, 4, 0], 2) == [[0, 4], [1, 2, 3]]
    assert shared_out([1, 1, 1], 3) == [[0], [1], [2]]
