"""What the rules say, case by case, worked out by hand."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.frames import ORDERS, SLOT
from tests.market.both_kernels import clear_both
from tests.market.orders import NOON, book

# LA buy 8, LA sell 5, FR buy 6, FR sell 7: the competitive interval is 6 … 7.
FOUR = book(buys=[(8, 10), (6, 10)], sells=[(5, 10), (7, 10)])


def price_of(orders, **options):
    return clear_both(orders, **options).prices["price"].item()


def filled(orders, rule="uniform", **options):
    return clear_both(orders, rule, **options).fills["filled"].to_list()


def reasons(orders, rule="uniform", **options):
    return clear_both(orders, rule, **options).fills["reason"].to_list()


@pytest.mark.parametrize(
    ("options", "price", "low", "high"),
    [
        ({"k": 0}, 6, 6, 7),
        ({"k": 1}, 7, 6, 7),
        ({"k": 0.5}, 6, 6, 7),
        ({"pricing": "marginal_accepted", "k": Fraction(2, 3)}, 7, 5, 8),
        ({"pricing": "last_ask"}, 5, 5, 8),
        ({"pricing": "last_bid"}, 8, 5, 8),
        ({"pricing": "first_rejected", "k": 0}, 6, 6, 7),
        ({"pricing": "first_rejected", "k": 1}, 7, 6, 7),
        ({"pricing": "seller_share"}, 6, 5, 8),
        ({"pricing": "seller_share", "r": 0}, 5, 5, 8),
        ({"pricing": "seller_share", "r": Decimal("0.99")}, 7, 5, 8),
        ({"pricing": "seller_share", "r": 40}, 8, 5, 8),
    ],
)
def test_where_the_price_comes_from(options, price, low, high):
    prices = clear_both(FOUR, **options).prices
    assert prices.select("price", "price_low", "price_high").row(0) == (price, low, high)


def test_orders_at_equal_limits_trade_although_nobody_gains():
    clearing = clear_both(book(buys=[(7, 5)], sells=[(7, 5)]))
    assert clearing.fills["filled"].to_list() == [5, 5]
    assert clearing.prices.select("price", "energy", "welfare").row(0) == (7, 5, 0)


def test_a_float_k_counts_as_it_is_written():
    # 0.3 as a binary number is a little less than 3/10, and the floor would make 2 of it.
    orders = book(buys=[(10, 1)], sells=[(0, 1)])
    exact = (0.3, Fraction(3, 10), Decimal("0.3"), np.float64(0.3), np.float32(0.3))
    assert {price_of(orders, k=k) for k in exact} == {3}


def test_a_price_below_zero_is_rounded_down_too():
    assert price_of(book(buys=[(0, 1)], sells=[(-3, 1)])) == -2


def test_with_a_price_below_zero_the_seller_pays_the_buyer():
    fills = clear_both(book(buys=[(-2, 4)], sells=[(-4, 4)])).fills
    assert fills["price"].to_list() == [-3, -3]
    assert fills["amount"].to_list() == [-12, -12]


def test_pro_rata_gives_the_wh_left_over_to_the_largest_remainders():
    # 10 Wh for 9, 6 and 3: 5, 3 1/3 and 1 2/3.
    assert filled(book(buys=[(5, 9), (5, 6), (5, 3)], sells=[(5, 10)])) == [5, 3, 2, 10]


def test_pro_rata_breaks_equal_remainders_by_seq_then_order_id():
    # 4 Wh for three orders of 3: 1 1/3 each, one Wh left.
    orders = book(buys=[(5, 3), (5, 3), (5, 3)], sells=[(5, 4)])
    assert filled(orders) == [2, 1, 1, 4]
    assert filled(orders.with_columns(seq=pl.Series([9, 8, 7, 0]))) == [1, 1, 2, 4]
    assert filled(orders.with_columns(seq=pl.Series([9, 7, 7, 0]))) == [1, 2, 1, 4]


def test_time_rationing_fills_whole_by_seq_until_nothing_is_left():
    orders = book(buys=[(5, 3), (5, 3), (5, 3)], sells=[(5, 4)])
    assert filled(orders, rationing="time") == [3, 1, 0, 4]
    assert filled(orders.with_columns(seq=pl.Series([9, 8, 7, 0])), rationing="time") == [0, 1, 3, 4]


def test_better_limits_are_served_before_the_cut_level():
    orders = book(buys=[(9, 4), (5, 8), (5, 4)], sells=[(1, 10)])
    assert filled(orders) == [4, 4, 2, 10]
    assert price_of(orders) == 5


def test_reasons():
    # The level at 5 is cut; with one Wh, pro rata leaves its second order nothing.
    orders = book(buys=[(9, 4), (5, 3), (5, 1), (2, 1)], sells=[(1, 5), (6, 1)])
    assert reasons(orders) == ["filled", "partly: marginal", "rationed", "priced out", "filled", "priced out"]
    assert reasons(orders, "pay_as_bid") == reasons(orders)


def test_an_order_as_good_as_the_price_that_gets_nothing_is_rationed():
    # At k = 0 the price is the first rejected buy's limit.
    assert reasons(FOUR, k=0) == ["filled", "rationed", "filled", "priced out"]
    assert reasons(FOUR, pricing="last_ask") == ["filled", "rationed", "filled", "priced out"]


def test_orders_that_do_not_cross_are_priced_out_and_lonely_ones_have_no_counterparty():
    clearing = clear_both(book(buys=[(3, 1)], sells=[(4, 1)]))
    assert clearing.fills["reason"].to_list() == ["priced out", "priced out"]
    assert clearing.prices.select("price", "price_low", "price_high", "energy").row(0) == (None, None, None, 0)
    assert reasons(book(buys=[(3, 1), (2, 1)])) == ["no counterparty", "no counterparty"]
    assert reasons(book(sells=[(3, 1)])) == ["no counterparty"]


def test_prices_show_what_was_offered_and_who_gained():
    row = clear_both(FOUR, k=1).prices.row(0, named=True)
    figures = ("energy", "demand", "supply", "welfare", "buyer_surplus", "seller_surplus", "operator_surplus")
    assert [row[name] for name in figures] == [10, 20, 20, 30, 10, 20, 0]


def test_pay_as_bid_pairs_best_with_best():
    # Greedy matching by arrival would pair 10 with 6 and leave 7 without a seller below it.
    clearing = clear_both(book(buys=[(10, 5), (7, 5)], sells=[(6, 5), (2, 5)]), "pay_as_bid")
    assert clearing.trades.select("buy_order", "sell_order", "energy", "price", "amount").rows() == [
        (0, 3, 5, 6, 30),
        (1, 2, 5, 6, 30),
    ]
    assert clearing.prices["welfare"].item() == 45


def test_pay_as_bid_price_of_an_order_is_its_mean_rounded_down():
    # The sell of 3 trades 1 Wh at 9 and 2 Wh at 7: 23 in all, 7.67 a unit.
    clearing = clear_both(book(buys=[(9, 1), (7, 2)], sells=[(0, 3)]), "pay_as_bid", k=1)
    assert clearing.fills.select("price", "amount").rows() == [(9, 9), (7, 14), (7, 23)]
    assert clearing.prices.select("price", "price_low", "price_high").row(0) == (7, 7, 9)


def test_fills_keep_the_rows_and_pass_other_columns_on():
    orders = FOUR.reverse().with_columns(feeder=pl.Series([4, 3, 2, 1]), note=pl.Series(["d", "c", "b", "a"]))
    fills = clear_both(orders).fills
    assert fills.columns == [
        "order_id", "slot", "zone", "account", "side", "limit", "energy", "filled", "price", "amount", "reason",
        "feeder", "note",
    ]  # fmt: skip
    assert fills["order_id"].to_list() == [3, 2, 1, 0]
    assert fills["note"].to_list() == ["d", "c", "b", "a"]
    assert fills.schema["reason"] == pl.Enum(
        ["filled", "partly: marginal", "rationed", "priced out", "no counterparty"]
    )


@pytest.mark.parametrize("rule", ["uniform", "pay_as_bid"])
@pytest.mark.parametrize("by", [("slot", "zone"), ("slot",), ()])
def test_an_empty_frame_is_a_market_in_which_nothing_trades(rule, by):
    full, empty = (clear_both(orders, rule, by=by) for orders in (FOUR, FOUR.head(0)))
    for name in ("prices", "fills", "trades"):
        one, other = getattr(full, name), getattr(empty, name)
        assert other.height == 0
        # The zones found are none, so their Enum is another.
        assert {n: d for n, d in one.schema.items() if n != "zone"} == {
            n: d for n, d in other.schema.items() if n != "zone"
        }
    assert clear_both(ORDERS.empty(), rule, by=by).prices.is_empty()


@pytest.mark.parametrize(
    "by", [("slot", "zone"), ("zone", "slot"), "zone", ("feeder",), ("ratio", "flag"), ("day", "text", "unsigned"), ()]
)
def test_any_columns_may_tell_books_apart(by):
    count = 400
    random = np.random.default_rng(7)
    key = random.integers(0, 5, count)
    orders = pl.DataFrame(
        {
            "order_id": random.permutation(count),
            "slot": [NOON] * count,
            "zone": pl.Series([f"Z{z}" for z in random.integers(0, 3, count)], dtype=pl.Enum(["Z2", "Z0", "Z1"])),
            "account": np.zeros(count, dtype=np.int8),
            "side": pl.Series(["buy", "sell"] * (count // 2)).cast(pl.Categorical),
            "price": random.integers(0, 9, count, dtype=np.int16),
            "energy": random.integers(1, 9, count, dtype=np.uint32),
            "feeder": key * 10**12 - 5,
            "ratio": key / 7,
            "flag": key > 2,
            "text": pl.Series([f"t{k}" for k in -key]).cast(pl.Categorical),
            "unsigned": pl.Series(key, dtype=pl.UInt64) + 2**63,
        }
    ).with_columns(day=pl.lit(NOON).dt.date() + pl.duration(days=pl.col("feeder") % 97))
    clearing = clear_both(orders, by=by)
    names = [by] if isinstance(by, str) else list(by)
    found = clearing.prices.select(*names, "demand", "supply", "energy")
    offered = [
        pl.col("energy").filter(pl.col("side") == side).sum().cast(pl.Int64).alias(name)
        for side, name in (("buy", "demand"), ("sell", "supply"))
    ]
    bought = pl.col("filled").filter(pl.col("side") == "buy").sum().alias("energy")
    fills = clearing.fills.with_columns(pl.col("text").cast(pl.String)) if "text" in names else clearing.fills
    if names:
        expected = fills.group_by(names).agg(*offered, bought).sort(names)
        found = found.with_columns(pl.col("text").cast(pl.String)) if "text" in names else found
        assert found.rows() == expected.rows()
    else:
        assert found.rows() == fills.select(*offered, bought).rows()
    assert clearing.trades.columns[: len(names)] == names


def test_slots_of_any_unit_or_zone_and_lazy_frames_are_taken():
    plain = clear_both(FOUR)
    for slot in (
        pl.col("slot").dt.cast_time_unit("ms"),
        pl.col("slot").dt.cast_time_unit("ns").dt.replace_time_zone("Asia/Bangkok"),
        pl.col("slot").dt.replace_time_zone("Asia/Bangkok").dt.convert_time_zone("UTC"),
    ):
        clearing = clear_both(FOUR.with_columns(slot))
        assert clearing.prices.rows() == plain.prices.rows()
        assert clearing.prices.schema["slot"] == SLOT
    assert gl.clear(FOUR.lazy()).fills.rows() == plain.fills.rows()


@pytest.mark.parametrize("step", ["15m", "5m", "1s", "7us"])
def test_slots_of_any_spacing_are_told_apart(step):
    slots = pl.datetime_range(NOON, NOON.replace(year=2027), "1d", eager=True).dt.offset_by(step)
    count = len(slots)
    orders = pl.concat([book(buys=[(5, 1)]), book(sells=[(4, 1)])]).select(pl.all().repeat_by(count).explode())
    orders = orders.with_columns(slot=pl.concat([slots, slots]), order_id=pl.int_range(2 * count)).with_columns(
        slot=pl.col("slot").dt.offset_by("7us") if step == "7us" else pl.col("slot")
    )
    prices = clear_both(orders).prices
    assert prices.height == count
    assert prices["slot"].is_sorted()
    assert prices["energy"].to_list() == [1] * count


def test_columns_of_the_frame_are_shared_not_copied():
    orders = gl.clear(FOUR).fills  # already in stored dtypes
    orders = orders.select("order_id", "slot", "zone", "account", "side", pl.col("limit").alias("price"), "energy")
    orders = orders.with_columns(feeder=pl.Series([1, 2, 3, 4]))
    fills = gl.clear(orders).fills
    for given, handed_on in (("order_id", "order_id"), ("price", "limit"), ("energy", "energy"), ("feeder", "feeder")):
        assert np.shares_memory(orders[given].to_numpy(), fills[handed_on].to_numpy())


def test_a_clearing_shows_itself_the_same_way_every_time():
    clearing = gl.clear(FOUR)
    assert repr(clearing) == "Clearing(rule='uniform', books=1, orders=4, traded=0.010 kWh)"
    assert clearing._repr_html_() == gl.clear(FOUR)._repr_html_()
    for text in ("Clearing by rule uniform", "<td>traded energy</td><td>0.010</td><td>kWh</td>", "0.0060"):
        assert text in clearing._repr_html_()
    assert "<td>average price</td><td>–</td>" in gl.clear(FOUR.head(0))._repr_html_()


@pytest.mark.parametrize("rule", ["uniform", "pay_as_bid"])
def test_a_clearing_survives_pickling_with_its_trades(rule):
    clearing = gl.clear(FOUR, rule)
    copy = pickle.loads(pickle.dumps(clearing))
    assert copy.trades.rows() == clearing.trades.rows()
    assert copy.prices.rows() == clearing.prices.rows()


def test_trades_are_made_once():
    clearing = gl.clear(FOUR)
    assert clearing.trades is clearing.trades
