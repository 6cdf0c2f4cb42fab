"""Conditional payments over one hop, on and off the chain, and the watchtower."""

from dataclasses import replace

import pytest

from gridlab.chain import keys
from gridlab.chain.channels import (
    ChannelBook,
    Conditional,
    HopPayment,
    Watchtower,
    cancel_lock,
    convicts,
    fulfil_lock,
    offer_lock,
)
from gridlab.chain.swaps import Stops, hash_of
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

SECRET = bytes(range(32))
MINUTE = 60_000_000


@pytest.fixture
def route(make):
    ledger = make.funded()
    book, first = make.channel_of(ChannelBook("chain"), ledger, (0, 1), (500, 0))
    book, second = make.channel_of(book, ledger, (1, 2), (300, 0))
    return ledger, book, first, second


def payment(first, second, **changes):
    usual = {"amount": 100, "fee": 3, "digest": hash_of(SECRET), "timeouts": (30 * MINUTE, 15 * MINUTE)}
    return HopPayment(first, second, **(usual | {"delta": 12 * MINUTE} | changes))


def test_a_payment_over_one_hop_pays_all_or_nobody(route):
    _, _, first, second = route
    hop = payment(first, second)
    hop.lock()
    assert (first.balances, second.balances) == ((397, 0), (200, 0))
    hop.fulfil(SECRET)
    assert (first.balances, second.balances) == ((397, 103), (200, 100))
    other = payment(first, second, digest=hash_of(bytes(32)))
    other.lock()
    other.cancel()
    assert (first.balances, second.balances) == ((397, 103), (200, 100))


def test_where_the_middleman_cannot_pay_the_payer_has_its_own_back(route):
    _, _, first, second = route
    with pytest.raises(ChainError, match="side 0 holds 300"):
        payment(first, second, amount=301).lock()
    assert (first.balances, first.latest.state.locks) == ((500, 0), ())


def test_a_middleman_wants_enough_time(route):
    _, _, first, second = route
    with pytest.raises(ChainError, match="cannot collect"):
        payment(first, second, timeouts=(20 * MINUTE, 15 * MINUTE))


def test_a_wrong_preimage_opens_nothing(route):
    _, _, first, second = route
    payment(first, second).lock()
    with pytest.raises(ChainError, match="no lock of state 1 has the hash"):
        fulfil_lock(second, bytes(32))
    with pytest.raises(ArgumentError, match="31 bytes"):
        fulfil_lock(second, bytes(31))


@pytest.mark.parametrize(("shown", "won"), [(14 * MINUTE, True), (15 * MINUTE, False), (None, False)])
def test_where_the_other_does_not_answer_the_chain_decides_by_preimage_and_time(route, shown, won):
    ledger, book, first, second = route
    payment(first, second).lock()
    book, _ = book.close(second.channel, second.latest, 1, Stops())
    if shown is not None:
        book, _ = book.reveal(second.channel, SECRET, shown, Stops())
    else:
        with pytest.raises(ChainError, match="may be disputed or claimed from"):
            book.settle(ledger, second.channel, 15 * MINUTE - 1, Stops())
    book.settle(ledger, second.channel, 15 * MINUTE, Stops())
    assert ledger.balance(3, "WATT") == 1_000 + 100 * won
    assert ledger.balance(2, "WATT") == 1_000 - 100 * won


def test_a_far_timeout_does_not_keep_a_close_waiting_for_ever(route):
    ledger, book, first, _ = route
    offer_lock(first, Conditional(0, 50, hash_of(SECRET), 10**15))
    book, record = book.close(first.channel, first.latest, 0, Stops())
    assert record.settles_at == (10 + 30) * MINUTE
    book.settle(ledger, first.channel, record.settles_at, Stops())
    assert ledger.balance(1, "WATT") == 1_000


def test_what_is_revealed_is_checked(route):
    _, book, first, second = route
    payment(first, second).lock()
    with pytest.raises(ChainError, match="is open, only one that is closing"):
        book.reveal(second.channel, SECRET, 1, Stops())
    book, _ = book.close(second.channel, second.latest, 1, Stops())
    with pytest.raises(ArgumentError, match="33 bytes"):
        book.reveal(second.channel, bytes(33), 2, Stops())
    with pytest.raises(ChainError, match="no lock of state 1 has the hash"):
        book.reveal(second.channel, bytes(32), 2, Stops())
    book, _ = book.reveal(second.channel, SECRET, 2, Stops())
    with pytest.raises(ChainError, match="was shown to channel 1 before"):
        book.reveal(second.channel, SECRET, 3, Stops())
    assert ChannelBook.from_bytes(book.to_bytes()) == book


def test_two_locks_with_one_hash_and_a_final_state_with_a_lock_are_refused(route):
    _, _, first, _ = route
    lock = Conditional(0, 50, hash_of(SECRET), MINUTE)
    offer_lock(first, lock)
    with pytest.raises(ChainError, match="same hash"):
        offer_lock(first, lock)
    with pytest.raises(ChainError, match="open locks"):
        first.finish()
    cancel_lock(first, lock.hash)
    assert first.finish().state.balances == (500, 0)


def test_a_watchtower_answers_a_stale_close_within_the_window(opened):
    ledger, book, channel = opened
    tower = Watchtower(keys.sandbox(1, "tower"), "chain")
    old = channel.pay(10)
    receipt = tower.take(book, channel.pay(500), 1)
    with pytest.raises(ChainError, match="version 2 is held, 1 is not newer"):
        tower.take(book, old, 2)
    assert tower.watch(book, 3, Stops()) is book
    book, _ = book.close(channel.channel, old, 4, Stops())
    book = tower.watch(book, 5, Stops())
    assert book[channel.channel].version == 2
    assert tower.answers(book, 6, Stops()) == []
    book, _ = book.settle(ledger, channel.channel, 4 + 10 * MINUTE, Stops())
    assert ledger.balance(2, "WATT") == 1_510
    assert not convicts(receipt, book)


def test_a_watchtower_that_slept_is_convicted_by_its_receipt(opened):
    ledger, book, channel = opened
    tower = Watchtower(keys.sandbox(1, "tower"), "chain")
    old = channel.pay(10)
    receipt = tower.take(book, channel.pay(500), 1)
    book, _ = book.close(channel.channel, old, 4, Stops())
    assert not convicts(receipt, book)
    assert tower.answers(book, 4 + 10 * MINUTE, Stops()) == []
    book, _ = book.settle(ledger, channel.channel, 4 + 10 * MINUTE, Stops())
    assert convicts(receipt, book)
    assert not convicts(replace(receipt, version=3), book)
    assert not convicts(replace(receipt, accepted_at=5), book)


def test_a_watchtower_takes_only_what_both_have_signed(opened, make):
    _, book, channel = opened
    tower = Watchtower(keys.sandbox(1, "tower"), "chain")
    half = channel.ends[0].propose(channel.latest.state.next((790, 110)))
    with pytest.raises(ChainError, match="signature of side 1 is missing"):
        tower.take(book, half, 1)
    with pytest.raises(ArgumentTypeError):
        tower.take(book, None, 1)
    with pytest.raises(ArgumentTypeError):
        convicts(None, book)
