"""Published cases of other people's market software. Prices are scaled by 1000, so that 3.25 is an integer."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tests.market.both_kernels import clear_both

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "uniform_price.json").read_text(encoding="utf-8"))


def name(case):
    """Name a case after its source: ``U01-from-gsy-e-tests-test_two_sided_market.py``."""
    return f"{case['id']}-from-" + re.sub(r"[^\w.]+", "-", case["source"])


def scaled(price):
    whole = round(price * 1000)
    assert whole == pytest.approx(price * 1000)
    return whole


def orders_of(case):
    rows = [("buy", *order) for order in case["bids"]] + [("sell", *order) for order in case["asks"]]
    return pl.DataFrame(
        {
            "order_id": range(len(rows)),
            "slot": [datetime(2026, 4, 1)] * len(rows),
            "zone": ["BKK"] * len(rows),
            "account": range(len(rows)),
            "side": [side for side, *_ in rows],
            "price": [scaled(price) for *_, price in rows],
            "energy": [int(energy) for _, _, energy, _ in rows],
        }
    )


@pytest.mark.parametrize("case", CASES, ids=name)
def test_uniform_price_vector(case):
    orders = orders_of(case)
    clearing = clear_both(orders)
    book = clearing.prices.row(0, named=True)
    assert book["energy"] == case["q_eff"]
    assert book["price_low"] == scaled(case["p_lo"])
    assert book["price_high"] == scaled(case["p_hi"])
    assert book["price_low"] <= book["price"] <= book["price_high"]
    assert book["welfare"] == scaled(case["welfare"])
    # The smallest efficient volume leaves out the pairs that gain nothing.
    limits = orders.select("order_id", limit="price").with_columns(pl.col("order_id").cast(pl.UInt64))
    pairs = clearing.trades.join(limits, left_on="buy_order", right_on="order_id").join(
        limits, left_on="sell_order", right_on="order_id", suffix="_sell"
    )
    assert pairs.filter(pl.col("limit") > pl.col("limit_sell"))["energy"].sum() == case["q_eff_min"]


def test_there_are_23_vectors():
    assert len(CASES) == 23
