"""Channels on the consortium chain: opened, paid in, closed, disputed and settled by transactions."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, keys
from gridlab.chain.channels import (
    ChannelTerms,
    Conditional,
    PaymentChannel,
    SignedState,
    Watchtower,
    opening_frame,
    state_frame,
)
from gridlab.chain.effects import RULES
from gridlab.chain.effects.effect import Call
from gridlab.chain.moments import require_microseconds
from gridlab.chain.snapshot import decode_state, encode_state
from gridlab.errors import GridlabError

MINUTE = 60_000_000
TERMS = ChannelTerms(dispute_window=60, longest_lock=30)
SECRET = bytes(range(32))


@pytest.fixture
def start(make):
    return require_microseconds("start", make.start)


@pytest.fixture
def send(chain, pairs, start):
    """Seal one transaction at so many minutes after the start; return its reason, empty where it was accepted."""

    def one(name, kind, frame, minutes=0):
        root, balances = chain.state_root, chain.ledger.balances
        chain.send(pairs[name], kind, frame)
        receipt = chain.seal(start + minutes * MINUTE).receipts[0]
        if not receipt.accepted:
            assert chain.state_root == root
            assert chain.ledger.balances.equals(balances)
        return receipt.reason

    return one


@pytest.fixture
def both(chain, pairs, account, send):
    """A channel in which alice has 40 WATT and bob 10."""
    sides = [pairs["alice"], pairs["bob"]]
    accounts = (account["alice"], account["bob"])
    frame = opening_frame(chain.channel_book, sides, accounts, (40_000_000, 10_000_000), terms=TERMS)
    assert not send("alice", "channel_open", frame)
    (channel,) = chain.channel_book.channels
    return PaymentChannel(chain.chain_id, channel, sides, chain.channel_book[channel])


def settle(both):
    return pl.DataFrame({"channel": [both.channel]})


def test_a_thousand_signed_payments_are_settled_by_one_transaction(chain, account, both, send):
    assert chain.ledger.available(account["alice"], "WATT") == 60_000_000
    before = len(chain.transactions)
    both.pay_many([1_000 + place for place in range(1_000)])
    assert both.version == 1_000
    assert not send("bob", "channel_close_together", state_frame(both.channel, both.finish()))
    paid = 1_000 * 1_000 + 999 * 1_000 // 2
    assert len(chain.transactions) == before + 1
    assert chain.ledger.balance(account["alice"], "WATT") == 100_000_000 - paid
    assert chain.ledger.balance(account["bob"], "WATT") == 50_000_000 + paid
    assert chain.ledger.reserved(account["alice"], "WATT") == 0
    assert "settled already" in send("bob", "channel_close_together", state_frame(both.channel, both.latest))


def test_a_stale_state_is_beaten_by_a_watchtower_of_any_member(chain, account, both, send, start):
    stale = both.pay(1_000_000)
    newest = both.pay(5_000_000)
    tower = Watchtower(keys.sandbox(0, "tower"), chain.chain_id)
    tower.take(chain.channel_book, newest, start)
    assert not send("alice", "channel_close", state_frame(both.channel, stale))
    (answer,) = tower.answers(chain.channel_book, start + 59 * MINUTE, chain.stops)
    assert not send("grid", "channel_dispute", state_frame(both.channel, answer), 59)
    assert "strictly greater" in send("alice", "channel_dispute", state_frame(both.channel, stale), 59)
    assert "for another" in send("alice", "channel_settle", settle(both), 59)
    assert "window" in send("bob", "channel_dispute", state_frame(both.channel, newest), 60)
    assert not send("grid", "channel_settle", settle(both), 60)
    assert chain.ledger.balance(account["bob"], "WATT") == 56_000_000


def test_a_close_without_a_state_pays_the_deposits_back(chain, account, both, send):
    assert "is no side" in send("grid", "channel_close", state_frame(both.channel))
    assert not send("bob", "channel_close", state_frame(both.channel))
    assert not send("alice", "channel_settle", settle(both), 60)
    assert chain.ledger.available(account["alice"], "WATT") == 100_000_000
    assert chain.ledger.available(account["bob"], "WATT") == 50_000_000


def test_whoever_tops_up_pays_for_it_alone(chain, account, both, send):
    def top_up(amount):
        return pl.DataFrame({"channel": [both.channel], "amount": [amount]})

    assert "is no side" in send("grid", "channel_top_up", top_up(5))
    assert not send("bob", "channel_top_up", top_up(7_000_000))
    assert chain.channel_book[both.channel].deposited == (40_000_000, 17_000_000)
    assert chain.ledger.available(account["alice"], "WATT") == 60_000_000
    assert chain.ledger.available(account["bob"], "WATT") == 33_000_000
    assert send("bob", "channel_top_up", top_up(33_000_001))
    assert send("alice", "channel_top_up", top_up(0))
    whole = both.topped_up(chain.channel_book[both.channel])
    assert whole.state.balances == (40_000_000, 17_000_000)


def test_a_conditional_payment_is_won_by_its_preimage_while_the_channel_closes(
    chain, pairs, account, both, send, start
):
    lock = Conditional(0, 3_000_000, hashlib.sha256(SECRET).digest(), start + 80 * MINUTE)
    state = both.following((37_000_000, 10_000_000), locks=(lock,))
    signed = SignedState(state)
    for side, name in enumerate(("alice", "bob")):
        signed = signed.sign(chain.chain_id, pairs[name], side)
    assert not send("bob", "channel_close", state_frame(both.channel, signed))
    reveal = pl.DataFrame({"channel": [both.channel], "preimage": [SECRET]})
    assert "no lock" in send("bob", "channel_reveal", reveal.with_columns(preimage=pl.lit(bytes(32))))
    assert "for another" in send("alice", "channel_settle", settle(both), 60)
    assert not send("bob", "channel_reveal", reveal, 61)
    assert not send("bob", "channel_settle", settle(both), 61)
    assert chain.ledger.balance(account["bob"], "WATT") == 53_000_000


def test_an_opening_needs_both_signatures_of_members_who_may_act(chain, pairs, account, make, send):
    sides, accounts = [pairs["alice"], pairs["bob"]], (account["alice"], account["bob"])
    good = opening_frame(chain.channel_book, sides, accounts, (5, 5), terms=TERMS)
    stranger = opening_frame(chain.channel_book, [pairs["alice"], pairs["grid"]], accounts, (5, 5), terms=TERMS)
    nobody = good.with_columns(account_1=pl.lit(99, pl.UInt32))
    rich = opening_frame(chain.channel_book, sides, accounts, (100_000_001, 0), terms=TERMS)
    banks = [pairs["issuer"], pairs["bob"]]
    minted = opening_frame(chain.channel_book, banks, (account["issuer"], account["bob"]), (5, 0), terms=TERMS)
    assert "has not signed the opening" in send("alice", "channel_open", stranger)
    assert "account is 99" in send("alice", "channel_open", nobody)
    assert "is neither of" in send("grid", "channel_open", good)
    assert "2 rows, allowed: one" in send("alice", "channel_open", pl.concat([good, good]))
    assert send("alice", "channel_open", rich)
    assert "issues WATT" in send("issuer", "channel_open", minted)
    assert not send("regulator", "membership", make.change(chain, "bob", active=False))
    assert "may not act now" in send("alice", "channel_open", good)
    assert chain.channel_book.is_empty


def test_states_of_other_channels_and_forged_ones_are_refused(chain, pairs, both, send):
    signed = both.pay(1_000)
    forged = SignedState(replace(signed.state, version=9), signed.signatures)
    foreign = SignedState(signed.state).sign("another chain", pairs["alice"], 0).sign("another chain", pairs["bob"], 1)
    half = SignedState(signed.state, (signed.signatures[0], b""))
    for wrong in (forged, foreign, half):
        assert "signature" in send("alice", "channel_close", state_frame(both.channel, wrong))
    assert "is not known" in send("alice", "channel_close", state_frame(bytes(32), signed))
    other = replace(signed.state, channel=bytes(32))
    assert "is of channel" in send("alice", "channel_close", state_frame(both.channel, SignedState(other)))
    damaged = pl.DataFrame({"channel": [both.channel], "signed": [signed.to_bytes()[:-3]]})
    assert send("alice", "channel_close", damaged)
    assert "not final" in send("alice", "channel_close_together", state_frame(both.channel, signed))
    assert chain.channel_book[both.channel].phase == "open"


def test_an_emergency_stop_takes_nothing_from_the_window(chain, both, make, send):
    stale, newest = both.pay(1_000), both.pay(2_000)
    stop = pl.DataFrame({"chain": [chain.chain_id], "moment": [make.start], "stands": [True]})
    assert not send("alice", "channel_close", state_frame(both.channel, stale))
    assert not send("regulator", "emergency_stop", stop)
    assert "stands" in send("bob", "channel_dispute", state_frame(both.channel, newest), 30)
    assert not send("regulator", "emergency_stop", stop.with_columns(stands=False), 500)
    assert "for another" in send("alice", "channel_settle", settle(both), 559)
    assert not send("bob", "channel_dispute", state_frame(both.channel, newest), 559)
    assert not send("alice", "channel_settle", settle(both), 560)
    assert chain.channel_book[both.channel].version == newest.state.version


def test_channels_are_replayed_stored_and_come_back_from_a_snapshot(chain, both, send, tmp_path):
    stale, newest = both.pay(1_000), both.pay(2_000)
    chain.store_in(tmp_path / "run.db", snapshot_every=1)
    send("alice", "channel_close", state_frame(both.channel, stale))
    assert chain.replay().state_root == chain.state_root
    snapshot = decode_state(encode_state(chain._state), chain.head)
    assert snapshot.locked.channels[both.channel] == chain.channel_book[both.channel]
    send("bob", "channel_dispute", state_frame(both.channel, newest), 10)
    send("bob", "channel_settle", settle(both), 60)
    again = ConsortiumChain.from_bytes(chain.to_bytes())
    chain.close()
    opened = ConsortiumChain.open(tmp_path / "run.db")
    for other in (again, opened):
        assert other.state_root == chain.state_root
        assert other.channel_book[both.channel].phase == "settled"
    opened.close()


@pytest.fixture
def signed_states(both):
    """Three states, of which the last is final."""
    return [both.pay(1_000), both.pay(2_000), both.finish()]


def steps_of(both, states, account):
    """Every step that anybody might try, good or bad, by sender, kind and frame."""
    reveal = pl.DataFrame({"channel": [both.channel], "preimage": [SECRET]})
    found = [(name, "channel_settle", settle(both)) for name in ("alice", "grid")]
    found += [("bob", "channel_reveal", reveal), ("grid", "channel_close", state_frame(both.channel))]
    found += [
        (name, "channel_top_up", pl.DataFrame({"channel": [both.channel], "amount": [amount]}))
        for name, amount in (("alice", 1_000), ("bob", 10**9), ("grid", 1))
    ]
    for signed in states:
        frame = state_frame(both.channel, signed)
        found += [("alice", "channel_close", frame), ("bob", "channel_close_together", frame)]
        found += [(name, "channel_dispute", frame) for name in ("bob", "grid")]
    return [(account[name], kind, frame) for name, kind, frame in found]


@given(tries=st.lists(st.tuples(st.integers(0, 18), st.integers(0, 40)), min_size=1, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_tried_no_money_is_made_and_a_refusal_changes_nothing(
    chain, account, both, signed_states, start, tries
):
    """Any steps at any moments, against one channel; the fixture's chain itself is left as it is."""
    state = chain._state.fork()
    steps, now, total = steps_of(both, signed_states, account), start, 150_000_000
    shown = 0
    for choice, minutes in tries:
        sender, kind, frame = steps[choice]
        now += minutes * MINUTE
        root = state.root
        try:
            RULES[1][kind].act(state, Call(sender, frame, b"", 2, now, None))
        except GridlabError:
            assert state.root == root
        record = state.locked.channels[both.channel]
        assert record.version >= shown
        shown = record.version
        held = [state.ledger.balance(account[name], "WATT") for name in ("alice", "bob")]
        assert sum(held) == total
        assert all(state.ledger.available(account[name], "WATT") >= 0 for name in ("alice", "bob"))
        open_ = state.ledger.reserved(account["alice"], "WATT") + state.ledger.reserved(account["bob"], "WATT")
        assert open_ == (0 if record.phase == "settled" else sum(record.deposited))
