"""Channels on the public chain: the same frames and steps as on the consortium chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridlab.chain.channels import ChannelTerms, PaymentChannel, opening_frame, state_frame
from gridlab.chain.public import PublicChain

TERMS = ChannelTerms(dispute_window=1, longest_lock=1)


@pytest.fixture
def chain(make_chain):
    return make_chain()


@pytest.fixture
def both(chain, key):
    """A channel in which alice has 40 GRID and bob nothing."""
    sides = [key("alice"), key("bob")]
    accounts = (chain.account(sides[0]), chain.account(sides[1]))
    frame = opening_frame(chain.channel_book, sides, accounts, (40_000_000, 0), asset="GRID", terms=TERMS)
    assert not sent(chain, sides[0], "channel_open", frame)
    (channel,) = chain.channel_book.channels
    return PaymentChannel(chain.chain_id, channel, sides, chain.channel_book[channel])


def sent(chain, pair, kind, frame):
    """Send one transaction and let it become final; return its reason, empty where it was accepted."""
    transaction = chain.send(pair, kind, frame)
    chain.run(4)
    (row,) = chain.transactions.filter(pl.col("id") == "0x" + transaction.id.hex()).to_dicts()
    return "" if row["accepted"] else row["reason"]


def settle(both):
    return pl.DataFrame({"channel": [both.channel]})


def moved(chain, key, before):
    """What alice and bob have, fees aside."""
    paid = chain.blocks.filter("final")["fees"].sum()
    assert sum(chain.balance(key(name)) for name in ("alice", "bob", "carol")) + paid == before


def test_a_thousand_signed_payments_are_settled_by_one_transaction(chain, key, both):
    assert chain.ledger.reserved(chain.account(key("alice")), "GRID") == 40_000_000
    both.pay_many([1_000] * 1_000)
    before = chain.balance(key("bob"))
    assert not sent(chain, key("alice"), "channel_close_together", state_frame(both.channel, both.finish()))
    assert chain.balance(key("bob")) == before + 1_000_000
    assert chain.ledger.reserved(chain.account(key("alice")), "GRID") == 0
    moved(chain, key, 300_000_000)
    assert chain.replay().state_root == chain.state_root
    assert PublicChain.from_bytes(chain.to_bytes()).channel_book[both.channel].phase == "settled"


def test_a_stale_state_is_disputed_by_anybody(chain, key, both):
    stale, newest = both.pay(1_000_000), both.pay(5_000_000)
    assert not sent(chain, key("alice"), "channel_close", state_frame(both.channel, stale))
    assert not sent(chain, key("carol"), "channel_dispute", state_frame(both.channel, newest))
    assert "for another" in sent(chain, key("alice"), "channel_settle", settle(both))
    before = chain.balance(key("bob"))
    chain.run(10)
    assert not sent(chain, key("carol"), "channel_settle", settle(both))
    assert chain.balance(key("bob")) == before + 6_000_000
    moved(chain, key, 300_000_000)
    assert chain.replay().state_root == chain.state_root


def test_refused_steps_pay_their_fee_and_change_nothing(chain, key, both):
    signed = both.pay(1_000)
    book = chain.channel_book
    top_up = pl.DataFrame({"channel": [both.channel], "amount": [5]})
    cases = [
        ("carol", "channel_top_up", top_up, "is no side"),
        ("carol", "channel_close", state_frame(both.channel), "is no side"),
        ("alice", "channel_close_together", state_frame(both.channel, signed), "not final"),
        ("alice", "channel_dispute", state_frame(both.channel, signed), "is open"),
        ("alice", "channel_settle", pl.DataFrame({"channel": [bytes(32)]}), "is not known"),
        ("alice", "channel_reveal", pl.DataFrame({"channel": [both.channel], "preimage": [b"short"]}), "32"),
    ]
    for name, kind, frame, match in cases:
        held = chain.balance(key(name))
        assert match in sent(chain, key(name), kind, frame)
        assert chain.balance(key(name)) < held
    assert chain.channel_book == book


def test_only_an_account_with_an_attested_identity_is_a_side(chain, key):
    erin = key("erin")
    chain.attest([erin.public_key], kyc="expired")
    chain.run(4)
    sides = [key("alice"), erin]
    accounts = (chain.account(sides[0]), chain.account(erin))
    frame = opening_frame(chain.channel_book, sides, accounts, (5, 0), asset="GRID", terms=TERMS)
    assert "may not act now" in sent(chain, sides[0], "channel_open", frame)


def test_governance_tells_of_the_stops_of_other_chains_and_of_no_stop_of_its_own(chain, key):
    def stop(chain_id):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1)
        return pl.DataFrame({"chain": [chain_id], "moment": [moment], "stands": [True]})

    root = chain.best.state.parts["locks"].hash
    assert sent(chain, key("alice"), "emergency_stop", stop("other"))
    assert "which nobody can stop" in sent(chain, key("governance"), "emergency_stop", stop(chain.chain_id))
    assert chain.stops.is_empty
    assert not sent(chain, key("governance"), "emergency_stop", stop("other"))
    assert chain.stops.standing("other")
    assert chain.best.state.parts["locks"].hash != root
    assert chain.replay().state_root == chain.state_root
