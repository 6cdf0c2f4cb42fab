"""Channels on the chain: opened, topped up, closed, disputed, settled; the newest state wins, no money is lost."""

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gridlab.chain import keys
from gridlab.chain.channels import (
    ChannelBook,
    ChannelState,
    ChannelTerms,
    Opening,
    PaymentChannel,
    SignedState,
    channels_frame,
    events_frame,
    open_channel,
    opening_message,
)
from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps import Stops
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError, LedgerError

RUNNING = Stops()
MINUTE = 60_000_000


def held(ledger):
    return [ledger.balance(who, "WATT") for who in (1, 2)]


def test_a_channel_reserves_what_is_deposited(opened):
    ledger, book, channel = opened
    assert [ledger.available(who, "WATT") for who in (1, 2)] == [200, 900]
    assert book[channel.channel].deposited == (800, 100)


def test_closed_together_it_pays_at_once(opened):
    ledger, book, channel = opened
    channel.pay(300)
    channel.pay(50, payer=1)
    book, record = book.close_together(ledger, channel.channel, channel.finish(), 5, RUNNING)
    assert (held(ledger), record.phase) == ([750, 1_250], "settled")
    assert [ledger.reserved(who, "WATT") for who in (1, 2)] == [0, 0]
    with pytest.raises(ChainError, match="settled already"):
        book.close_together(ledger, channel.channel, channel.latest, 6, RUNNING)


def test_an_ordinary_state_does_not_close_at_once(opened):
    ledger, book, channel = opened
    with pytest.raises(ChainError, match="is not final"):
        book.close_together(ledger, channel.channel, channel.pay(1), 5, RUNNING)


def test_without_any_state_the_deposits_go_back(opened):
    ledger, book, channel = opened
    book, _ = book.close(channel.channel, None, 5, RUNNING)
    book, _ = book.settle(ledger, channel.channel, 5 + 10 * MINUTE, RUNNING)
    assert held(ledger) == [1_000, 1_000]


def test_a_stale_close_is_beaten_by_a_greater_version_and_the_window_stays(opened, make):
    ledger, book, channel = opened
    old, new = channel.pay(10), channel.pay(500)
    book, record = book.close(channel.channel, old, 0, RUNNING)
    end = record.window_end
    book, record = book.dispute(channel.channel, new, 10 * MINUTE - 1, RUNNING)
    assert (record.version, record.window_end) == (2, end)
    with pytest.raises(ChainError, match="may be disputed or claimed from for another 1 µs"):
        book.settle(ledger, channel.channel, 10 * MINUTE - 1, RUNNING)
    book, _ = book.settle(ledger, channel.channel, 10 * MINUTE, RUNNING)
    assert held(ledger) == [490, 1_510]
    assert events_frame(book)["event"].to_list() == ["open", "close", "dispute", "settle"]
    assert channels_frame(book).select("balance_0", "balance_1", "version").row(0) == (290, 610, 2)


@pytest.mark.parametrize("version", [1, 2])
def test_an_equal_or_older_version_wins_nothing(opened, version):
    _, book, channel = opened
    states = {1: channel.pay(10), 2: channel.pay(20)}
    book, _ = book.close(channel.channel, states[2], 0, RUNNING)
    with pytest.raises(ChainError, match=f"version {version} is shown and 2 stands, allowed: strictly greater"):
        book.dispute(channel.channel, states[version], 1, RUNNING)


def test_after_the_window_a_newer_state_comes_too_late(opened):
    _, book, channel = opened
    old, new = channel.pay(10), channel.pay(20)
    book, _ = book.close(channel.channel, old, 0, RUNNING)
    with pytest.raises(ChainError, match="is over since 0 µs"):
        book.dispute(channel.channel, new, 10 * MINUTE, RUNNING)


def test_an_emergency_stop_freezes_the_window(opened):
    ledger, book, channel = opened
    old, new = channel.pay(10), channel.pay(20)
    book, _ = book.close(channel.channel, old, MINUTE, RUNNING)
    stops = Stops().begin("chain", 2 * MINUTE)
    with pytest.raises(ChainError, match="'chain' stands"):
        book.dispute(channel.channel, new, 3 * MINUTE, stops)
    stops = stops.end("chain", 60 * MINUTE)
    with pytest.raises(ChainError, match="another"):
        book.settle(ledger, channel.channel, 60 * MINUTE, stops)
    book, record = book.dispute(channel.channel, new, 60 * MINUTE, stops)
    assert record.version == 2
    book.settle(ledger, channel.channel, (60 + 9) * MINUTE, stops)


def test_a_top_up_belongs_to_its_depositor_whatever_state_stands(opened):
    ledger, book, channel = opened
    state = channel.pay(700)
    book, record = book.top_up(ledger, channel.channel, 0, 150, 3, RUNNING)
    assert record.deposited == (950, 100)
    book, _ = book.close(channel.channel, state, 4, RUNNING)
    book, _ = book.settle(ledger, channel.channel, 4 + 10 * MINUTE, RUNNING)
    assert held(ledger) == [300, 1_700]


def test_what_is_topped_up_may_be_paid_once_both_have_seen_it(opened):
    ledger, book, channel = opened
    book, record = book.top_up(ledger, channel.channel, 0, 150, 3, RUNNING)
    with pytest.raises(ChainError, match="pay at most that, or top up"):
        channel.pay(801)
    channel.topped_up(record)
    channel.pay(950)
    book, _ = book.close_together(ledger, channel.channel, channel.finish(), 5, RUNNING)
    assert held(ledger) == [50, 1_950]
    with pytest.raises(ChainError, match="is settled, only one that is open"):
        book.top_up(ledger, channel.channel, 0, 1, 6, RUNNING)


def test_a_state_that_counts_on_more_than_was_deposited_is_refused(opened, make):
    _, book, channel = opened
    state = ChannelState(channel.channel, 1, (900, 100), (0, 1_000))
    both = SignedState(state).sign("chain", make.pairs[0], 0).sign("chain", make.pairs[1], 1)
    with pytest.raises(ChainError, match="counts on 900 of side 0, allowed: 800"):
        book.close(channel.channel, both, 1, RUNNING)


def test_a_state_of_another_channel_chain_or_signer_is_refused(make):
    ledger = make.funded(5_000)
    book, one = make.channel_of(ChannelBook("chain"), ledger)
    book, other = make.channel_of(book, ledger)
    with pytest.raises(ChainError, match="is of channel"):
        book.close(one.channel, other.pay(5), 1, RUNNING)
    state = one.pay(5)
    elsewhere = SignedState(state.state).sign("fork", make.pairs[0], 0).sign("fork", make.pairs[1], 1)
    with pytest.raises(ChainError, match="signature of side 0 is not valid for this chain"):
        book.close(one.channel, elsewhere, 1, RUNNING)
    swapped = SignedState(state.state, state.signatures[::-1])
    with pytest.raises(ChainError, match="signature of side 0 is not valid"):
        book.close(one.channel, swapped, 1, RUNNING)
    half = SignedState(state.state, (state.signatures[0], b""))
    with pytest.raises(ChainError, match="signature of side 1 is missing"):
        book.close(one.channel, half, 1, RUNNING)


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"deposits": (1_001, 0)}, LedgerError, "pays more than it holds"),
        ({"deposits": (0, 0)}, ChainError, "nobody deposits"),
        ({"deposits": (-1, 5)}, ArgumentError, r"deposits\[0\] is -1"),
        ({"deposits": (2**63 - 1, 1)}, ArgumentError, "the sum of deposits"),
        ({"accounts": (1, 1)}, ChainError, "two parties"),
        ({"accounts": (0, 1)}, ChainError, "issues WATT"),
        ({"accounts": (1, 9)}, ArgumentError, "account 9 does not exist"),
        ({"asset": "WAT"}, ArgumentError, "WAT"),
        ({"pairs": (1, 2)}, ArgumentTypeError, "KeyPair"),
    ],
)
def test_an_opening_that_cannot_be_is_refused_and_reserves_nothing(make, changes, error, sentence):
    ledger = make.funded()
    before = ledger.to_bytes()
    arguments = {"pairs": make.pairs[:2], "accounts": (1, 2), "deposits": (5, 5)} | changes
    with pytest.raises(error, match=sentence):
        open_channel(ChannelBook("chain"), ledger, **arguments)
    assert ledger.to_bytes() == before


def test_an_opening_that_one_side_has_not_signed_is_refused(make):
    ledger = make.funded()
    public = (make.pairs[0].public_key, make.pairs[1].public_key)
    opening = Opening((1, 2), public, "WATT", (5, 5), MINUTE, MINUTE)
    message = opening_message("chain", 0, opening)
    signature = make.pairs[0].sign(message)
    with pytest.raises(ChainError, match="side 1 has not signed the opening of channel 0"):
        ChannelBook("chain").open(ledger, opening, [signature, signature], 0, RUNNING)


def test_a_book_comes_back_from_its_bytes_and_damage_is_seen(opened):
    ledger, book, channel = opened
    book, _ = book.top_up(ledger, channel.channel, 1, 7, 3, RUNNING)
    book, _ = book.close(channel.channel, channel.pay(5), 4, RUNNING)
    again = ChannelBook.from_bytes(book.to_bytes())
    assert (again, again.hash) == (book, book.hash)
    for cut in (1, 40, 200):
        with pytest.raises(GridlabError):
            ChannelBook.from_bytes(book.to_bytes()[:-cut])
    signed = channel.latest
    assert SignedState.from_bytes(signed.to_bytes()) == signed


@pytest.mark.parametrize("wrong", [None, 3, "x"])
def test_wrong_types_are_named(opened, wrong):
    ledger, book, channel = opened
    with pytest.raises(ArgumentTypeError):
        book.close_together(ledger, channel.channel, wrong, 5, RUNNING)
    with pytest.raises(ArgumentTypeError):
        book.settle(wrong, channel.channel, 5, RUNNING)
    with pytest.raises(ArgumentTypeError):
        book.close(wrong, None, 5, RUNNING)
    with pytest.raises(ArgumentTypeError):
        book.close(channel.channel, None, 5, wrong)


class Disputes(RuleBasedStateMachine):
    """Payments, top-ups, closes with any old state, disputes by anybody, stops: the newest shown state is paid."""

    @initialize()
    def begin(self):
        self.pairs = [keys.sandbox(12, name) for name in ("one", "other")]
        self.ledger = Ledger(3, issuers={"WATT": [0]})
        names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
        rows = [dict(zip(names, (who, 0, who, "WATT", 1_000, "mint"), strict=True)) for who in (1, 2)]
        self.ledger.apply(pl.DataFrame(rows))
        terms = ChannelTerms(dispute_window=10)
        book = ChannelBook("chain")
        self.book, self.id = open_channel(book, self.ledger, self.pairs, (1, 2), (500, 300), terms=terms)
        self.channel = PaymentChannel("chain", self.id, self.pairs, self.book[self.id])
        self.states, self.now, self.stops, self.shown = [None], 0, Stops(), 0

    @property
    def phase(self):
        return self.book[self.id].phase

    @precondition(lambda self: self.phase == "open")
    @rule(payer=st.integers(0, 1), amount=st.integers(1, 400))
    def pay(self, payer, amount):
        if amount <= self.channel.balances[payer]:
            self.states.append(self.channel.pay(amount, payer=payer))

    @precondition(lambda self: self.phase == "open" and not self.stops.standing("chain"))
    @rule(side=st.integers(0, 1), amount=st.integers(1, 60))
    def top_up(self, side, amount):
        if amount <= self.ledger.available(side + 1, "WATT"):
            self.book, record = self.book.top_up(self.ledger, self.id, side, amount, self.now, self.stops)
            self.states.append(self.channel.topped_up(record))

    @rule(place=st.integers(0, 100))
    def show(self, place):
        signed = self.states[place % len(self.states)]
        before = self.book
        try:
            if self.phase == "open":
                self.book, _ = self.book.close(self.id, signed, self.now, self.stops)
            elif signed is not None:
                self.book, _ = self.book.dispute(self.id, signed, self.now, self.stops)
        except ChainError:
            assert self.book is before
        else:
            version = 0 if signed is None else signed.state.version
            self.shown = max(self.shown, version)

    @rule(minutes=st.integers(1, 7))
    def wait(self, minutes):
        self.now += minutes * MINUTE

    @rule()
    def stop_or_resume(self):
        act = self.stops.end if self.stops.standing("chain") else self.stops.begin
        self.stops = act("chain", self.now)

    @rule()
    def settle(self):
        try:
            self.book, record = self.book.settle(self.ledger, self.id, self.now, self.stops)
        except ChainError:
            return
        assert record.version == self.shown
        state = record.standing
        expected = record.deposited if state is None else [
            balance + record.deposited[side] - state.deposits[side] for side, balance in enumerate(state.balances)
        ]
        paid_in = record.deposited
        assert held(self.ledger) == [1_000 - put + got for put, got in zip(paid_in, expected, strict=True)]

    @invariant()
    def money_is_conserved_and_reserved_until_it_is_paid(self):
        if not hasattr(self, "ledger"):
            return
        assert sum(held(self.ledger)) == 2_000
        record = self.book[self.id]
        assert sum(record.outcome()) == sum(record.deposited)
        assert min(record.outcome()) >= 0
        open_ones = record.deposited if record.phase != "settled" else (0, 0)
        assert tuple(self.ledger.reserved(who, "WATT") for who in (1, 2)) == open_ones
        assert ChannelBook.from_bytes(self.book.to_bytes()).hash == self.book.hash


TestDisputes = Disputes.TestCase
TestDisputes.settings = settings(max_examples=40, stateful_step_count=25)
