"""Payments off chain: halves and wholes, batches to the byte, many updates and one transaction, and traders' books."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.chain.channels import (
    Cancel,
    ChannelBook,
    ChannelState,
    PaymentChannel,
    Place,
    Quote,
    SignedState,
    StateChannel,
    Take,
    TraderBook,
)
from gridlab.chain.channels.batch import messages_of, sign_and_check
from gridlab.chain.swaps import Stops
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

SLOT = 1_775_000_000_000_000


def test_a_payment_is_signed_by_both(opened, make):
    _, _, channel = opened
    whole = channel.pay(25)
    assert whole.require_both("chain", [pair.public_key for pair in make.pairs[:2]]).balances == (775, 125)
    assert channel.history.rows() == [(0, 800, 100), (1, 775, 125)]


@pytest.mark.parametrize(
    ("amount", "error"),
    [(0, ArgumentError), (-1, ArgumentError), (801, ChainError), (2**63, ArgumentError), (1.0, ArgumentTypeError)],
)
def test_a_payment_that_cannot_be_is_refused_and_changes_nothing(opened, amount, error):
    _, _, channel = opened
    with pytest.raises(error):
        channel.pay(amount)
    with pytest.raises(error):
        channel.pay_many([1, amount])
    assert (channel.version, channel.balances) == (0, (800, 100))


def test_half_signed_states_wait_for_their_answer(opened, make):
    _, book, channel = opened
    payer, payee = channel.ends
    half = payer.propose(channel.latest.state.next((790, 110)))
    assert half.signatures[1] == b""
    with pytest.raises(ChainError, match="signed and unanswered"):
        payer.propose(channel.latest.state.next((780, 120)))
    with pytest.raises(ChainError, match="signed by one side only"):
        channel.pay_many([1])
    with pytest.raises(ChainError, match="signature of side 1 is missing"):
        book.close(channel.channel, half, 1, Stops())
    with pytest.raises(ChainError, match="is missing"):
        payer.complete(half)
    assert payer.latest.state.version == 0
    payer.complete(payee.answer(half))
    assert payer.latest == payee.latest == channel.latest


def test_nobody_signs_what_takes_from_it_or_skips_a_version(opened):
    _, _, channel = opened
    payer, payee = channel.ends
    with pytest.raises(ChainError, match="side 1 would gain -50 over its deposits instead of 0"):
        channel.update(channel.latest.state.next((850, 50)), proposer=0)
    for version in (0, 1, 2_000, 2**64 - 1):
        with pytest.raises(ChainError, match=f"state {version} follows version 0, allowed: 2 … 1001"):
            payer.propose(ChannelState(channel.channel, version, (800, 100), (800, 100)))
    with pytest.raises(ChainError, match="is of channel"):
        payer.propose(ChannelState(bytes(32), 2, (800, 100), (800, 100)))
    with pytest.raises(ChainError, match="counts on"):
        payer.propose(ChannelState(channel.channel, 2, (900, 100), (900, 100)))
    unsigned = SignedState(channel.latest.state.next((700, 200)))
    with pytest.raises(ChainError, match="is not signed by the other side"):
        payee.answer(unsigned)
    assert channel.version == 0


def test_a_refused_state_is_beaten_by_the_next_one_even_if_the_refuser_signs_it_after_all(opened, make):
    _, book, channel = opened
    payer, payee = channel.ends
    dear = payer.propose(channel.latest.state.next((300, 600)))
    payer.withdraw()
    cheap = channel.pay(10)
    assert (dear.state.version, cheap.state.version) == (1, 2)
    book, _ = book.close(channel.channel, dear.sign("chain", payee.pair, 1), 1, Stops())
    book, record = book.dispute(channel.channel, cheap, 2, Stops())
    assert record.outcome() == (790, 110)
    channel.pay_many([1, 2])
    assert channel.version == 4


def test_a_top_up_cannot_be_credited_to_the_other_side(opened):
    ledger, book, channel = opened
    _, record = book.top_up(ledger, channel.channel, 1, 50, 3, Stops())
    for end in channel.ends:
        end.deposits = record.deposited
    with pytest.raises(ChainError, match="side 1 would gain -50 over its deposits instead of 0"):
        channel.update(channel.latest.state.next((850, 100), deposits=(800, 150)), proposer=0)


def test_a_payment_changes_no_application(make, opened):
    channel = traders(make, opened)
    channel.move(Place(Quote(SLOT, "sell", 3, 100)), mover=1)
    with pytest.raises(ChainError, match="leaves locks and application alone"):
        channel.update(channel.following((790, 110), application=bytes(32)), proposer=0)
    channel.pay(10)
    assert channel.latest.state.application == channel.application.hash


def test_after_a_final_state_nothing_follows(opened):
    _, _, channel = opened
    channel.finish()
    with pytest.raises(ChainError, match="is final"):
        channel.pay(1)
    with pytest.raises(ChainError, match="is final"):
        channel.pay_many([1])


def test_balances_must_be_exactly_the_deposits():
    with pytest.raises(ChainError, match="add up to 901, allowed: exactly the deposits, 900"):
        ChannelState(bytes(32), 1, (800, 100), (800, 101))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=30), st.integers(0, 1))
@settings(max_examples=25)
def test_many_payments_are_the_same_states_as_one_by_one(amounts, payer):
    pairs = [keys.sandbox(3, name) for name in ("a", "b")]
    first = ChannelState(bytes(32), 7, (900, 700), (800, 800))
    totals = np.cumsum(amounts)
    change = np.stack([totals, -totals] if payer else [-totals, totals], axis=1)
    messages = messages_of(first, "chain", np.array([800, 800]) + change)
    state = first
    for amount, message in zip(amounts, messages, strict=True):
        one, other = state.balances
        state = state.next((one + amount, other - amount) if payer else (one - amount, other + amount))
        assert message == state.message("chain")
    for pair in pairs:
        signature, bad = sign_and_check(pair, messages)
        assert bad is None
        assert signature == pair.sign(messages[-1])


@pytest.mark.parametrize("kind", [list, tuple, np.array, pl.Series])
def test_amounts_come_in_any_column(opened, kind):
    _, _, channel = opened
    channel.pay_many(kind([3, 4, 5]))
    assert channel.history["balance_1"].to_list() == [100, 103, 107, 112]


@pytest.mark.parametrize("wrong", [None, [], 5, "12", np.array([1.5]), np.array([[1]]), [True], [2**62, 2**62, 2**62]])
def test_columns_that_are_no_amounts_are_refused(opened, wrong):
    _, _, channel = opened
    with pytest.raises((ArgumentTypeError, ArgumentError, ChainError)):
        channel.pay_many(wrong)
    assert channel.version == 0


def test_a_hundred_thousand_readings_are_settled_by_one_transaction(make):
    ledger = make.funded(100_000_000)
    before = len(ledger.transfers)
    book, channel = make.channel_of(ChannelBook("chain"), ledger, deposits=(60_000_000, 0))
    amounts = np.random.default_rng(1).integers(1, 1_000, 100_000)
    channel.pay_many(amounts)
    book, record = book.close_together(ledger, channel.channel, channel.finish(), 5, make.running)
    assert (channel.version, record.version) == (100_001, 100_001)
    assert ledger.balance(2, "WATT") == 100_000_000 + amounts.sum()
    # One transfer reserved the deposit, one paid.
    assert len(ledger.transfers) - before == 2


def traders(make, opened):
    _, book, channel = opened
    pairs = make.pairs[:2]
    return StateChannel("chain", channel.channel, pairs, book[channel.channel], application=TraderBook())


def test_two_traders_quote_take_and_cancel(make, opened):
    ledger, book, _ = opened
    channel = traders(make, opened)
    channel.move(Place(Quote(SLOT, "sell", 3, 100)), mover=1)
    channel.move(Take(0, 40), mover=0)
    channel.move(Place(Quote(SLOT, "buy", -2, 10)), mover=0)
    channel.move(Take(1, 10), mover=1)
    channel.move(Cancel(0), mover=1)
    assert channel.application.positions == ((SLOT, 50),)
    assert channel.application.quotes == ()
    assert channel.balances == (800 - 120 + 20, 100 + 120 - 20)
    assert channel.latest.state.application == channel.application.hash
    book, _ = book.close(channel.channel, channel.latest, 0, make.running)
    book.settle(ledger, channel.channel, 10 * make.minute, make.running)
    assert ledger.balance(2, "WATT") == 1_100


@pytest.mark.parametrize(
    ("move", "mover", "sentence"),
    [
        (Take(0, 40), 1, "is not side 0's"),
        (Cancel(0), 0, "is not side 0's"),
        (Take(0, 101), 0, "at most 100"),
        (Take(1, 1), 0, "does not stand"),
        ("take", 0, "allowed: Place, Cancel or Take"),
    ],
)
def test_moves_that_are_not_allowed_change_nothing(make, opened, move, mover, sentence):
    channel = traders(make, opened)
    channel.move(Place(Quote(SLOT, "sell", 3, 100)), mover=1)
    before = channel.latest
    with pytest.raises((ChainError, ArgumentError, ArgumentTypeError), match=sentence):
        channel.move(move, mover=mover)
    assert channel.latest == before


def test_a_trade_that_somebody_cannot_pay_is_refused(make, opened):
    channel = traders(make, opened)
    channel.move(Place(Quote(SLOT, "sell", 9, 100)), mover=1)
    with pytest.raises(ChainError, match="side 0 holds 800"):
        channel.move(Take(0, 100), mover=0)


def test_the_other_side_works_out_a_move_itself_and_signs_nothing_else(make, opened):
    channel = traders(make, opened)
    channel.move(Place(Quote(SLOT, "sell", 3, 100)), mover=1)
    after, _ = channel.application.advance(channel.balances, Take(0, 40), 0)
    cheaper = channel.latest.state.next((channel.balances[0] - 1, channel.balances[1] + 1), application=after.hash)
    with pytest.raises(ChainError, match="works out balances"):
        channel.update(cheaper, proposer=0, agree=channel.follows(Take(0, 40), 0))
    assert channel.version == 1
    channel.move(Take(0, 40), mover=0)
    assert channel.balances == (680, 220)


@pytest.mark.parametrize("changes", [{"side": "by"}, {"energy": 0}, {"price": 10**10}, {"slot": -1}])
def test_quotes_out_of_bounds_are_refused(changes):
    with pytest.raises(ArgumentError):
        Quote(**({"slot": SLOT, "side": "buy", "price": 1, "energy": 1} | changes))


def test_a_channel_that_is_not_open_or_not_ones_own_is_refused(opened, make):
    _, book, channel = opened
    record = book[channel.channel]
    with pytest.raises(ChainError, match="pairs"):
        PaymentChannel("chain", channel.channel, make.pairs[1:], record)
    with pytest.raises(ChainError, match="another id on 'other'"):
        PaymentChannel("other", channel.channel, make.pairs[:2], record)
    with pytest.raises(ArgumentTypeError):
        PaymentChannel("chain", channel.channel, make.pairs[:2], None)
