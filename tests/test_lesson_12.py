"""What the text of lesson 12 says of channels, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain import channels
from gridlab.chain.swaps import Stops, hash_of
from gridlab.chain.transactions import Transaction
from gridlab.errors import ChainError
from gridlab.learn import lesson_12
from gridlab.learn.lesson_12 import CONDO, DEPOSIT, FEE, PEOPLE, PRANEE, clock, key_pair, paid_day, street, transfer
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "12-a-thousand-payments.ipynb"
CHAIN, RUNNING, HOUR = "gridlab-consortium", Stops(), 3_600_000_000
BUYER, ROOF = PEOPLE.index("condo"), PEOPLE.index("pranee")
PAIRS = (key_pair("condo"), key_pair("pranee"))
TUESDAY, SATURDAY = clock("18:00", 12), clock("18:00", 9)


@cache
def run():
    return gl.Lab.thailand(prosumers=200, seed=0).run(hours=24, progress=False)


@cache
def bought():
    return run().trades.filter(buyer=CONDO, seller=PRANEE).sort("slot")


def amounts():
    return bought()["amount"].to_list()


@cache
def source(beginning):
    """Return the lesson's own code cell in which a line begins so."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    return next(
        cell.source
        for cell in cells
        if cell.cell_type == "code" and any(line.startswith(beginning) for line in cell.source.splitlines())
    )


def closed_by(day, version, hour="20:00"):
    state = day.states[version - 1]
    return day.book.close(day.channel.channel, state, clock(hour), RUNNING)[0]


# First result and section 1.


def test_the_two_are_a_condominium_in_bangkok_and_a_roof_of_six_kilowatts():
    who = {row["account"]: row for row in run().accounts.to_dicts()}
    assert (who[CONDO]["kind"], who[CONDO]["zone"]) == ("condominium", "MAC")
    assert (who[PRANEE]["kind"], who[PRANEE]["zone"], who[PRANEE]["pv_kw"]) == ("household", "MAC", 6.1)
    assert run().trades.filter(buyer=CONDO)["seller"].n_unique() == 16


def test_there_are_32_payments_of_two_and_a_half_satang_or_more_and_25_baht_in_all():
    assert len(amounts()) == 32
    assert sum(amounts()) == 25_453_342
    assert min(amounts()) / 10_000 == pytest.approx(2.5, abs=0.05)
    row = bought().filter(pl.col("slot").dt.strftime("%H:%M") == "16:45")
    assert row["energy"].item() == 8
    assert row["amount"].item() / 10_000 == pytest.approx(3.6, abs=0.05)


def test_what_the_meter_read_is_what_was_traded():
    traded = run().trades.filter(buyer=CONDO).group_by("slot").agg(pl.col("energy").sum())
    read = run().readings.filter(account=CONDO).join(traded, on="slot", how="left")
    assert (read["bought"] == read["energy"].fill_null(0)).all()


def test_each_payment_in_a_block_costs_six_per_cent_and_two_cost_more_than_they_are_worth():
    chain = street()
    before = chain.ledger.balance(BUYER, "WATT")
    for number, amount in enumerate(amounts(), start=1):
        chain.send(key_pair("condo"), "transfer", transfer(number, "condo", "pranee", amount))
    block = chain.seal(clock("18:00"))
    fees = before - chain.ledger.balance(BUYER, "WATT") - sum(amounts())
    assert (len(block.transactions), block.rejected, fees) == (32, 0, 32 * FEE)
    assert 100 * fees / sum(amounts()) == pytest.approx(6.3, abs=0.05)
    assert sum(amount < FEE for amount in amounts()) == 2
    size = sum(each.size for each in block.transactions)
    assert 35_040 * size / 32 / 1e6 == pytest.approx(17, abs=0.5), "MB a year and meter"
    assert 35_040 * FEE == 1_752_000_000


# Sections 2 to 4.


def test_opening_sets_the_deposit_aside_and_payments_leave_the_ledger_alone():
    day = paid_day()
    assert day.ledger.balance(BUYER, "WATT") == 100_000_000
    assert day.ledger.available(BUYER, "WATT") == 60_000_000
    opened = day.ledger.root
    day.channel.pay(1)
    assert day.ledger.root == opened


def test_a_state_gets_one_signature_then_the_other_and_less_than_before_gets_none():
    day = paid_day()
    meter, phone = day.channel.ends
    state = day.channel.following((DEPOSIT - 30_000_000, 30_000_000))
    half = meter.propose(state)
    assert [bool(each) for each in half.signatures] == [True, False]
    assert phone.latest.state.version == 32
    with pytest.raises(ChainError, match="signed and unanswered"):
        meter.propose(state.next((0, DEPOSIT)))
    meter.complete(phone.answer(half))
    assert phone.latest.state.version == meter.latest.state.version == 33
    with pytest.raises(ChainError, match="signs only what gives it no less"):
        day.channel.update(day.channel.following((DEPOSIT, 0)), proposer=0)


@cache
def settled():
    day = paid_day()
    final = day.channel.finish()
    book, record = day.book.close_together(day.ledger, day.channel.channel, final, clock("18:00"), RUNNING)
    return day, final, book, record


def test_the_day_is_settled_by_two_transactions_to_the_millionth():
    day, final, book, record = settled()
    assert final.state.version == 33
    assert record.phase == "settled"
    assert day.ledger.balance(ROOF, "WATT") == 100_000_000 + sum(amounts())
    assert day.ledger.available(BUYER, "WATT") == 100_000_000 - sum(amounts())
    assert channels.events_frame(book)["event"].to_list() == ["open", "close_together"]


def test_two_transactions_have_a_twentieth_of_the_bytes_of_32():
    _, final, _, record = settled()

    def size(kind, payload):
        envelope = {"chain_id": CHAIN, "kind": kind, "nonce": 0, "expiry": 96}
        return Transaction.sign(key_pair("condo"), **envelope, payload=payload).size

    both = size("channel_open", record.opening.to_bytes() + bytes(128)) + size("channel_close", final.to_bytes())
    one = street().sign(key_pair("condo"), "transfer", transfer(1, "condo", "pranee", 1)).size
    assert round(32 * one / both) == 20


def test_the_drops_add_up_a_later_state_is_not_a_byte_longer_and_one_row_settles_them():
    drops = np.diff(np.arange(100_001) * sum(amounts()) // 100_000)
    assert len(drops) == 100_000
    assert drops.sum() == sum(amounts())
    assert set(drops) == {254, 255}
    assert round(10_000 / 254) in {39, 40}, "a fortieth of a satang"
    _, final, _, _ = settled()
    late = replace(final, state=replace(final.state, version=100_001))
    assert len(late.to_bytes()) == len(final.to_bytes())
    day = paid_day()
    day.channel.pay_many(drops[:500])
    rows, last = len(day.ledger.transfers), day.channel.finish()
    _, record = day.book.close_together(day.ledger, day.channel.channel, last, clock("18:00"), RUNNING)
    assert (record.version, len(day.ledger.transfers)) == (533, rows + 1)


# Sections 5 and 6.


@pytest.mark.parametrize(
    ("answer", "version"),
    [(None, 5), (("21:00", 6), 32), (("17:00", 7), 32), (("20:00", 7), 5)],
)
def test_an_old_state_wins_only_if_nobody_answers_in_time(answer, version):
    day = paid_day()
    name, there = day.channel.channel, closed_by(day, 5)
    if answer and version == 32:
        there, _ = there.dispute(name, day.states[-1], clock(*answer), RUNNING)
    elif answer:
        with pytest.raises(ChainError, match="is over since 0"):
            there.dispute(name, day.states[-1], clock(*answer), RUNNING)
    _, record = there.settle(day.ledger, name, clock("20:00", 7), RUNNING)
    assert record.version == version
    assert record.outcome()[1] == sum(amounts()[:version])
    assert paid_day().cheated(5) / 1e6 == pytest.approx(5.11, abs=0.005)
    assert sum(amounts()[5:]) / 1e6 == pytest.approx(20.35, abs=0.005)


def test_an_answer_does_not_make_the_window_longer_and_an_older_one_is_refused():
    day = paid_day()
    name, there = day.channel.channel, closed_by(day, 5)
    end = there[name].window_end
    assert end == clock("20:00", 7)
    for version, hour, date in ((20, "22:00", 6), (32, "10:00", 7)):
        there, record = there.dispute(name, day.states[version - 1], clock(hour, date), RUNNING)
        assert record.window_end == end
    with pytest.raises(ChainError, match="strictly greater"):
        there.dispute(name, day.states[30], clock("11:00", 7), RUNNING)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12), st.lists(st.integers(1, 12), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_whatever_is_shown_the_newest_of_it_is_paid_and_never_more_than_the_deposit(payments, tried):
    ledger = street().ledger.fork()
    book, name = channels.open_channel(channels.ChannelBook(CHAIN), ledger, PAIRS, (BUYER, ROOF), (1_200, 0))
    both = channels.PaymentChannel(CHAIN, name, PAIRS, book[name])
    states = [both.pay(amount) for amount in payments]
    versions = [min(version, len(states)) for version in tried]
    book, _ = book.close(name, states[versions[0] - 1], 0, RUNNING)
    for version in versions[1:]:
        if version > book[name].version:
            book, _ = book.dispute(name, states[version - 1], HOUR, RUNNING)
        else:
            with pytest.raises(ChainError, match="strictly greater"):
                book.dispute(name, states[version - 1], HOUR, RUNNING)
    _, record = book.settle(ledger, name, 24 * HOUR, RUNNING)
    due = sum(payments[: max(versions)])
    assert record.outcome() == (1_200 - due, due)
    assert ledger.balance(BUYER, "WATT") == 100_000_000 - due
    assert ledger.balance(ROOF, "WATT") == 100_000_000 + due


def test_a_tower_answers_and_one_that_slept_is_convicted_by_its_own_receipt():
    day = paid_day()
    name, tower = day.channel.channel, channels.Watchtower(key_pair("tower"), CHAIN)
    receipt = tower.take(day.book, day.states[-1], clock("18:00"))
    there = closed_by(day, 5)
    awake = tower.watch(there, clock("20:15"), RUNNING)
    assert awake[name].version == receipt.version == 32
    awake, _ = awake.settle(day.ledger.fork(), name, clock("20:00", 7), RUNNING)
    slept, _ = there.settle(day.ledger.fork(), name, clock("20:00", 7), RUNNING)
    assert channels.convicts(receipt, slept)
    assert not channels.convicts(receipt, awake)
    assert not channels.convicts(replace(receipt, version=33), awake)


# Sections 7 and 8.


def desk():
    ledger, traders = street().ledger.fork(), (key_pair("coop"), key_pair("noi"))
    seats = PEOPLE.index("coop"), PEOPLE.index("noi")
    book, name = channels.open_channel(channels.ChannelBook(CHAIN), ledger, traders, seats, (DEPOSIT, DEPOSIT))
    both = channels.StateChannel(CHAIN, name, traders, book[name], application=channels.TraderBook())
    both.move(channels.Place(channels.Quote(clock("12:00", 9), "sell", 3_300, 500)), mover=0)
    return both


def test_a_take_moves_price_times_energy_and_the_state_holds_the_hash_of_the_book():
    both = desk()
    assert both.balances == (DEPOSIT, DEPOSIT), "placing moves no money"
    both.move(channels.Take(0, 200), mover=1)
    assert both.balances == (DEPOSIT + 660_000, DEPOSIT - 660_000)
    assert both.application.positions == ((clock("12:00", 9), -200),)
    assert both.latest.state.application == both.application.hash


def test_a_wrong_sum_gets_no_second_signature():
    both = desk()
    move = channels.Take(0, 200)
    after, (coop, noi) = both.application.advance(both.balances, move, 1)
    false = both.following((coop - 1, noi + 1), application=after.hash)
    with pytest.raises(ChainError, match="it signs nothing"):
        both.update(false, proposer=1, agree=both.follows(move, 1))
    assert both.version == 1


def test_a_thousand_moves_of_the_lessons_own_cell_leave_the_deposits_whole():
    names = {"np": np, "desk": desk(), "noon": clock("12:00", 9), "Place": channels.Place, "Quote": channels.Quote}
    names["desk"].move(channels.Take(0, 200), mover=1)
    exec(source("while desk.version"), names | {"Cancel": channels.Cancel, "Take": channels.Take})  # noqa: S102
    assert names["desk"].version == 1_000
    assert sum(names["desk"].balances) == 2 * DEPOSIT
    assert names["desk"].history.height == 1_001


@pytest.fixture
def route():
    ledger, book, legs = street().ledger.fork(), channels.ChannelBook(CHAIN), []
    for payer, payee in (("condo", "coop"), ("coop", "noi")):
        two, where = [key_pair(payer), key_pair(payee)], (PEOPLE.index(payer), PEOPLE.index(payee))
        book, name = channels.open_channel(book, ledger, two, where, (10_000_000, 0), now=clock("08:00", 9))
        legs.append(channels.PaymentChannel(CHAIN, name, two, book[name]))
    return ledger, book, legs


def over(legs, secret, timeouts=(TUESDAY, SATURDAY)):
    promise = {"amount": 1_250_000, "fee": 10_000, "timeouts": timeouts, "delta": 48 * HOUR}
    return channels.HopPayment(*legs, **promise, digest=hash_of(secret))


def test_a_payment_over_a_hop_earns_the_middleman_one_satang(route):
    _, _, legs = route
    with pytest.raises(ChainError, match="the middleman pays and cannot collect"):
        over(legs, bytes(32), timeouts=(SATURDAY, SATURDAY))
    hop = over(legs, bytes(range(32)))
    hop.lock()
    assert [leg.balances for leg in legs] == [(8_740_000, 0), (8_750_000, 0)]
    hop.fulfil(bytes(range(32)))
    assert [leg.balances for leg in legs] == [(8_740_000, 1_260_000), (8_750_000, 1_250_000)]


def test_where_the_middleman_is_silent_the_chain_pays_noi_and_tells_the_secret(route):
    ledger, book, legs = route
    secret, name = bytes(range(1, 33)), legs[1].channel
    over(legs, secret).lock()
    book, _ = book.close(name, legs[1].latest, clock("16:00", 9), RUNNING)
    book, record = book.reveal(name, secret, clock("17:00", 9), RUNNING)
    channels.fulfil_lock(legs[0], record.revealed[0][0])
    book.settle(ledger, name, clock("16:00", 10), RUNNING)
    assert ledger.balance(PEOPLE.index("noi"), "WATT") == 101_250_000
    assert legs[0].balances[1] == 1_260_000


# Sections 9 and 10.


def test_the_cheapest_rhythm_is_a_bit_more_than_a_week_and_costs_nine_baht_a_year():
    fee, daily, rate = FEE / 1e6, sum(amounts()) / 1e6, 0.02
    days = np.linspace(1, 30, 2_901)  # hundredths of a day
    in_fees, forgone = 365 / days * 2 * fee, rate * daily * days
    best = int((in_fees + forgone).argmin())
    assert days[best] == pytest.approx((730 * fee / (rate * daily)) ** 0.5, abs=0.01)
    assert 7 < days[best] < 9
    assert in_fees[best] == pytest.approx(forgone[best], rel=0.01)
    assert (in_fees + forgone)[best] == pytest.approx(8.6, abs=0.1)
    assert 32 * 365 * fee == pytest.approx(584)


@cache
def watched():
    """Return the function `outcome` of the lesson's own cell."""
    names = {"np": np, "paid_day": paid_day, "clock": clock, "running": RUNNING}
    exec(source("def outcome"), names)  # noqa: S102 - the lesson's own code
    return names["outcome"]


@pytest.mark.parametrize(
    ("window", "look", "lost"),
    [(24, 12, []), (24, 23, []), (24, 24, [8, 32]), (6, 5, []), (6, 6, [8, 14, 20, 26, 32])],
)
def test_the_task_at_the_controls_goes_as_its_answer_says(window, look, lost):
    due = sum(amounts()) / 1e6
    cheated = [close for close in range(8, 33) if watched()(window, look, close)[1] < due]
    assert cheated == lost


@cache
def shown():
    """Return the states of the lesson's own cell that the chain is to refuse."""
    day = paid_day()
    other, name = channels.open_channel(day.book, day.ledger.fork(), PAIRS, (BUYER, ROOF), (DEPOSIT, 0))
    last = channels.PaymentChannel(CHAIN, name, PAIRS, other[name]).pay(1)
    names = {"open_book": day.book, "pay": day.channel, "states": day.states, "last": last, "chain_id": CHAIN}
    names |= {"clock": clock, "running": RUNNING, "replace": replace, "DEPOSIT": DEPOSIT, "paid_day": paid_day}
    names |= {"channels": channels, "key_pair": key_pair}
    exec(source("tries = {"), names)  # noqa: S102 - the lesson's own code
    return day, names["closing"], names["tries"]


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("a state of another channel", "is of channel"),
        ("a state of another chain", "is of channel"),
        ("signed by Pranee alone", "the signature of side 0 is missing"),
        ("a millionth more for Pranee", "the signature of side 0 is not valid"),
        ("not a greater version", "strictly greater"),
        ("counts on what nobody put in", "counts on 5000000 of side 1, allowed: 0"),
    ],
)
def test_each_bad_state_is_refused_with_its_reason(what, reason):
    day, closing, tries = shown()
    assert len(tries) == 6, "six refusals, says the text"
    before = closing.hash
    with pytest.raises(ChainError, match=reason):
        closing.dispute(day.channel.channel, tries[what], clock("21:00"), RUNNING)
    assert closing.hash == before
    both = tries["counts on what nobody put in"].require_both(CHAIN, [pair.public_key for pair in PAIRS])
    assert sum(both.balances) > DEPOSIT


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    assert lesson_12.earned().answer * 1_000_000 == sum(amounts())
    assert lesson_12.signatures().answer == 2 * len(amounts())
    assert lesson_12.theft().answer * 1_000_000 == sum(amounts()[8:])
    assert lesson_12.stopped_chain().answer == 24 + 5
    assert lesson_12.rewritten_state().answer == "signature"
    assert lesson_12.sleepy_window().answer == 24 * 60 + 1


def test_the_figures_of_the_first_table_are_those_in_force():
    assert (FEE, DEPOSIT, channels.ChannelTerms().dispute_window) == (50_000, 40_000_000, 1_440)
