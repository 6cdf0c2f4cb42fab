"""GRID on a real public chain swapped for WATT on a real consortium chain, by hash time locks alone."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain.moments import require_microseconds
from gridlab.chain.swaps import LockTerms, SwapTerms, lock_frame

SECRET = bytes(range(32))
DIGEST = hashlib.sha256(SECRET).digest()
SECOND = 1_000_000
GRID, WATT = 5_000_000, 20_000_000


@pytest.fixture
def swap(make_chain, key, chain, pairs, account, make):
    """Alice, who has GRID, and bob, who has WATT, on both chains; their clocks agree to a slot."""
    start = require_microseconds("start", make.start)
    public = make_chain(genesis_time=start)
    terms = SwapTerms()

    def run(slots=4):
        public.run(slots)
        chain.seal(public.finalised.header.timestamp)

    def offer():
        """Alice locks GRID, the first lock, which watches the chain of the second."""
        who = (public.account(key("alice")), public.account(key("bob")))
        timeout = public.finalised.header.timestamp + terms.first_timeout * SECOND
        lock = LockTerms(*who, "GRID", GRID, DIGEST, timeout, (chain.chain_id,))
        public.send(key("alice"), "hash_lock", lock_frame(lock))
        run()
        return list(public.lock_book.locks)[-1]

    def answer():
        """Bob has seen the first lock final, and locks WATT under the same hash."""
        (first,) = public.lock_book.locks.values()
        timeout = public.finalised.header.timestamp + terms.answer * SECOND
        assert first.terms.timeout - timeout > terms.least_delta * SECOND
        lock = LockTerms(account["bob"], account["alice"], "WATT", WATT, first.terms.hash, timeout)
        chain.send(pairs["bob"], "hash_lock", lock_frame(lock))
        run(1)
        return list(chain.lock_book.locks)[-1]

    def watts():
        return tuple(chain.ledger.available(account[name], "WATT") for name in ("alice", "bob"))

    def grids():
        """What each has to spend, its fees added again."""
        found = []
        for name in ("alice", "bob"):
            who = public.account(key(name))
            paid = public.ledger.transfers.filter(pl.col("debit_account") == who, pl.col("code") == "chain_fee")
            found.append(public.ledger.available(who, "GRID") + paid["amount"].sum())
        return tuple(found)

    return SimpleNamespace(public=public, chain=chain, run=run, offer=offer, answer=answer, watts=watts, grids=grids)


def claim(lock, preimage):
    return pl.DataFrame({"lock": [lock], "preimage": [preimage]})


def refund(lock):
    return pl.DataFrame({"lock": [lock]})


def test_both_are_paid_and_the_preimage_crosses_in_the_open(swap, key, pairs):
    first, second = swap.offer(), swap.answer()
    assert swap.grids() == (100_000_000 - GRID, 100_000_000)
    swap.chain.send(pairs["alice"], "hash_claim", claim(second, SECRET))
    swap.run(1)
    # All that bob knows of the secret is what stands on the other chain.
    shown = swap.chain.lock_book.preimage_of(DIGEST)
    swap.public.send(key("bob"), "hash_claim", claim(first, shown))
    swap.run()
    assert swap.watts() == (100_000_000 + WATT, 50_000_000 - WATT)
    assert swap.grids() == (100_000_000 - GRID, 100_000_000 + GRID)
    assert swap.public.replay().state_root == swap.public.state_root
    assert swap.chain.replay().state_root == swap.chain.state_root


def test_where_nobody_claims_both_get_back_what_they_locked(swap, key, pairs):
    first, second = swap.offer(), swap.answer()
    swap.chain.send(pairs["bob"], "hash_refund", refund(second))
    swap.run(1)
    assert swap.watts() == (100_000_000, 50_000_000 - WATT)
    swap.run(60)
    swap.chain.send(pairs["alice"], "hash_claim", claim(second, SECRET))
    swap.chain.send(pairs["bob"], "hash_refund", refund(second))
    swap.public.send(key("bob"), "hash_claim", claim(first, SECRET))
    swap.public.send(key("alice"), "hash_refund", refund(first))
    swap.run()
    assert swap.watts() == (100_000_000, 50_000_000)
    assert swap.grids() == (100_000_000, 100_000_000)
    assert [lock.status for lock in (swap.public.lock_book[first], swap.chain.lock_book[second])] == ["refunded"] * 2


def test_a_first_lock_that_is_told_of_a_stop_waits_for_the_chain_that_stands(swap, key, pairs, make):
    """The race of docs/swaps.md: without the notice alice would take both."""
    first, second = swap.offer(), swap.answer()

    def tell(stands):
        moment = pl.Series([swap.public.finalised.header.timestamp]).cast(pl.Datetime("us", "UTC"))
        frame = pl.DataFrame({"chain": [swap.chain.chain_id], "moment": moment, "stands": [stands]})
        swap.chain.send(pairs["regulator"], "emergency_stop", frame)
        swap.public.send(key("governance"), "emergency_stop", frame)
        swap.run()

    tell(stands=True)
    swap.run(60)
    swap.public.send(key("alice"), "hash_refund", refund(first))
    swap.chain.send(pairs["alice"], "hash_claim", claim(second, SECRET))
    swap.run()
    assert swap.public.lock_book[first].status == swap.chain.lock_book[second].status == "locked"
    tell(stands=False)
    swap.chain.send(pairs["alice"], "hash_claim", claim(second, SECRET))
    swap.run(1)
    swap.public.send(key("bob"), "hash_claim", claim(first, swap.chain.lock_book.preimage_of(DIGEST)))
    swap.run()
    assert swap.watts() == (100_000_000 + WATT, 50_000_000 - WATT)
    assert swap.grids() == (100_000_000 - GRID, 100_000_000 + GRID)
