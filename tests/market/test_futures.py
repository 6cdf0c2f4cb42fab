"""Forwards and futures: slow references, zero sums, and margins that follow Hull's rules."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.market.time_scales.futures import difference_transfers, mark_to_market, settle_forwards

MIDNIGHT = datetime(2026, 5, 6)
SLOT = timedelta(minutes=15)
PRICE = st.integers(-500, 6_000)
ENERGY = st.integers(1, 10**7)
PARTIES = st.lists(st.integers(0, 4), min_size=2, max_size=2, unique=True)
FORWARDS = st.lists(st.tuples(PARTIES, st.integers(0, 5), st.integers(1, 3), ENERGY, PRICE), max_size=6)
DAYS = 5
TRADES = st.lists(st.tuples(st.integers(0, DAYS - 1), st.sampled_from("MN"), PARTIES, ENERGY, PRICE), max_size=8)
CURVE = st.lists(PRICE, min_size=DAYS, max_size=DAYS)


def forwards_frame(forwards):
    rows = [
        (f"F{number}", *parties, MIDNIGHT + first * SLOT, MIDNIGHT + (first + length) * SLOT, energy, price)
        for number, (parties, first, length, energy, price) in enumerate(forwards)
    ]
    names = ["contract", "buyer", "seller", "start", "end", "energy", "price"]
    types = [pl.String, pl.UInt32, pl.UInt32, pl.Datetime("us"), pl.Datetime("us"), pl.Int64, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def index_frame(prices):
    return pl.DataFrame({"slot": [MIDNIGHT + place * SLOT for place in range(len(prices))], "price": prices})


def trades_frame(trades):
    rows = [
        (date(2026, 5, 4) + timedelta(day), name, *parties, energy, price)
        for day, name, parties, energy, price in trades
    ]
    names = ["day", "contract", "buyer", "seller", "energy", "price"]
    types = [pl.Date, pl.String, pl.UInt32, pl.UInt32, pl.Int64, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def curve_frame(curves):
    return pl.DataFrame(
        [
            (date(2026, 5, 4) + timedelta(day), name, price)
            for name, prices in curves.items()
            for day, price in enumerate(prices)
        ],
        schema={"day": pl.Date, "contract": pl.String, "price": pl.Int64},
        orient="row",
    )


@settings(max_examples=100, deadline=None)
@given(forwards=FORWARDS, prices=st.lists(PRICE, min_size=8, max_size=8))
def test_forwards_equal_the_slow_reference(forwards, prices):
    settled = settle_forwards(forwards_frame(forwards), index_frame(prices))
    expected = {
        (f"F{number}", first + step): (prices[first + step] - price) * energy
        for number, (_, first, length, energy, price) in enumerate(forwards)
        for step in range(length)
    }
    steps = settled.with_columns(step=(pl.col("slot").dt.replace_time_zone(None) - MIDNIGHT).dt.total_minutes() // 15)
    assert {
        (name, step): amount for name, step, amount in steps.select("contract", "step", "amount").rows()
    } == expected
    paid = difference_transfers(settled)
    assert paid.height == sum(amount != 0 for amount in expected.values())
    assert paid["amount"].sum() == sum(abs(amount) for amount in expected.values())


@settings(max_examples=100, deadline=None)
@given(trades=TRADES, first=CURVE, second=CURVE)
def test_variations_sum_to_zero_each_day_and_to_a_forward_over_the_life(trades, first, second):
    curves = {"M": first, "N": second}
    accounts = mark_to_market(trades_frame(trades), curve_frame(curves))
    assert accounts.positions.group_by("day").agg(pl.col("variation").sum()).filter(pl.col("variation") != 0).is_empty()
    expected = {}
    for _, name, (buyer, seller), energy, price in trades:
        gain = (curves[name][-1] - price) * energy
        expected[name, buyer] = expected.get((name, buyer), 0) + gain
        expected[name, seller] = expected.get((name, seller), 0) - gain
    got = accounts.positions.group_by("contract", "account").agg(pl.col("variation").sum())
    assert {row[:2]: row[2] for row in got.rows()} == expected


@settings(max_examples=100, deadline=None)
@given(trades=TRADES, first=CURVE, second=CURVE, margins=st.tuples(st.integers(0, 300_000), st.integers(0, 300_000)))
def test_margins_equal_the_slow_reference_and_every_micro_thb_comes_back(trades, first, second, margins):
    maintenance, initial = sorted(margins)
    accounts = mark_to_market(
        trades_frame(trades), curve_frame({"M": first, "N": second}), initial=initial, maintenance=maintenance
    )
    rows = accounts.margins
    for _, own in rows.group_by("account"):
        held, opened = 0, False
        positions = accounts.positions.filter(pl.col("account") == own["account"][0])
        for day, variation, wanted, least, call, payout, balance in own.sort("day").drop("account").rows():
            today = positions.filter(pl.col("day") == day)
            value = sum(abs(q) * abs(p) for q, p in today.select("position", "price").rows())
            assert (wanted, least) == (-(-value * initial // 10**6), -(-value * maintenance // 10**6))
            holds = today["position"].abs().sum() > 0
            held += variation
            topped = wanted - held if held < least or held < 0 or (holds and not opened and held < wanted) else 0
            back = 0 if holds else held + topped
            held += topped - back
            opened = holds
            assert (call, payout, balance) == (topped, back, held)
            assert balance >= least
        assert held == 0
    flows = accounts.transfers(77)
    assert rows["call"].sum() + rows["variation"].sum() == rows["payout"].sum()
    assert flows.filter(pl.col("credit") == 77)["amount"].sum() == rows["call"].sum()


def test_a_worked_example_of_a_margin_call():
    # 1 MWh long at 3,000: a fall to 2,500 costs 500 THB, below the maintenance margin of 7.5 %.
    trades = trades_frame([(0, "M", [1, 2], 1_000_000, 3_000)])
    margins = mark_to_market(trades, curve_frame({"M": [3_000, 2_500, 2_600]})).margins.filter(pl.col("account") == 1)
    assert margins["call"].to_list() == [300_000_000, 450_000_000, 0]
    assert margins["payout"].to_list() == [0, 0, 350_000_000]


def test_bad_input_is_named():
    good, curve = [(0, "M", [1, 2], 5, 3_000)], curve_frame({"M": [3_000]})
    with pytest.raises(MarketError, match="buys from itself"):
        mark_to_market(trades_frame([(0, "M", [1, 1], 5, 3_000)]), curve)
    with pytest.raises(MarketError, match="no settlement price"):
        mark_to_market(trades_frame([(1, "M", [1, 2], 5, 3_000)]), curve)
    with pytest.raises(MarketError, match="two settlement prices"):
        mark_to_market(trades_frame(good), pl.concat([curve, curve]))
    with pytest.raises(ArgumentError, match="above initial"):
        mark_to_market(trades_frame(good), curve, initial=1, maintenance=2)
    with pytest.raises(ArgumentTypeError, match="initial"):
        mark_to_market(trades_frame(good), curve, initial=0.1)
    with pytest.raises(ArgumentTypeError, match="futures trades"):
        mark_to_market(None, curve)
    with pytest.raises(MarketError, match="one reference price for each"):
        settle_forwards(forwards_frame([([0, 1], 0, 3, 5, 3_000)]), index_frame([3_000, 3_100]))
    with pytest.raises(MarketError, match="two reference prices"):
        settle_forwards(forwards_frame([]), pl.concat([index_frame([1]), index_frame([1])]))
    frame = forwards_frame([([0, 1], 0, 1, 5, 3_000)])
    with pytest.raises(MarketError, match="stands there twice"):
        settle_forwards(pl.concat([frame, frame]), index_frame([3_000]))
