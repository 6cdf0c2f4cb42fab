"""Frames: checked at the door, taken whole or refused whole with the offending rows."""

from datetime import datetime

import polars as pl
import pytest

from gridlab.errors import ArgumentTypeError, FrameError, MarketError
from gridlab.frames import ORDERS, SLOT


def frame(**columns):
    base = {
        "order_id": [0, 1, 2],
        "slot": [datetime(2026, 5, 6, 12)] * 3,
        "zone": ["MAC", "CAC", "MAC"],
        "account": [0, 1, 2],
        "side": ["buy", "sell", "buy"],
        "price": [3000, 2500, 2800],
        "energy": [1000, 1200, 500],
    }
    return pl.DataFrame({**base, **columns})


def test_stored_dtypes_row_order_and_extra_columns():
    checked = ORDERS.check(frame(note=["a", "b", "c"]))
    assert checked.schema["order_id"] == pl.UInt64
    assert checked.schema["slot"] == SLOT
    assert checked.schema["zone"] == pl.Enum(["CAC", "MAC"])
    assert checked.schema["account"] == pl.UInt32
    assert checked["note"].to_list() == ["a", "b", "c"]
    assert checked["order_id"].to_list() == [0, 1, 2]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Bangkok"])
def test_any_datetime_becomes_a_bangkok_slot(unit, zone):
    checked = ORDERS.check(frame().with_columns(pl.col("slot").cast(pl.Datetime(unit, zone))))
    assert checked.schema["slot"] == SLOT
    assert checked["slot"].dt.hour()[0] == (12 if zone is None else 19)  # a cast reads naive times as UTC


def test_lazy_and_other_dtypes_are_taken():
    lazy = frame().lazy().with_columns(pl.col("side", "zone").cast(pl.Categorical), pl.col("price").cast(pl.Int32))
    assert ORDERS.check(lazy).schema["price"] == pl.Int64


@pytest.mark.parametrize("name", ["order_id", "slot", "zone", "account", "side", "price", "energy"])
def test_a_missing_column_is_named_with_what_it_means(name):
    with pytest.raises(MarketError, match=f"column '{name}' is missing"):
        ORDERS.check(frame().drop(name), error=MarketError)


def test_a_misspelt_column_is_suggested():
    with pytest.raises(FrameError, match="did you mean 'prise'"):
        ORDERS.check(frame().rename({"price": "prise"}))


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("price", [1.0, 2.0, 3.0], "dtype Float64, allowed: any integer"),
        ("energy", ["1", "2", "3"], "dtype String, allowed: any integer"),
        ("slot", ["12:00"] * 3, "allowed: Datetime"),
        ("side", [1, 2, 1], "allowed: String, Enum or Categorical"),
        ("side", ["buy", "sel", "buy"], "sel"),
        ("account", [0, -7, 2], "-7"),
        ("order_id", [0, -9, 2], "-9"),
        ("zone", ["MAC", None, "MAC"], "1 nulls"),
        ("price", [1, None, 3], "1 nulls"),
    ],
)
def test_a_bad_column_is_shown(column, values, words):
    with pytest.raises(FrameError) as caught:
        ORDERS.check(frame(**{column: values}))
    assert column in str(caught.value)
    assert words in str(caught.value)


def test_a_broken_rule_shows_the_rows():
    with pytest.raises(MarketError, match="energy must be more than 0") as caught:
        ORDERS.check(
            frame(energy=[1000, 0, -5]), rules={"energy must be more than 0": pl.col("energy") <= 0}, error=MarketError
        )
    assert "-5" in str(caught.value)


@pytest.mark.parametrize("thing", [None, {"a": [1]}, [1], "orders"])
def test_what_is_no_frame_is_a_type_error(thing):
    with pytest.raises(ArgumentTypeError, match="expected a polars DataFrame"):
        ORDERS.check(thing)


def test_empty_and_describe():
    assert ORDERS.check(ORDERS.empty()).is_empty()
    assert ORDERS.describe()["column"].to_list()[0] == "order_id"
