"""Staking and hash time locks on the chain: their kinds, what time does, and replay."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridlab.chain.ledger import ASSETS
from gridlab.chain.public import PublicChain
from gridlab.chain.public.accounts import STAKING_POT
from gridlab.chain.staking import StakingRules
from gridlab.errors import ArgumentTypeError, ChainError

RULES = StakingRules(
    validators=2, least_validators=2, session_length=5, sessions_per_era=2, bonding_duration=2, slash_defer_duration=1,
    history_depth=4,
)
SECRET = bytes(range(32))


def candidacy(key, name):
    return pl.DataFrame({"commission": [0], "public_key": [key(name).public_key], "blocked": [False]})


def bond(amount, payee="stash"):
    return pl.DataFrame({"amount": [amount], "payee": [payee]})


@pytest.fixture
def staked(make_chain, key):
    """A chain with two candidates and a nominator, an era and a half old."""
    chain = make_chain(dict.fromkeys(("alice", "bob", "carol"), 10**9), staking=RULES)
    for name, amount in (("alice", 4 * 10**8), ("bob", 3 * 10**8), ("carol", 2 * 10**8)):
        chain.send(key(name), "bond", bond(amount))
    for name in ("alice", "bob"):
        chain.send(key(name), "validate", candidacy(key, name))
    targets = [chain.account(key("alice")), chain.account(key("bob"))]
    chain.send(key("carol"), "nominate", pl.DataFrame({"account": targets}))
    chain.run(3)
    beat(chain, key, 4)
    return chain


def beat(chain, key, times):
    """Let sessions pass in which both validators say that they are there."""
    for _ in range(times):
        for name in ("alice", "bob"):
            chain.send(key(name), "heartbeat", pl.DataFrame({"note": ["here"]}))
        chain.run(4)


def staking_of(chain):
    return chain._final.state.parts["staking"].staking


def test_stakes_are_bonded_elected_and_rewarded(staked, key):
    assert staked.transactions.filter(~pl.col("accepted"))["reason"].to_list() == []
    staking = staking_of(staked)
    assert set(staking.elected) == {staked.account(key("alice")), staked.account(key("bob"))}
    assert staking.bonded == 9 * 10**8
    assert staking.era >= 1
    assert staked.ledger.balance(STAKING_POT, "GRID") == staking.bonded + staking.unclaimed
    assert staked.accounts["GRID"].sum() == 0


def test_time_passes_by_slots_and_replay_agrees(staked):
    staking = staking_of(staked)
    slot = staked.finalised.header.slot
    assert staking.session_end - RULES.session_length <= slot < staking.session_end
    again = PublicChain.from_bytes(staked.to_bytes(), staking=RULES)
    assert again.state_root == staked.state_root
    assert staked.replay().state_root == staked.state_root
    with pytest.raises(ChainError, match="give the parts as they were at genesis"):
        PublicChain.from_bytes(staked.to_bytes())
    with pytest.raises(ChainError, match="give the parts as they were at genesis"):
        PublicChain.from_bytes(staked.to_bytes(), staking=StakingRules())


def test_refused_calls_pay_and_change_nothing(staked, key):
    root = staking_of(staked).commitment
    staked.send(key("carol"), "unbond", pl.DataFrame({"amount": [10**15]}))
    staked.send(key("carol"), "nominate", pl.DataFrame({"account": [0]}))
    staked.send(key("carol"), "payout", pl.DataFrame({"validator": [0], "era": [0]}))
    staked.send(key("carol"), "bond", bond(5))
    before = len(staked.transactions)
    staked.run(1)
    staked.run(1)
    rows = staked.transactions[before:]
    assert rows["code"].to_list() == ["rule_broken"] * 4
    assert all(rows["reason"].to_list())
    assert staking_of(staked).bonded == 9 * 10**8
    assert len(root) == 32


def test_unbonded_stake_stays_until_it_may_be_withdrawn(staked, key):
    staked.send(key("carol"), "unbond", pl.DataFrame({"amount": [10**8]}))
    staked.send(key("carol"), "withdraw_unbonded", pl.DataFrame({"note": [""]}))
    staked.run(3)
    assert staking_of(staked).bonded == 9 * 10**8
    beat(staked, key, 9)
    held = staked.balance(key("carol"))
    staked.send(key("carol"), "withdraw_unbonded", pl.DataFrame({"note": [""]}))
    staked.run(4)
    fee = staked.blocks.filter(pl.col("transactions") > 0)["fees"].to_list()[-1]
    assert staked.balance(key("carol")) == held + 10**8 - fee


def test_a_chain_without_staking_says_so(make_chain, key):
    chain = make_chain()
    chain.send(key("alice"), "bond", bond(5))
    chain.run(3)
    assert "has no staking" in chain.transactions["reason"].to_list()[0]
    with pytest.raises(ArgumentTypeError, match="StakingRules"):
        make_chain(staking=5)


def locked(chain, key, seconds):
    """Lock 1 GRID of alice for bob for so many seconds after genesis."""
    frame = pl.DataFrame(
        {
            "payee": [chain.account(key("bob"))],
            "asset": pl.Series(["GRID"], dtype=ASSETS),
            "amount": [1_000_000],
            "hash": [hashlib.sha256(SECRET).digest()],
            "timeout": [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)],
        }
    )
    chain.send(key("alice"), "hash_lock", frame)
    chain.run(3)
    (lock,) = chain._final.state.parts["locks"].book.locks
    return lock


def test_a_lock_is_claimed_by_its_preimage_once(make_chain, key):
    chain = make_chain()
    lock = locked(chain, key, 600)
    assert chain.ledger.reserved(chain.account(key("alice")), "GRID") == 1_000_000
    for preimage in (bytes(32), SECRET, SECRET):
        chain.send(key("bob"), "hash_claim", pl.DataFrame({"lock": [lock], "preimage": [preimage]}))
    chain.send(key("alice"), "hash_refund", pl.DataFrame({"lock": [lock]}))
    chain.run(4)
    codes = chain.transactions.filter(pl.col("kind") == "hash_claim").sort("nonce")["accepted"].to_list()
    assert codes == [False, True, False]
    assert chain.transactions.filter(pl.col("kind") == "hash_refund")["accepted"].to_list() == [False]
    paid = chain.blocks.filter("final")["fees"].sum()
    assert chain.balance(key("alice")) + chain.balance(key("bob")) + paid == 200_000_000
    assert chain.replay().state_root == chain.state_root


def test_a_lock_is_refunded_from_its_timeout_on(make_chain, key):
    chain = make_chain()
    lock = locked(chain, key, 36)
    chain.send(key("alice"), "hash_refund", pl.DataFrame({"lock": [lock]}))
    chain.run(1)
    chain.run(4)
    chain.send(key("bob"), "hash_claim", pl.DataFrame({"lock": [lock], "preimage": [SECRET]}))
    chain.send(key("alice"), "hash_refund", pl.DataFrame({"lock": [lock]}))
    chain.run(3)
    rows = chain.transactions.filter(pl.col("kind") != "hash_lock").sort("height", "nonce")
    assert rows.filter(pl.col("kind") == "hash_refund")["accepted"].to_list() == [False, True]
    assert rows.filter(pl.col("kind") == "hash_claim")["accepted"].to_list() == [False]
    assert chain.ledger.reserved(chain.account(key("alice")), "GRID") == 0
