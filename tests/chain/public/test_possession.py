"""Who stands for election shows that it holds the key it names; what no rule foresaw stops no chain."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.ed25519 import SMALL_ORDER_Y
from gridlab.chain.public import PublicCall, PublicChain, PublicEffect, candidacy_frame, possession_message
from gridlab.chain.public.accounts import EVERYONE, TREASURY
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.handover import author_account
from gridlab.chain.staking import Staking, StakingAccounts, StakingRules
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import Column, Schema

RULES = StakingRules(validators=4, session_length=20, sessions_per_era=1, bonding_duration=2, slash_defer_duration=1)
SESSION = keys.KeyPair.from_seed(b"k" * 32)
NOTE = Schema("broken", (Column("note", pl.String, "text", "anything"),))
NAMES = ("alice", "bob", "v0", "v1", "v2", "v3")


def pair(name):
    return keys.sandbox(0, name)


def make(**options):
    columns = {"public_key": [pair(name).public_key for name in NAMES], "balance": [10**9] * 6, "name": list(NAMES)}
    return PublicChain(
        pl.DataFrame(columns), validators=[(pair(name), 10**6) for name in NAMES[2:]], staking=RULES, **options
    )


@pytest.fixture
def chain():
    """Alice and Bob have bonded; four others are the validators of genesis."""
    made = make()
    for name in ("alice", "bob"):
        made.send(pair(name), "bond", pl.DataFrame({"amount": [10**8], "payee": ["stash"]}))
    made.run(4)
    return made


def said(chain, name, kind, frame):
    """Send, let it become final, and return why it was refused ("" where it was not)."""
    sent = chain.send(pair(name), kind, frame)
    chain.run(4)
    return chain.transactions.filter(pl.col("nonce") == sent.nonce, pl.col("account") == chain.account(pair(name)))[
        "reason"
    ].item()


def standing(key, proof=None):
    columns = {"commission": [0], "public_key": [key], "blocked": [False]}
    return pl.DataFrame(columns if proof is None else columns | {"proof": [proof]})


def candidates(chain):
    return chain.state.parts["staking"].staking.declared


def test_ones_own_key_needs_no_proof_and_a_wrong_one_is_refused_all_the_same(chain):
    own = pair("alice").public_key
    assert "proof is not its signature" in said(chain, "alice", "validate", standing(own, bytes(64)))
    assert candidates(chain) == {}
    for frame in (
        standing(own),
        standing(own, b""),
        candidacy_frame(chain.chain_id, chain.account(pair("alice")), pair("alice")),
    ):
        assert said(chain, "alice", "validate", frame) == ""
    assert candidates(chain) == {chain.account(pair("alice")): own}
    assert chain.replay().state_root == chain.state_root


def test_a_key_of_no_account_needs_its_signature_for_this_account_on_this_chain(chain):
    alice, bob = (chain.account(pair(name)) for name in ("alice", "bob"))
    for frame in (
        standing(SESSION.public_key),
        standing(SESSION.public_key, b""),
        candidacy_frame(chain.chain_id, bob, SESSION),
        candidacy_frame("another chain", alice, SESSION),
        standing(SESSION.public_key, pair("alice").sign(possession_message(chain.chain_id, alice))),
    ):
        assert "proof is not its signature" in said(chain, "alice", "validate", frame)
    assert candidates(chain) == {}
    frame = candidacy_frame(chain.chain_id, alice, SESSION, commission=7, blocked=True)
    assert said(chain, "alice", "validate", frame) == ""
    assert candidates(chain) == {alice: SESSION.public_key}


def test_the_key_of_another_account_is_refused_in_office_or_not_and_its_fees_stay_its_own(chain):
    alice = chain.account(pair("alice"))
    for name in ("v0", "bob"):
        for frame in (standing(pair(name).public_key), candidacy_frame(chain.chain_id, alice, pair(name))):
            assert "is the key of account" in said(chain, "alice", "validate", frame)
    assert said(chain, "v0", "bond", pl.DataFrame({"amount": [10**8], "payee": ["stash"]})) == ""
    assert said(chain, "v0", "validate", standing(pair("v0").public_key)) == ""
    seats = [author_account(chain.state, seat) for seat in range(4)]
    assert seats == [chain.account(pair(name)) for name in NAMES[2:]]


def test_a_key_in_office_serves_only_the_account_that_stands_with_it(chain):
    alice, bob = (chain.account(pair(name)) for name in ("alice", "bob"))
    assert said(chain, "alice", "validate", candidacy_frame(chain.chain_id, alice, SESSION)) == ""
    state = chain.state
    state.authorities = AuthoritySet(1, (SESSION.public_key,), (1,))

    def stand(account):
        frame = candidacy_frame(chain.chain_id, account, SESSION)
        chain.rules.effects["validate"].act(state, PublicCall(account, frame, b"", 9, 9, chain.head.header.timestamp))

    stand(alice)
    state.parts["staking"].staking.chill(bob)
    assert author_account(state, 0) == alice
    # Alice's era is the first, in which she is elected; were she not, nobody would stand with the key any more.
    state.parts["staking"].staking.chill(alice)
    with pytest.raises(ChainError, match="in office for another account"):
        stand(bob)
    stand(alice)


def test_a_key_in_office_with_which_nobody_stands_earns_for_the_treasury(chain):
    state = chain.state
    state.authorities = AuthoritySet(1, (SESSION.public_key,), (1,))
    assert author_account(state, 0) == TREASURY


@pytest.mark.parametrize("y", sorted(SMALL_ORDER_Y))
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_of_small_order_are_refused(y, sign):
    staking = Staking(10**9, StakingAccounts(0, 1, 2), rules=RULES)
    staking.bond(30, 100)
    key = (y | sign << 255).to_bytes(32, "little")
    with pytest.raises(ChainError, match="of small order"):
        staking.validate(30, commission=0, public_key=key)
    assert staking.declared == {}


def test_all_zeros_are_no_key(chain):
    assert said(chain, "alice", "validate", standing(bytes(32))) != ""
    assert candidates(chain) == {}


@pytest.mark.parametrize("payee", ["9" * 5_000, "9" * 11, "4294967296", "9" * 10, "\u0664\u0662", "", "stash" * 9])
def test_a_payee_that_no_account_can_be_costs_its_fee_and_stops_nothing(payee):
    chain = make()
    held = chain.balance(pair("alice"))
    assert "payee" in said(chain, "alice", "bond", pl.DataFrame({"amount": [10**8], "payee": [payee]}))
    assert held - 10**8 < chain.balance(pair("alice")) < held
    assert said(chain, "alice", "bond", pl.DataFrame({"amount": [10**8], "payee": ["4294967295"]})) == ""
    assert chain.replay().state_root == chain.state_root


class Broken:
    """A pallet whose kind changes the state and then fails as nobody foresaw."""

    name = "broken"

    def __init__(self, error):
        def act(state, call):
            state.nonces[call.account] += 5
            state.multiplier *= 3
            raise error

        self.effects = {"break": PublicEffect(NOTE, EVERYONE, act, 100, 50, "fails")}

    def part(self, chain_id):
        return SimpleNamespace(hash=bytes(32), fork=lambda: self.part(chain_id))

    def on_block(self, state, height, timestamp):
        pass


@pytest.mark.parametrize("error", [ValueError("0x7f3a"), RecursionError(), KeyError(3), ZeroDivisionError("x")])
def test_what_no_rule_foresaw_is_a_refused_receipt_with_the_same_text_everywhere(error):
    chain = make(pallets=[Broken(error)])
    reason = said(chain, "alice", "break", pl.DataFrame({"note": [""]}))
    assert reason == f"its rule failed unexpectedly, {type(error).__name__}"
    assert chain.transactions["code"].to_list() == ["rule_broken"]
    assert int(chain.state.nonces[chain.account(pair("alice"))]) == 1
    assert chain.pay(pair("alice"), pair("bob"), 5)
    chain.run(4)
    assert chain.transactions["accepted"].to_list() == [False, True]
    assert chain.replay().state_root == chain.state_root


def test_a_candidacy_is_signed_by_a_pair():
    with pytest.raises(ArgumentTypeError, match="signing"):
        candidacy_frame("public", 7, SESSION.public_key)
    with pytest.raises(ArgumentTypeError, match="account"):
        candidacy_frame("public", "7", SESSION)
