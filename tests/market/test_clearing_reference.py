"""Every rule, pricing and rationing against the Wh-by-Wh reference, and the promises that hold for every market."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gridlab.market.core.pricing import PRICINGS
from gridlab.market.core.rationing import RATIONINGS
from tests.market.both_kernels import clear_both
from tests.market.reference import Order, by_book, clear_book, frame, pairs

SHARES = st.sampled_from([Fraction(0), Fraction(3, 10), Fraction(1, 2), Fraction(2, 3), Fraction(1)])
QUICK = settings(max_examples=60, deadline=None)
RULES = st.sampled_from(
    [("uniform", {"pricing": pricing}) for pricing in sorted(PRICINGS)] + [("pay_as_bid", {})],
)


@st.composite
def order_lists(draw, books=5, size=24):
    """Draw orders of few prices and small energies, so that ties and cut levels are the rule."""
    count = draw(st.integers(0, size))
    ids = draw(st.lists(st.integers(0, 200), min_size=count, max_size=count, unique=True))
    return [
        Order(
            order_id=order_id,
            book=draw(st.integers(0, books - 1)),
            side=draw(st.sampled_from(["buy", "sell"])),
            price=draw(st.integers(-4, 5)),
            energy=draw(st.integers(1, 7)),
            seq=draw(st.integers(0, 5)),
            account=draw(st.integers(0, 9)),
        )
        for order_id in ids
    ]


@pytest.mark.parametrize("pricing", sorted(PRICINGS))
@QUICK
@given(orders=order_lists(), rationing=st.sampled_from(sorted(RATIONINGS)), k=SHARES, r=SHARES.map(lambda r: 2 * r))
def test_uniform_equals_the_reference(pricing, orders, rationing, k, r):
    options = {"r": r} if pricing == "seller_share" else {}
    clearing = clear_both(frame(orders), k=k, pricing=pricing, rationing=rationing, **options)
    books = {b: clear_book(o, k=k, pricing=pricing, rationing=rationing, r=r) for b, o in by_book(orders).items()}
    found = clearing.prices.select("price", "price_low", "price_high", "energy", "welfare").rows()
    assert found == [(b.price, b.low, b.high, b.energy, b.welfare) for b in books.values()]
    expected = []
    for order in orders:
        book = books[order.book]
        filled = book.filled[order.order_id]
        price = book.price if filled else None
        expected.append((order.order_id, filled, price, filled * (price or 0), book.reason[order.order_id]))
    assert clearing.fills.select("order_id", "filled", "price", "amount", "reason").rows() == expected


@QUICK
@given(orders=order_lists(), rationing=st.sampled_from(sorted(RATIONINGS)))
def test_trades_are_the_reference_pairs(orders, rationing):
    trades = clear_both(frame(orders), rationing=rationing).trades
    expected = []
    for book in by_book(orders).values():
        expected += pairs(book, clear_book(book, rationing=rationing).filled)
    assert trades.select("buy_order", "sell_order", "energy").rows() == expected
    accounts = {o.order_id: o.account for o in orders}
    assert trades["buyer"].to_list() == [accounts[buy] for buy, _, _ in expected]
    assert trades["seller"].to_list() == [accounts[sell] for _, sell, _ in expected]


@QUICK
@given(orders=order_lists(), rationing=st.sampled_from(sorted(RATIONINGS)), k=SHARES)
def test_pay_as_bid_equals_the_reference(orders, rationing, k):
    clearing = clear_both(frame(orders), "pay_as_bid", k=k, rationing=rationing)
    limits = {o.order_id: o.price for o in orders}
    amounts: Counter[int] = Counter()
    rows, books = [], []
    for book in by_book(orders).values():
        result = clear_book(book, rationing=rationing)
        paired = [
            (buy, sell, energy, limits[sell] + math.floor(k * (limits[buy] - limits[sell])))
            for buy, sell, energy in pairs(book, result.filled)
        ]
        for buy, sell, energy, price in paired:
            amounts[buy] += energy * price
            amounts[sell] += energy * price
        rows += paired
        turnover, prices = sum(row[2] * row[3] for row in paired), [row[3] for row in paired]
        mean = turnover // result.energy if paired else None
        books.append((mean, min(prices, default=None), max(prices, default=None), result.energy, result.welfare))
    assert clearing.trades.select("buy_order", "sell_order", "energy", "price").rows() == rows
    assert clearing.prices.select("price", "price_low", "price_high", "energy", "welfare").rows() == books
    assert clearing.fills["amount"].to_list() == [amounts[o.order_id] for o in orders]
    fills = clearing.fills.select("amount", "filled").rows()
    assert clearing.fills["price"].to_list() == [amount // filled if filled else None for amount, filled in fills]


@QUICK
@given(orders=order_lists(), rule=RULES, rationing=st.sampled_from(sorted(RATIONINGS)), k=SHARES)
def test_every_market_keeps_its_promises(orders, rule, rationing, k):
    name, options = rule
    clearing = clear_both(frame(orders), name, k=k, rationing=rationing, **options)
    fills, prices, trades = clearing.fills, clearing.prices, clearing.trades
    by = ["slot", "zone"]
    sides = fills.group_by(*by, "side").agg(pl.col("filled", "amount").sum()).sort(by)
    for column in ("filled", "amount"):
        buys = sides.filter(pl.col("side") == "buy", pl.col(column) != 0).select(*by, column)
        sells = sides.filter(pl.col("side") == "sell", pl.col(column) != 0).select(*by, column)
        assert_frame_equal(buys, sells)
    assert fills.filter((pl.col("filled") < 0) | (pl.col("filled") > pl.col("energy"))).is_empty()
    bought, sold = pl.col("side") == "buy", pl.col("side") == "sell"
    assert fills.filter(bought & (pl.col("price") > pl.col("limit"))).is_empty()
    assert fills.filter(sold & (pl.col("price") < pl.col("limit"))).is_empty()
    assert fills.filter((pl.col("filled") == 0) != pl.col("price").is_null()).is_empty()
    surplus = pl.col("buyer_surplus") + pl.col("seller_surplus") + pl.col("operator_surplus")
    assert prices.filter(surplus != pl.col("welfare")).is_empty()
    assert prices.filter((pl.col("operator_surplus") != 0) | (pl.col("welfare") < 0)).is_empty()
    interval = pl.col("price").is_between(pl.col("price_low"), pl.col("price_high"))
    assert prices.filter(~interval & (pl.col("energy") > 0)).is_empty()
    assert int(trades["energy"].sum()) == int(prices["energy"].sum())
    assert int(trades["amount"].sum()) == int(fills.filter(bought)["amount"].sum())


@QUICK
@given(orders=order_lists(), rule=RULES, rationing=st.sampled_from(sorted(RATIONINGS)), random=st.randoms())
def test_shuffling_the_rows_changes_only_the_row_order(orders, rule, rationing, random):
    name, options = rule
    shuffled = random.sample(orders, len(orders))
    one = clear_both(frame(orders), name, rationing=rationing, **options)
    other = clear_both(frame(shuffled), name, rationing=rationing, **options)
    assert_frame_equal(one.prices, other.prices)
    assert_frame_equal(one.trades, other.trades)
    assert_frame_equal(one.fills.sort("order_id"), other.fills.sort("order_id"))
    assert other.fills["order_id"].to_list() == [o.order_id for o in shuffled]


@QUICK
@given(orders=order_lists(), rationing=st.sampled_from(sorted(RATIONINGS)))
def test_swapping_sides_and_negating_prices_mirrors_the_market(orders, rationing):
    swap = pl.when(pl.col("side") == "buy").then(pl.lit("sell")).otherwise(pl.lit("buy"))
    mirrored = frame(orders).with_columns(side=swap, price=-pl.col("price"))
    one, other = clear_both(frame(orders), rationing=rationing), clear_both(mirrored, rationing=rationing)
    assert one.fills["filled"].to_list() == other.fills["filled"].to_list()
    assert one.prices["price_low"].to_list() == (-other.prices["price_high"]).to_list()
    assert one.prices["price_high"].to_list() == (-other.prices["price_low"]).to_list()
    assert one.prices["welfare"].to_list() == other.prices["welfare"].to_list()


@QUICK
@given(orders=order_lists(books=9, size=30), rule=RULES)
def test_all_books_in_one_call_equal_each_book_alone(orders, rule):
    name, options = rule
    together = clear_both(frame(orders), name, **options)
    alone = [clear_both(frame(book), name, **options) for book in by_book(orders).values()]
    if alone:
        assert_frame_equal(together.prices, pl.concat([c.prices for c in alone]))
        assert_frame_equal(together.trades, pl.concat([c.trades for c in alone]))
        fills = pl.concat([c.fills for c in alone])
        assert_frame_equal(together.fills.sort("order_id"), fills.sort("order_id"))
