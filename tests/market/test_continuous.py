"""The continuous auction: trade by trade equal to the reference, and the promises that hold for every book."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import gridlab as gl
from gridlab.errors import ArgumentTypeError, GridlabError, MarketError
from gridlab.market.continuous_trading import continuous_book, continuous_door
from gridlab.market.continuous_trading.continuous import clear_continuous, continuous_options
from gridlab.market.continuous_trading.continuous_book import KINDS, SELF_TRADES
from tests.market.continuous_reference import Order, frame, run_auctions

KERNELS = [False, True] if find_spec("numba") else [False]
BY = ("slot", "zone")
MODES = st.sampled_from(SELF_TRADES)
QUICK = settings(max_examples=80, deadline=None)
NO_TRADE = {"killed", "would cross", "resting", "cancelled", "expired"}


def clear_with(orders, *, compiled, by=BY, **options):
    """Clear by one kernel, whatever the size of the frame."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gridlab.market.continuous_trading.continuous_book.pays_to_compile", lambda _: compiled)
        clearing = clear_continuous(orders, by, **options)
        _ = clearing.trades, clearing.events
    return clearing


def clear_both(orders, **options):
    """Clear by every kernel that is to be had; return the one result."""
    clearing, *others = (clear_with(orders, compiled=compiled, **options) for compiled in KERNELS)
    for other in others:
        for name in ("prices", "fills", "trades", "events"):
            assert_frame_equal(getattr(clearing, name), getattr(other, name))
    return clearing


@st.composite
def order_lists(draw, books=3, size=30, kinds=KINDS, spread=3, accounts=3):
    """Draw orders of few prices, accounts and arrival numbers, so that ties, self-trades and cancels are the rule."""
    count = draw(st.integers(0, size))
    ids = draw(st.lists(st.integers(0, 200), min_size=count, max_size=count, unique=True))
    arrivals = sorted((draw(st.integers(0, 9)), order_id) for order_id in ids)
    orders: list[Order] = []
    for seq, order_id in arrivals:
        kind, book = draw(st.sampled_from(kinds)), draw(st.integers(0, books - 1))
        earlier = [o for o in orders if o.kind != "cancel"]
        target = draw(st.sampled_from(earlier)) if earlier and kind == "cancel" else None
        orders.append(
            Order(
                order_id=order_id,
                book=target.book if target else book,
                account=target.account if target else draw(st.integers(0, accounts - 1)),
                side=draw(st.sampled_from(["buy", "sell"])),
                price=draw(st.integers(-spread, spread)),
                energy=draw(st.integers(1, 6)),
                seq=seq,
                kind="limit" if kind == "cancel" and target is None else kind,
                cancels=target.order_id if target else None,
            )
        )
    return draw(st.permutations(orders))


def assert_equals_reference(orders, self_trade):
    """Hold every frame of a clearing against the reference."""
    clearing = clear_both(frame(orders), self_trade=self_trade)
    auctions = run_auctions(orders, self_trade)
    arriving = {o.order_id: o for o in orders}
    trades = [trade for auction in auctions.values() for trade in auction.trades]
    told = ["buy_order", "sell_order", "energy", "price", "amount", "seq", "aggressor"]
    assert clearing.trades.select(told).rows() == [
        (buy, sell, energy, price, energy * price, arriving[taker].seq, arriving[taker].side)
        for buy, sell, energy, price, taker in trades
    ]
    assert clearing.trades.select("buyer", "seller").rows() == [
        (arriving[buy].account, arriving[sell].account) for buy, sell, *_ in trades
    ]
    expected = []
    for order in orders:
        auction = auctions[order.book]
        amount = auction.amount[order.order_id]
        filled = 0 if order.kind == "cancel" else order.energy - auction.left[order.order_id]
        expected.append((order.order_id, filled, amount // filled if filled else None, amount, auction.reason(order)))
    assert clearing.fills.select("order_id", "filled", "price", "amount", "reason").rows() == expected
    seen = ["order_id", "traded", "best_bid", "best_ask", "bid_depth", "ask_depth", "total_bid_depth"]
    seen += ["total_ask_depth", "last_price", "spread", "mid"]
    assert clearing.events.select(seen).rows() == [row for auction in auctions.values() for row in auction.events]
    assert_prices_equal(clearing.prices, orders, auctions)


def assert_prices_equal(prices, orders, auctions):
    """Hold the prices frame against sums over the reference's trades."""
    expected = []
    for book, auction in auctions.items():
        own = [o for o in orders if o.book == book and o.kind != "cancel"]
        energy, paid = sum(t[2] for t in auction.trades), sum(t[2] * t[3] for t in auction.trades)
        gain = {"buy": 0, "sell": 0}
        for o in own:
            worth = o.price * (o.energy - auction.left[o.order_id]) - auction.amount[o.order_id]
            gain[o.side] += 0 if o.kind == "market" else worth if o.side == "buy" else -worth
        traded = [t[3] for t in auction.trades]
        demand, supply = (sum(o.energy for o in own if o.side == side) for side in ("buy", "sell"))
        mean = paid // energy if energy else None
        row = (mean, min(traded, default=None), max(traded, default=None), energy, demand, supply)
        expected.append((*row, gain["buy"] + gain["sell"], gain["buy"], gain["sell"], 0))
    assert prices.select(pl.exclude(BY)).rows() == expected


@pytest.mark.parametrize("self_trade", SELF_TRADES)
@QUICK
@given(orders=order_lists())
def test_all_kinds_mixed_equal_the_reference(self_trade, orders):
    assert_equals_reference(orders, self_trade)


@QUICK
@given(orders=order_lists(books=1, size=50, spread=60, accounts=2), self_trade=MODES)
def test_one_deep_book_of_many_levels_equals_the_reference(orders, self_trade):
    assert_equals_reference(orders, self_trade)


@QUICK
@given(orders=order_lists(books=1, size=40, kinds=("limit", "fok"), spread=2, accounts=2), self_trade=MODES)
def test_fill_or_kill_among_own_orders_equals_the_reference(orders, self_trade):
    assert_equals_reference(orders, self_trade)


@QUICK
@given(orders=order_lists(books=1, size=40, kinds=("limit", "cancel"), spread=2), self_trade=MODES)
def test_cancels_from_the_middle_of_a_queue_equal_the_reference(orders, self_trade):
    assert_equals_reference(orders, self_trade)


@QUICK
@given(orders=order_lists(size=20), self_trade=MODES)
def test_prices_far_apart_equal_the_reference(orders, self_trade):
    """Prices that span far more than a level each could hold are ranked instead."""
    far = [Order(**{**vars(o), "price": o.price * 10**12}) for o in orders]
    assert_equals_reference(far, self_trade)


@QUICK
@given(orders=order_lists(), self_trade=MODES)
def test_every_book_keeps_its_promises(orders, self_trade):
    clearing = clear_both(frame(orders), self_trade=self_trade)
    fills, events, trades = clearing.fills, clearing.events, clearing.trades
    sides = fills.drop_nulls("side").group_by(*BY, "side").agg(pl.col("filled", "amount").sum()).sort(BY)
    for column in ("filled", "amount"):
        buys = sides.filter(pl.col("side") == "buy", pl.col(column) != 0).select(*BY, column)
        assert_frame_equal(buys, sides.filter(pl.col("side") == "sell", pl.col(column) != 0).select(*BY, column))
    assert fills.filter((pl.col("filled") < 0) | (pl.col("filled") > pl.col("energy"))).is_empty()
    assert fills.filter((pl.col("side") == "buy") & (pl.col("price") > pl.col("limit"))).is_empty()
    assert fills.filter((pl.col("side") == "sell") & (pl.col("price") < pl.col("limit"))).is_empty()
    in_part = (pl.col("filled") > 0) & (pl.col("filled") < pl.col("energy"))
    assert fills.filter(in_part, pl.col("kind") == "fok").is_empty()
    rests = pl.col("reason").cast(pl.String).str.contains("resting|cancelled")
    assert fills.filter(rests, pl.col("kind").is_in(["market", "ioc", "fok"])).is_empty()
    assert events.filter(pl.col("best_bid") >= pl.col("best_ask")).is_empty(), "a book is crossed after an event"
    takers = events.join(fills.select("order_id", "kind"), on="order_id").filter(pl.col("traded") > 0)
    assert set(takers["kind"].unique().to_list()) <= {"limit", "market", "ioc", "fok"}
    if self_trade != "allow":
        assert trades.filter(pl.col("buyer") == pl.col("seller")).is_empty()
    assert int(trades["energy"].sum()) == int(events["traded"].sum()) == int(clearing.prices["energy"].sum())


@QUICK
@given(orders=order_lists(kinds=("limit",), accounts=1))
def test_price_time_priority_holds_between_any_two_resting_orders(orders):
    """Of two orders of a side and a price, the later trades as a resting order only once the earlier is filled."""
    clearing = clear_both(frame(orders), self_trade="allow")
    left = {o.order_id: o.energy for o in orders}
    arrived = {o.order_id: (o.seq, o.order_id) for o in orders}
    by_id = {o.order_id: o for o in orders}
    for buy, sell, energy, seq, aggressor in clearing.trades.select(
        "buy_order", "sell_order", "energy", "seq", "aggressor"
    ).rows():
        maker, taker = by_id[sell if aggressor == "buy" else buy], by_id[buy if aggressor == "buy" else sell]
        assert taker.seq == seq
        waiting = [o for o in orders if (o.book, o.side) == (maker.book, maker.side) and left[o.order_id]]
        for other in (o for o in waiting if arrived[o.order_id] < arrived[taker.order_id]):
            better = other.price < maker.price if maker.side == "sell" else other.price > maker.price
            earlier = other.price == maker.price and arrived[other.order_id] < arrived[maker.order_id]
            assert not better
            assert not earlier
        left[buy] -= energy
        left[sell] -= energy


@QUICK
@given(orders=order_lists(kinds=("limit",)))
def test_no_arrival_order_trades_more_welfare_than_the_call_auction(orders):
    limits = frame(orders).drop("kind", "cancels")
    arriving, called = clear_both(limits, self_trade="allow").prices, gl.clear(limits).prices
    assert arriving.filter(arriving["welfare"] > called["welfare"]).is_empty()


@QUICK
@given(orders=order_lists(), self_trade=MODES, random=st.randoms())
def test_shuffling_the_rows_changes_only_the_row_order(orders, self_trade, random):
    one = clear_both(frame(orders), self_trade=self_trade)
    other = clear_both(frame(random.sample(orders, len(orders))), self_trade=self_trade)
    for name in ("prices", "trades", "events"):
        assert_frame_equal(getattr(one, name), getattr(other, name))
    assert_frame_equal(one.fills.sort("order_id"), other.fills.sort("order_id"))


@QUICK
@given(orders=order_lists(books=7, size=30), self_trade=MODES)
def test_all_books_in_one_call_equal_each_book_alone(orders, self_trade):
    together = clear_both(frame(orders), self_trade=self_trade)
    alone = [
        clear_both(frame([o for o in orders if o.book == book]), self_trade=self_trade)
        for book in sorted({o.book for o in orders})
    ]
    if alone:
        for name in ("prices", "trades", "events"):
            assert_frame_equal(getattr(together, name), pl.concat([getattr(c, name) for c in alone]))


@QUICK
@given(orders=order_lists(kinds=("limit", "market", "ioc", "fok")), self_trade=MODES)
def test_events_asked_for_beforehand_and_afterwards_are_equal(orders, self_trade):
    asked = clear_both(frame(orders), self_trade=self_trade, events=True)
    assert_frame_equal(asked.events, clear_both(frame(orders), self_trade=self_trade).events)


def random_frame(count, books, seed, *, shuffled):
    """Return a large frame of every kind, with cancels of earlier orders of the same book and account."""
    random = np.random.default_rng(seed)
    kind = random.choice(6, count, p=[0.5, 0.05, 0.1, 0.05, 0.05, 0.25]).astype(np.uint8)
    book, account = random.integers(0, books, count), random.integers(0, 40, count)
    target = random.integers(0, np.maximum(np.arange(count), 1))
    kind[(kind == 5) & ((kind[target] == 5) | (target >= np.arange(count)))] = 0
    cancels = kind == 5
    for array in (book, account):
        for i in np.flatnonzero(cancels):
            array[i] = array[target[i]]
    made = pl.DataFrame(
        {
            "order_id": np.arange(count),
            "slot": np.datetime64("2026-04-01T00:00", "us") + book * np.timedelta64(15, "m"),
            "zone": pl.repeat("BKK", count, eager=True),
            "account": account,
            "side": pl.Series(random.integers(0, 2, count).astype(np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            "price": random.integers(3_000, 4_000, count),
            "energy": random.integers(1, 5_000, count),
            "kind": pl.Series(kind).cat.to(pl.Enum(KINDS)),
            "cancels": pl.Series(target).scatter(np.flatnonzero(~cancels), None),
        }
    )
    return made.sample(fraction=1.0, shuffle=True, seed=seed) if shuffled else made


@pytest.mark.skipif(len(KERNELS) == 1, reason="needs numba")
@pytest.mark.parametrize(("books", "shuffled"), [(1, False), (1, True), (300, False), (300, True)])
def test_both_kernels_agree_on_large_frames(books, shuffled):
    orders = random_frame(30_000, books, seed=books, shuffled=shuffled)
    clearing = clear_both(orders, self_trade="cancel_both")
    assert clearing.trades.height > 1_000
    assert set(clearing.fills["reason"].cast(pl.String).unique()) >= {*NO_TRADE, "filled", "cancel: done"}


def test_where_numba_is_not_installed_the_plain_kernel_serves_large_frames(monkeypatch):
    orders = random_frame(2_000, 3, seed=9, shuffled=True)
    with_numba = clear_both(orders)
    # An import of it fails from here on.
    monkeypatch.setitem(sys.modules, "gridlab.market.continuous_trading.continuous_numba", None)
    monkeypatch.setattr(continuous_book, "COMPILED_FROM", 0)
    continuous_book._can_compile.cache_clear()
    without = clear_continuous(orders, BY, events=True)
    continuous_book._can_compile.cache_clear()
    for name in ("prices", "fills", "trades", "events"):
        assert_frame_equal(getattr(with_numba, name), getattr(without, name))


def test_threads_over_books_change_nothing(monkeypatch):
    orders = random_frame(20_000, 50, seed=5, shuffled=True)
    alone = clear_continuous(orders, BY, events=True)
    monkeypatch.setattr("gridlab.market.core.parallel.ROWS_PER_THREAD", 1_000)
    monkeypatch.setattr("gridlab.market.core.parallel.worker_count", lambda: 3)
    shared = clear_continuous(orders, BY, events=True)
    for name in ("prices", "fills", "trades", "events"):
        assert_frame_equal(getattr(alone, name), getattr(shared, name))


def one_book(*rows):
    """Return a frame of one book: each row (account, side, price, energy, kind, cancels); ids count from 1."""
    names = ("account", "side", "price", "energy", "kind", "cancels")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    slot = [datetime(2026, 4, 1, 12)] * len(rows)
    return pl.DataFrame({"order_id": range(1, len(rows) + 1), "slot": slot, "zone": "BKK", **columns}, strict=False)


def reasons(*rows, **options):
    """Return filled energy and reason of each order of one book."""
    return clear_both(one_book(*rows), **options).fills.select("filled", "reason").rows()


def test_a_trade_happens_at_the_resting_price():
    orders = one_book((0, "sell", 3500, 1000, "limit", None), (1, "buy", 4000, 1000, "limit", None))
    assert clear_both(orders).trades["price"].to_list() == [3500]
    assert clear_both(orders.with_columns(seq=pl.Series([2, 1]))).trades["price"].to_list() == [4000]


def test_a_partly_filled_order_keeps_its_place():
    orders = one_book(
        (0, "sell", 3500, 1000, "limit", None),
        (1, "sell", 3500, 1000, "limit", None),
        (2, "buy", 3500, 400, "limit", None),
        (3, "buy", 3500, 700, "limit", None),
    )
    assert clear_both(orders).trades.select("sell_order", "energy").rows() == [(1, 400), (1, 600), (2, 100)]


def test_each_kind_leaves_what_it_says():
    sell = (0, "sell", 3500, 1000, "limit", None)
    for kind, reason in (("limit", "partly: resting"), ("ioc", "partly: expired"), ("market", "partly: expired")):
        assert reasons(sell, (1, "buy", 3600, 1500, kind, None))[1] == (1000, reason)
    assert reasons(sell, (1, "buy", 3600, 1500, "fok", None)) == [(0, "resting"), (0, "killed")]
    assert reasons(sell, (1, "buy", 3600, 900, "fok", None))[1] == (900, "filled")
    assert reasons(sell, (1, "buy", 3500, 1500, "post_only", None)) == [(0, "resting"), (0, "would cross")]
    assert reasons(sell, (1, "buy", 3499, 1500, "post_only", None))[1] == (0, "resting")
    assert reasons(sell, (0, None, None, None, "cancel", 1)) == [(0, "cancelled"), (0, "cancel: done")]


def test_each_self_trade_mode_cancels_what_it_says():
    rows = (
        (0, "sell", 3500, 1000, "limit", None),
        (1, "sell", 3600, 1000, "limit", None),
        (0, "buy", 3600, 1500, "limit", None),
    )
    assert reasons(*rows) == [(0, "resting"), (0, "resting"), (0, "self-trade")]
    oldest = [(0, "self-trade"), (1000, "filled"), (1000, "partly: resting")]
    assert reasons(*rows, self_trade="cancel_oldest") == oldest
    assert reasons(*rows, self_trade="cancel_both") == [(0, "self-trade"), (0, "resting"), (0, "self-trade")]
    assert reasons(*rows, self_trade="allow") == [(1000, "filled"), (500, "partly: resting"), (1500, "filled")]


def test_a_killed_order_cancels_nothing_of_its_own_account():
    rows = ((0, "sell", 3500, 1000, "limit", None), (0, "buy", 3500, 500, "fok", None))
    for self_trade in ("cancel_newest", "cancel_oldest", "cancel_both"):
        assert reasons(*rows, self_trade=self_trade) == [(0, "resting"), (0, "killed")]


def test_a_market_order_s_price_and_a_cancel_s_terms_are_not_read():
    given = one_book(
        (0, "sell", 3500, 1000, "limit", None),
        (1, "buy", -9_999, 400, "market", None),
        (0, "buy", 99_999, -5, "cancel", 1),
    )
    absent = given.with_columns(
        price=pl.Series([3500, None, None]), energy=pl.Series([1000, 400, None]), side=pl.Series(["sell", "buy", None])
    )
    for orders in (given, absent):
        fills = clear_both(orders, floor=3_000, cap=4_000).fills
        assert fills["filled"].to_list() == [400, 400, 0]
        assert fills["limit"].to_list() == [3500, None, None]
        assert fills["energy"].to_list() == [1000, 400, 0]
        assert fills["side"].to_list() == ["sell", "buy", None]
        assert fills["reason"].to_list() == ["partly: cancelled", "filled", "cancel: done"]


@pytest.mark.parametrize("dtype", [pl.Int16, pl.UInt16, pl.UInt64, pl.Int128])
def test_any_integer_dtype_may_leave_unread_terms_null(dtype):
    orders = one_book((0, "sell", 3500, 1000, "limit", None), (1, "buy", None, 400, "market", None))
    orders = orders.with_columns(pl.col("price", "energy").cast(dtype), pl.col("side").cast(pl.Categorical))
    assert clear_both(orders, floor=-5).fills["filled"].to_list() == [400, 400]
    with pytest.raises(MarketError, match="floor of 3600"):
        clear_continuous(orders, BY, floor=3600)
    if dtype in (pl.UInt64, pl.Int128):
        with pytest.raises(MarketError, match="fits Int64"):
            clear_continuous(orders.with_columns(price=pl.Series([2**63, None], dtype=dtype)), BY)


def test_market_orders_alone_and_an_empty_frame_trade_nothing():
    orders = one_book((0, "sell", None, 1000, "market", None), (1, "buy", None, 1000, "market", None))
    assert clear_both(orders, floor=100, cap=200).fills["reason"].to_list() == ["expired", "expired"]
    nothing = clear_both(orders.clear())
    assert [nothing.prices.height, nothing.fills.height, nothing.trades.height, nothing.events.height] == [0, 0, 0, 0]
    assert nothing.trades.columns == clear_both(orders).trades.columns


def test_without_kinds_every_order_is_a_limit_order_and_by_may_be_empty():
    orders = one_book((0, "sell", 3500, 1000, "limit", None), (1, "buy", 4000, 600, "limit", None))
    plain = clear_both(orders.drop("kind", "cancels").lazy(), by=())
    assert plain.trades.select("energy", "price").rows() == [(600, 3500)]
    assert plain.fills["reason"].to_list() == ["partly: resting", "filled"]


def test_prices_at_the_ends_of_the_range_are_exact():
    end = 2**62 - 1
    orders = one_book((0, "sell", end, 1, "limit", None), (1, "buy", -end, 1, "limit", None))
    assert clear_both(orders).events["spread"].to_list() == [None, 2 * end]


BAD_CANCELS = {
    "not in the frame": (0, "sell", 3500, 1000, "cancel", 77),
    "stranger's order": (9, "sell", 3500, 1000, "cancel", 1),
    "another cancel": (0, "sell", 3500, 1000, "cancel", 2),
    "arrives later": (0, "sell", 3500, 1000, "cancel", 4),
    "must name the order_id": (0, "sell", 3500, 1000, "cancel", None),
    "only an order whose kind is 'cancel'": (0, "sell", 3500, 1000, "limit", 1),
    "one of": (0, "sell", 3500, 1000, "iceberg", None),
}


@pytest.mark.parametrize("sentence", BAD_CANCELS)
def test_a_bad_cancel_or_kind_rejects_the_whole_frame_and_shows_the_row(sentence):
    first = (0, "sell", 3500, 1000, "limit", None)
    orders = one_book(first, (0, "sell", 3500, 1000, "cancel", 1), BAD_CANCELS[sentence], first)
    with pytest.raises(MarketError, match=sentence) as caught:
        clear_continuous(orders, BY)
    assert "│ 2 " in str(caught.value), "the message shows the offending row"


def test_a_cancel_in_another_book_is_rejected():
    orders = one_book((0, "sell", 3500, 1000, "limit", None), (0, "sell", 3500, 1000, "cancel", 1))
    with pytest.raises(MarketError, match="another book"):
        clear_continuous(orders.with_columns(zone=pl.Series(["BKK", "NE"])), BY)


def test_cancels_find_sparse_ids():
    ids = pl.Series([2**63 + 5, 2**64 - 1, 7], dtype=pl.UInt64)
    orders = one_book(*[(0, "sell", 3500, 1000, "limit", None)] * 2, (0, None, None, None, "cancel", None))
    named = pl.Series([None, None, 2**64 - 1], dtype=pl.UInt64)
    orders = orders.with_columns(order_id=ids, seq=pl.Series([1, 2, 3]), cancels=named)
    assert clear_both(orders).fills["reason"].to_list() == ["resting", "cancelled", "cancel: done"]
    with pytest.raises(MarketError, match="not in the frame"):
        clear_continuous(orders.with_columns(cancels=pl.Series([None, None, 8], dtype=pl.UInt64)), BY)


def test_null_kind_unread_column_and_cancels_without_kind_are_rejected():
    orders = one_book((0, "sell", 3500, 1000, "limit", None), (0, "sell", 3500, 1000, "cancel", 1))
    with pytest.raises(MarketError, match="nulls"):
        clear_continuous(orders.with_columns(kind=pl.Series(["limit", None])), BY)
    with pytest.raises(MarketError, match="leave cancels null"):
        clear_continuous(orders.drop("kind"), BY)
    with pytest.raises(MarketError, match="must name the order_id"):
        clear_continuous(orders.drop("cancels"), BY)
    with pytest.raises(MarketError, match="price"):
        clear_continuous(orders.with_columns(price=pl.Series([None, 3500])), BY)
    with pytest.raises(MarketError, match="own"):
        clear_continuous(orders.rename({"zone": "seq"}), ("slot", "seq"))
    with pytest.raises(ArgumentTypeError):
        clear_continuous(orders.to_dict(), BY)


@pytest.mark.parametrize(
    ("options", "error", "hint"),
    [
        ({"self_trade": "cancel_newset"}, MarketError, "cancel_newest"),
        ({"self_trade": 1}, ArgumentTypeError, "cancel_newest"),
        ({"events": "yes"}, ArgumentTypeError, "True or False"),
        ({"event": True}, MarketError, "events"),
    ],
)
def test_bad_options_name_what_is_allowed(options, error, hint):
    with pytest.raises(error, match=hint) as caught:
        continuous_options(options)
    assert isinstance(caught.value, GridlabError)


def test_the_face_clears_by_the_rule_continuous_and_reads_its_options():
    orders = one_book((0, "sell", 3500, 1000, "limit", None), (0, "buy", 4000, 600, "limit", None))
    allowed = gl.clear(orders, rule="continuous", self_trade="allow", events=True, floor=3_500, cap=4_000)
    assert allowed.rule == "continuous"
    assert allowed.trades["price"].to_list() == [3500]
    assert allowed.events["traded"].to_list() == [0, 600]
    assert gl.clear(orders, rule="continuous").fills["reason"].to_list() == ["resting", "self-trade"]
    with pytest.raises(MarketError, match="cap of 3900"):
        gl.clear(orders, rule="continuous", cap=3_900)
    with pytest.raises(MarketError, match="no effect"):
        gl.clear(orders, rule="continuous", pricing="last_ask")
    with pytest.raises(MarketError, match="floor <= cap"):
        gl.clear(orders, rule="continuous", floor=5, cap=4)


def test_the_example_of_the_docs_page_gives_what_it_shows():
    page = Path(__file__).parents[2].joinpath("docs", "market", "continuous.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    names = {}
    exec(code, names)  # noqa: S102 - the page is ours
    shown = re.findall(r"^(clearing\..*)\n((?:# .*\n)+)", code, re.MULTILINE)
    assert len(shown) == 3
    for expression, comment in shown:
        assert eval(expression, names) == ast.literal_eval(re.sub(r"^# ", "", comment, flags=re.MULTILINE))  # noqa: S307


def test_look_up_by_table_and_by_search_find_the_same_rows(monkeypatch):
    random = np.random.default_rng(1)
    ids = random.permutation(np.arange(10, 400, 3, dtype=np.uint64))
    wanted = np.arange(0, 420, dtype=np.uint64)
    by_table = continuous_door._rows_of(ids, wanted)
    monkeypatch.setattr(continuous_door, "TABLE_PER_ORDER", 0)
    assert np.array_equal(by_table, continuous_door._rows_of(ids, wanted))
    assert np.array_equal(ids[by_table[by_table >= 0]], wanted[(wanted >= 10) & (wanted < 400) & (wanted % 3 == 1)])


def test_small_frames_need_no_compiler():
    """A frame of a few orders clears in a fresh process without loading numba."""
    code = (
        "import sys, polars as pl, gridlab.market.continuous_trading.continuous as c;"
        "o = pl.DataFrame({'order_id': [1], 'account': [0], 'side': ['buy'], 'price': [1], 'energy': [1]});"
        "o = o.with_columns(slot=pl.datetime(2026, 4, 1), zone=pl.lit('Z'));"
        "assert c.clear_continuous(o, ()).fills.height == 1;"
        "assert 'numba' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
