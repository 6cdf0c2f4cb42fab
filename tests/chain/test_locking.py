"""Hash time locks on the consortium chain, and emergency stops that it is told of."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering
from gridlab.chain.moments import require_microseconds
from gridlab.chain.snapshot import decode_state, encode_state
from gridlab.chain.swaps import LockTerms, lock_frame

SECRET = bytes(range(32))
DIGEST = hashlib.sha256(SECRET).digest()
MINUTE = 60_000_000


@pytest.fixture
def start(make):
    return require_microseconds("start", make.start)


@pytest.fixture
def locked(chain, pairs, account, start):
    """Return a maker of a lock of alice's for bob that lasts ten minutes, with the lock's id."""

    def lock(amount=40_000_000, minutes=10, watched=()):
        terms = LockTerms(
            account["alice"], account["bob"], "WATT", amount, DIGEST, start + minutes * MINUTE, tuple(watched)
        )
        chain.send(pairs["alice"], "hash_lock", lock_frame(terms))
        assert chain.seal(start).rejected == 0
        return list(chain.lock_book.locks)[-1]

    return lock


def sealed_one(chain, pair, kind, frame, moment):
    """Seal one transaction; return its reason, empty where it was accepted."""
    root, balances = chain.state_root, chain.ledger.balances
    chain.send(pair, kind, frame)
    receipt = chain.seal(moment).receipts[0]
    if not receipt.accepted:
        assert chain.state_root == root
        assert chain.ledger.balances.equals(balances)
    return receipt.reason


def claim_of(lock, preimage=SECRET):
    return pl.DataFrame({"lock": [lock], "preimage": [preimage]})


def stop(chain_id, moment, stands):
    return pl.DataFrame({"chain": [chain_id], "moment": [moment], "stands": [stands]})


def test_a_lock_is_reserved_and_claimed_once(chain, pairs, account, locked, start):
    lock = locked()
    assert chain.ledger.reserved(account["alice"], "WATT") == 40_000_000
    assert "preimage" in sealed_one(chain, pairs["bob"], "hash_claim", claim_of(lock, bytes(32)), start)
    assert "may be claimed for another" in sealed_one(
        chain, pairs["alice"], "hash_refund", pl.DataFrame({"lock": [lock]}), start
    )
    # Anybody may bring the preimage; it is bob who is paid.
    assert not sealed_one(chain, pairs["grid"], "hash_claim", claim_of(lock), start)
    assert chain.ledger.balance(account["bob"], "WATT") == 90_000_000
    assert chain.lock_book.preimage_of(DIGEST) == SECRET
    assert "claimed" in sealed_one(chain, pairs["bob"], "hash_claim", claim_of(lock), start)


@pytest.mark.parametrize(("minutes", "kind"), [(9, "hash_claim"), (10, "hash_refund"), (11, "hash_refund")])
def test_at_every_moment_exactly_one_of_claim_and_refund_is_allowed(chain, pairs, locked, start, minutes, kind):
    lock = locked()
    moment = start + minutes * MINUTE
    frames = {"hash_claim": claim_of(lock), "hash_refund": pl.DataFrame({"lock": [lock]})}
    other = next(name for name in frames if name != kind)
    assert sealed_one(chain, pairs["alice"], other, frames[other], moment)
    assert not sealed_one(chain, pairs["alice"], kind, frames[kind], moment)


def test_a_refund_gives_everything_back(chain, pairs, account, locked, start):
    lock = locked()
    assert not sealed_one(chain, pairs["bob"], "hash_refund", pl.DataFrame({"lock": [lock]}), start + 10 * MINUTE)
    assert chain.ledger.balance(account["alice"], "WATT") == 100_000_000
    assert chain.ledger.available(account["alice"], "WATT") == 100_000_000


def test_what_cannot_be_locked_is_refused_and_nothing_of_the_frame_is_done(chain, pairs, account, start):
    def lock(payer, **changes):
        fields = {"asset": "WATT", "amount": 1, "timeout": start + MINUTE} | changes
        return lock_frame(LockTerms(account[payer], account["bob"], hash=DIGEST, **fields))

    good = lock("alice")
    cases = {
        "pays more than it holds": ("alice", pl.concat([good, lock("alice", amount=200_000_000)])),
        "not after now": ("alice", pl.concat([good, lock("alice", timeout=start)])),
        "would pay itself": ("bob", good),
        "issues WATT": ("issuer", good),
        "32": ("alice", good.with_columns(hash=pl.lit(b"short"))),
        "watches": ("alice", good.with_columns(watched=pl.lit("b,a"))),
    }
    for match, (name, frame) in cases.items():
        reason = sealed_one(chain, pairs[name], "hash_lock", frame, start)
        assert match in reason
        assert chain.lock_book.is_empty
        assert chain.ledger.reserved(account["alice"], "WATT") == 0
    assert "is not known" in sealed_one(chain, pairs["bob"], "hash_claim", claim_of(bytes(32)), start)


def test_only_a_regulator_tells_of_a_stop_and_no_time_runs_meanwhile(chain, pairs, account, locked, make, start):
    lock = locked()
    own = chain.chain_id
    assert "regulator" in sealed_one(chain, pairs["alice"], "emergency_stop", stop(own, make.start, True), start)
    ahead = stop(own, make.start + timedelta(hours=1), True)
    assert "after the block's own time" in sealed_one(chain, pairs["regulator"], "emergency_stop", ahead, start)
    begin = stop(own, make.start + timedelta(minutes=1), True)
    assert not sealed_one(chain, pairs["regulator"], "emergency_stop", begin, start + MINUTE)
    for kind, frame in (("hash_claim", claim_of(lock)), ("hash_refund", pl.DataFrame({"lock": [lock]}))):
        assert "stands" in sealed_one(chain, pairs["bob"], kind, frame, start + 60 * MINUTE)
    # The end of an own stop counts from its block, whatever moment was written down before.
    end = stop(own, make.start + timedelta(minutes=2), False)
    assert not sealed_one(chain, pairs["regulator"], "emergency_stop", end, start + 61 * MINUTE)
    assert chain.stops.standstill([own], start, start + 100 * MINUTE) == 60 * MINUTE
    refund = pl.DataFrame({"lock": [lock]})
    assert "may be claimed" in sealed_one(chain, pairs["alice"], "hash_refund", refund, start + 70 * MINUTE - 1)
    assert not sealed_one(chain, pairs["alice"], "hash_refund", refund, start + 70 * MINUTE)


def test_a_lock_freezes_with_the_chain_that_it_watches(chain, pairs, locked, make, start):
    lock = locked(watched=["other"])
    sealed_one(chain, pairs["regulator"], "emergency_stop", stop("other", make.start, True), start)
    refund = pl.DataFrame({"lock": [lock]})
    assert "may be claimed" in sealed_one(chain, pairs["alice"], "hash_refund", refund, start + 60 * MINUTE)
    assert not sealed_one(chain, pairs["bob"], "hash_claim", claim_of(lock), start + 60 * MINUTE)


def test_locks_and_stops_are_replayed_stored_and_come_back_from_a_snapshot(chain, pairs, locked, make, start, tmp_path):
    empty = chain.state_root
    lock = locked(watched=["other"])
    sealed_one(chain, pairs["regulator"], "emergency_stop", stop("other", make.start, True), start)
    held = chain.state_root
    assert held != empty
    again = ConsortiumChain.from_bytes(chain.to_bytes(), ordering=PbftOrdering.of(4))
    assert again.state_root == chain.replay().state_root == held
    data = encode_state(chain._state)
    state = decode_state(data, chain.head)
    assert (state.locked.locks[lock], state.locked.stops) == (chain.lock_book[lock], chain.stops)
    chain.store_in(tmp_path / "run.db", snapshot_every=1)
    sealed_one(chain, pairs["bob"], "hash_claim", claim_of(lock), start)
    chain.close()
    opened = ConsortiumChain.open(tmp_path / "run.db")
    assert opened.state_root == chain.state_root
    assert opened.lock_book[lock].status == "claimed"
    opened.close()
