"""A frame or an argument that the market does not accept: the error names it, and says what is allowed."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentTypeError, GridlabError, MarketError
from tests.market.orders import book

ORDERS = book(buys=[(8, 10), (6, 10)], sells=[(5, 10), (7, 10)])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"rule": "unifrom"}, MarketError, "rule 'unifrom' is unknown; did you mean 'uniform'"),
        ({"rule": 3}, ArgumentTypeError, r"rule: expected one of .*'pay_as_bid'.* got 3 \(int\)"),
        ({"pricing": "last_asc"}, MarketError, "pricing 'last_asc' is unknown; did you mean 'last_ask'"),
        ({"pricing": None}, ArgumentTypeError, "pricing: expected one of"),
        ({"rationing": "lottery"}, MarketError, "rationing 'lottery' is unknown; allowed: 'pro_rata', 'time'"),
        ({"k": 1.01}, MarketError, "k = 1.01 is out of range; allowed: a number from 0 to 1"),
        ({"k": -1}, MarketError, "k = -1 is out of range"),
        ({"k": float("nan")}, MarketError, "k = nan is not a finite number"),
        ({"k": Decimal("sNaN")}, MarketError, "not a finite number"),
        ({"k": float("inf")}, MarketError, "k = inf is not a finite number"),
        ({"k": True}, ArgumentTypeError, r"k: expected a number from 0 to 1, got True \(bool\)"),
        ({"k": "0.5"}, ArgumentTypeError, "k: expected a number from 0 to 1, got '0.5'"),
        ({"pricing": "seller_share", "r": -0.5}, MarketError, "r = -0.5 is out of range; allowed: a number of at"),
        ({"r": 0.5}, MarketError, "option 'r' .* only pricing 'seller_share'"),
        ({"ration": "time"}, MarketError, "option 'ration' .* did you mean 'rationing'"),
        ({"rule": "pay_as_bid", "pricing": "last_bid"}, MarketError, "pricing 'last_bid' has no effect"),
        ({"floor": 9, "cap": 3}, MarketError, "floor 9 is above cap 3"),
        ({"floor": 0.5}, ArgumentTypeError, "floor: expected a whole number of THB/MWh or None, got 0.5"),
        ({"cap": True}, ArgumentTypeError, "cap: expected a whole number"),
        ({"floor": 6}, MarketError, "price is below the market's floor of 6 THB/MWh"),
        ({"cap": 7}, MarketError, "price is above the market's cap of 7 THB/MWh"),
        ({"by": "feder"}, MarketError, "the orders have no column 'feder'"),
        ({"by": ("slot", "slot")}, MarketError, "column 'slot' is named twice"),
        ({"by": ("slot", "price")}, MarketError, "column 'price' holds a result of the clearing"),
        ({"by": 3}, ArgumentTypeError, "by: expected a column name or a sequence of names, got 3"),
        ({"by": ("slot", 3)}, ArgumentTypeError, "by: expected a column name"),
    ],
)
def test_an_argument_that_is_not_accepted(options, error, words):
    with pytest.raises(error, match=words):
        gl.clear(ORDERS, **options)
    assert issubclass(error, GridlabError)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"energy": pl.Series([10, 0, 10, 10])}, r"energy must be more than 0 Wh[^│]*[\s\S]*│ 1 +┆"),
        ({"energy": pl.Series([10, -3, 10, 10])}, "energy must be more than 0 Wh"),
        ({"energy": pl.Series([1.0, 2.0, 3.0, 4.0])}, "column 'energy' has dtype Float64, allowed: any integer dtype"),
        ({"energy": pl.Series([1, None, 3, 4])}, "column 'energy' has 1 nulls"),
        ({"side": pl.Series(["buy", "bid", "sell", "sell"])}, "column 'side' holds a value that is not allowed"),
        ({"order_id": pl.Series([1, 2, 1, 3])}, "order_id must be unique in the frame"),
        ({"order_id": pl.Series([1, 2**62, 1, 3])}, "order_id must be unique in the frame"),
        ({"order_id": pl.Series([1, 2, -1, 3])}, "column 'order_id' holds a value that is not allowed"),
        ({"price": pl.Series([1, 2**62 + 1, 1, 3])}, "price is outside -2\\*\\*62 to 2\\*\\*62"),
        ({"price": pl.Series([1, -(2**63), 1, 3])}, "price is outside -2\\*\\*62 to 2\\*\\*62"),
        ({"seq": pl.Series([1, None, 1, 3])}, "column 'seq' has 1 nulls"),
        ({"amount": pl.Series([1, 2, 3, 4])}, "column 'amount' would clash"),
    ],
)
def test_a_frame_that_is_not_accepted(change, words):
    with pytest.raises(MarketError, match=words):
        gl.clear(ORDERS.with_columns(**change))


def test_a_missing_column_is_named_with_the_nearest_found():
    with pytest.raises(MarketError, match=r"column 'price' is missing .* did you mean 'prices'"):
        gl.clear(ORDERS.rename({"price": "prices"}))


@pytest.mark.parametrize("orders", [None, {"price": [1]}, [1, 2], "orders.csv"])
def test_what_is_no_frame_is_no_market(orders):
    with pytest.raises(ArgumentTypeError, match="expected a polars DataFrame or LazyFrame"):
        gl.clear(orders)


def test_a_column_that_cannot_be_ranked_cannot_tell_books_apart():
    orders = ORDERS.with_columns(pl.Series("place", [object()] * 4, dtype=pl.Object))
    with pytest.raises(MarketError, match="column 'place' holds Python objects"):
        gl.clear(orders, by="place")


def test_a_null_in_a_column_that_tells_books_apart():
    with pytest.raises(MarketError, match="column 'feeder' tells books apart and must hold no nulls"):
        gl.clear(ORDERS.with_columns(feeder=pl.Series([1, 2, None, 4])), by="feeder")


def test_the_frame_given_is_left_as_it_was():
    before = ORDERS.clone()
    gl.clear(ORDERS)
    with pytest.raises(MarketError):
        gl.clear(ORDERS, cap=0)
    assert ORDERS.equals(before)


def test_sums_beyond_64_bits_are_an_error_not_a_wrong_number():
    with pytest.raises(MarketError, match="largest price times energy of a book passes 2\\*\\*63 micro-THB"):
        gl.clear(book(buys=[(2**40, 2**23)], sells=[(1, 2**23)]))
    with pytest.raises(MarketError, match="energies sum to 9223372036854775808 Wh"):
        gl.clear(book(buys=[(1, 2**62)], sells=[(1, 2**62)]))


def test_sums_that_fit_book_by_book_are_taken():
    # 2**62 micro-THB a book, eight books: too much for one sum, fine for each.
    orders = pl.concat(
        [book(buys=[(2**40, 2**20)], sells=[(2**40, 2**20)]).with_columns(zone=pl.lit(f"Z{i}")) for i in range(8)]
    ).with_columns(order_id=pl.int_range(16))
    clearing = gl.clear(orders)
    assert clearing.prices["price"].to_list() == [2**40] * 8
    assert clearing.fills["amount"].to_list() == [2**60] * 16


@pytest.mark.parametrize(
    ("rule", "call"), [("zonal", "couple"), ("blocks", "clear_blocks"), ("bilateral", "settle_ppa")]
)
def test_a_rule_with_a_call_of_its_own_is_pointed_to(rule, call):
    with pytest.raises(MarketError, match=call):
        gl.clear(gl.frames.ORDERS.empty(), rule)
