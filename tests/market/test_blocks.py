"""Block auctions: published cases, brute force over all sets of blocks and all prices, and every refusal."""

from __future__ import annotations

import doctest
import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import gridlab as gl
from gridlab.errors import ArgumentTypeError, MarketError
from gridlab.market.block_orders import blocks as auctions_module
from gridlab.market.block_orders.block_door import BLOCKS
from gridlab.market.block_orders.blocks import clear_blocks
from tests.market.block_reference import START, Block, Simple, best_welfare, blocks_frame, orders_frame

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "blocks.json").read_text())
KWH = 1000
QUICK = settings(max_examples=60, deadline=None)


def vector_orders(case):
    rows = [
        (slot, side, price, energy * KWH)
        for _, side, price, energies in case["simple"]
        for slot, energy in enumerate(energies)
        if energy
    ]
    return orders_frame([Simple(*row) for row in rows])


def vector_blocks(case):
    def one(name, side, price, energies, least, parent):
        energy = {slot: kwh * KWH for slot, kwh in enumerate(energies)}
        return blocks_frame([Block(name, side, price, energy, parent)], float(least))

    return pl.concat(one(*block) for block in case["blocks"])


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['id']} of {case['source']}".replace(" ", "_"))
def test_block_vector(case):
    auction = clear_blocks(vector_orders(case), vector_blocks(case))
    expected = case["expected"]
    assert auction.prices["price"].to_list() == expected["prices"]
    accepted = auction.blocks.filter(pl.col("accepted") > 0)
    if "accepted" in expected and expected["accepted"] != "either":
        assert accepted["block_id"].to_list() == sorted(expected["accepted"])
    if "quantity" in expected:
        assert auction.prices["energy"].to_list() == [energy * KWH for energy in expected["quantity"]]
    check_invariants(auction)


def test_there_are_6_block_vectors():
    assert [case["id"] for case in VECTORS] == ["B1", "B3", "B5", "L1", "L3", "N1"]


def check_invariants(auction):
    """Hold what is true of every block auction."""
    fills, rows = auction.fills, auction.block_fills
    sign = pl.when(pl.col("side") == "buy").then(1).otherwise(-1)
    columns = ["slot", pl.col("zone").cast(pl.String), "side", "filled", "amount"]
    everything = pl.concat([fills.select(columns), rows.select(columns)])
    sums = everything.group_by("slot", "zone").agg((pl.col("filled", "amount") * sign).sum())
    assert sums.filter((pl.col("filled") != 0) | (pl.col("amount") != 0)).is_empty()
    assert (auction.prices["operator_surplus"] == 0).all()
    assert fills.select(pl.col("filled").is_between(0, pl.col("energy")).all()).item()
    assert rows.select(pl.col("filled").is_between(0, pl.col("energy")).all()).item()
    traded = fills.filter(pl.col("filled") > 0)
    assert traded.filter((pl.col("limit") - pl.col("price")) * sign < 0).is_empty()
    prices = auction.prices.with_columns(pl.col("zone").cast(pl.String)).select("slot", "zone", "price")
    better = (pl.col("limit") - pl.col("price")) * sign > 0
    priced = fills.with_columns(pl.col("zone").cast(pl.String)).drop("price").join(prices, on=["slot", "zone"])
    left_out = priced.filter(better & (pl.col("filled") < pl.col("energy")))
    assert left_out.is_empty() or "min_fill" in fills.columns
    trades = auction.trades
    bought = everything.filter(pl.col("side") == "buy")["filled"].sum()
    assert trades["energy"].sum() == bought == auction.prices["energy"].sum()
    assert trades.filter(pl.col("buy_order").is_null() != pl.col("buy_block").is_not_null()).is_empty()
    assert trades.filter(pl.col("sell_order").is_null() != pl.col("sell_block").is_not_null()).is_empty()


@st.composite
def auctions(draw):
    slots = draw(st.integers(1, 2))
    order = st.builds(
        Simple,
        slot=st.integers(0, slots - 1),
        side=st.sampled_from(["buy", "sell"]),
        price=st.integers(0, 10),
        energy=st.integers(1, 4),
    )
    orders = draw(st.lists(order, max_size=7))
    blocks = []
    for number in range(draw(st.integers(1, 4))):
        blocks.append(
            Block(
                f"b{number}",
                draw(st.sampled_from(["buy", "sell"])),
                draw(st.integers(0, 10)),
                draw(st.dictionaries(st.integers(0, slots - 1), st.integers(1, 4), min_size=1)),
                draw(st.sampled_from([None, None, *(b.name for b in blocks)])),
                draw(st.sampled_from([None, None, "group"])),
            )
        )
    return orders, blocks, slots


@QUICK
@given(auctions())
def test_welfare_is_that_of_the_best_set_of_blocks_that_any_whole_prices_support(auction):
    orders, blocks, slots = auction
    found = clear_blocks(orders_frame(orders), blocks_frame(blocks))
    check_invariants(found)
    limits = [o.price for o in orders] + [b.price for b in blocks]
    assert found.prices["welfare"].sum() == best_welfare(orders, blocks, slots, range(min(limits), max(limits) + 1))
    verdict = {row["block_id"]: row for row in found.blocks.iter_rows(named=True)}
    for block in blocks:
        accepted = verdict[block.name]["accepted"]
        assert accepted in (0, 1)
        assert not accepted or block.parent is None or verdict[block.parent]["accepted"] == 1
    assert sum(verdict[b.name]["accepted"] for b in blocks if b.group) <= 1
    has_children = {b.parent for b in blocks}
    for name, row in verdict.items():
        if row["accepted"] and name not in has_children:
            assert row["surplus"] >= 0
        if row["reason"] == "paradoxically rejected":
            assert row["surplus"] > 0
            assert row["accepted"] == 0


@QUICK
@given(auctions(), st.sampled_from([0.0, 0.3, 0.5]), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0, 0.5, 1]))
def test_least_shares_hold_and_nobody_loses(auction, block_least, order_least, k):
    orders, blocks, _ = auction
    book = orders_frame(orders).with_columns(min_fill=pl.lit(order_least))
    found = clear_blocks(book, blocks_frame(blocks, block_least), k=k)
    check_invariants(found)
    has_children = {b.parent for b in blocks}
    for row in found.blocks.iter_rows(named=True):
        if row["filled"]:
            # Whole Wh: a row may be 1 Wh from its share.
            rows = found.block_fills.filter(pl.col("block_id") == row["block_id"]).height
            assert row["filled"] >= block_least * row["energy"] - rows
            assert row["surplus"] >= 0 or row["block_id"] in has_children
    partly = found.fills.filter(pl.col("filled") > 0)
    assert partly.filter(pl.col("filled") < order_least * pl.col("energy") - 1).is_empty()


@QUICK
@given(auctions(), st.sampled_from([0, 0.5, 1]), st.sampled_from(["pro_rata", "time"]))
def test_without_blocks_it_is_uniform(auction, k, rationing):
    orders, *_ = auction
    book = orders_frame(orders)
    found = clear_blocks(book, blocks_frame([]), k=k, rationing=rationing)
    uniform = gl.clear(book, k=k, rationing=rationing)
    columns = ["order_id", "filled", "price", "amount"]
    assert_frame_equal(found.fills.select(columns), uniform.fills.select(columns))
    assert found.fills["reason"].cast(pl.String).to_list() == uniform.fills["reason"].cast(pl.String).to_list()
    shared = ["price", "price_low", "price_high", "energy", "demand", "supply", "welfare"]
    assert_frame_equal(found.prices.select(shared), uniform.prices.select(shared))


def one_slot(*orders):
    return orders_frame([Simple(0, *order) for order in orders])


def test_a_paradoxically_rejected_block_is_named():
    # Taking the block leaves the cheap plant part of the load and drops the price below the block's limit.
    orders = one_slot(("buy", 100, 10), ("sell", 10, 9), ("sell", 90, 5))
    auction = clear_blocks(orders, blocks_frame([Block("plant", "sell", 50, {0: 6})]))
    row = auction.blocks.row(0, named=True)
    assert auction.prices["price"].item() == 90
    assert (row["accepted"], row["reason"], row["surplus"]) == (0.0, "paradoxically rejected", 6 * 40)
    assert "1" in auction.summary().filter(pl.col("figure") == "paradoxically rejected")["value"].item()


def test_a_parent_may_lose_what_its_family_gains():
    orders = one_slot(("buy", 100, 20), ("sell", 60, 15))
    blocks = [Block("start", "sell", 70, {0: 2}), Block("run", "sell", 40, {0: 10}, parent="start")]
    auction = clear_blocks(orders, blocks_frame(blocks))
    assert auction.prices["price"].item() == 60
    verdict = {row["block_id"]: (row["reason"], row["surplus"]) for row in auction.blocks.iter_rows(named=True)}
    assert verdict == {"start": ("accepted for its family", -20), "run": ("accepted", 200)}


def test_of_an_exclusive_group_one_is_taken():
    orders = one_slot(("buy", 100, 10), ("sell", 60, 10))
    blocks = [Block("early", "sell", 40, {0: 4}, group="plant"), Block("late", "sell", 50, {0: 4}, group="plant")]
    auction = clear_blocks(orders, blocks_frame(blocks))
    assert auction.blocks.select("block_id", "reason").rows() == [("early", "accepted"), ("late", "exclusive group")]


def test_a_block_is_cut_to_its_least_share():
    orders = one_slot(("buy", 100, 600), ("sell", 60, 300))
    auction = clear_blocks(orders, blocks_frame([Block("plant", "sell", 20, {0: 1000})], 0.5))
    assert auction.blocks.select("accepted", "reason", "filled").row(0) == (0.6, "partly accepted", 600)
    assert auction.prices["price"].item() == 20


def test_an_order_with_a_least_share_may_be_rejected_at_a_better_price():
    orders = one_slot(("buy", 100, 10), ("sell", 10, 9), ("sell", 90, 5), ("sell", 50, 6))
    orders = orders.with_columns(min_fill=pl.Series([None, None, 0.0, 1.0]))
    auction = clear_blocks(orders, blocks_frame([]))
    assert auction.fills["filled"].to_list() == [10, 9, 1, 0]
    assert auction.fills["reason"][3] == "paradoxically rejected"
    assert auction.fills["min_fill"].to_list() == [None, None, 0.0, 1.0]


def test_blocks_alone_trade_between_their_limits():
    blocks = [Block("load", "buy", 100, {0: 5, 1: 5}), Block("plant", "sell", 40, {0: 5, 1: 5})]
    auction = clear_blocks(orders_frame([]), blocks_frame(blocks))
    assert auction.blocks["accepted"].to_list() == [1, 1]
    assert auction.prices["welfare"].sum() == 60 * 10
    assert auction.trades.select("buy_block", "sell_block", "energy").rows() == [("load", "plant", 5)] * 2
    check_invariants(auction)


def test_prices_leave_the_limits_of_a_book_where_a_block_needs_it():
    # The block sells at 8 on average; slot 1 is worth 3 at most, so slot 0 must be worth 13.
    orders = orders_frame([Simple(0, "buy", 20, 4), Simple(1, "buy", 3, 4)])
    auction = clear_blocks(orders, blocks_frame([Block("plant", "sell", 8, {0: 4, 1: 4})]))
    assert auction.blocks["reason"].item() == "accepted"
    assert auction.blocks["surplus"].item() >= 0
    assert auction.prices["price"][1] <= 3


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"parent": pl.lit("ghost")}, "'ghost', which is no block"),
        ({"parent": pl.col("block_id")}, "round in a circle, 'a' -> 'a'"),
        ({"parent": pl.col("block_id").replace({"a": "b", "b": "c", "c": "a"})}, "round in a circle"),
        ({"min_fill": pl.lit(1.2)}, "min_fill must be a share"),
        ({"min_fill": pl.lit(-0.1)}, "min_fill must be a share"),
        ({"min_fill": pl.lit(float("nan"))}, "min_fill must be a share"),
        ({"price": pl.Series([50, 50, 50, 60, 50, 50])}, "more than one price"),
        ({"side": pl.Series(["sell", "buy"] * 3)}, "more than one side"),
        ({"min_fill": pl.Series([1.0, 0.5] * 3)}, "more than one min_fill"),
        ({"exclusive_group": pl.Series(["g", None] * 3)}, "more than one exclusive_group"),
        ({"energy": pl.lit(0)}, "more than 0 Wh"),
        ({"slot": pl.lit(START)}, "two rows for one slot and zone"),
        ({"price": pl.lit(50.5)}, "'price' has dtype"),
        ({"side": pl.lit("sel")}, "one of"),
        ({"block_id": pl.lit(None, pl.String)}, "nulls"),
        ({"price": pl.lit(10**10)}, "beyond what the solver resolves"),
    ],
)
def test_a_bad_block_is_named(changes, named):
    blocks = blocks_frame([Block(name, "sell", 50, {0: 5, 1: 5}) for name in "abc"])
    with pytest.raises(MarketError, match=named):
        clear_blocks(one_slot(("buy", 100, 20)), blocks.with_columns(**changes))


def test_bad_arguments_are_named():
    orders, blocks = one_slot(("buy", 100, 20)), blocks_frame([Block("a", "sell", 50, {0: 5})])
    for call, error, named in (
        (lambda: clear_blocks(orders, blocks.drop("price")), MarketError, "'price' is missing"),
        (lambda: clear_blocks(orders, blocks, cap=99), MarketError, "above the market's cap"),
        (lambda: clear_blocks(orders, blocks, floor=60), MarketError, "below the market's floor"),
        (lambda: clear_blocks(orders, blocks, k=1.5), MarketError, "out of range"),
        (lambda: clear_blocks(orders, blocks, rationing="tim"), MarketError, "did you mean 'time'"),
        (lambda: clear_blocks(orders.with_columns(min_fill=pl.lit(2)), blocks), MarketError, "from 0 to 1"),
        (lambda: clear_blocks(orders.with_columns(min_fill=pl.lit("x")), blocks), MarketError, "'min_fill' has dtype"),
        (lambda: clear_blocks(orders, {"block_id": ["a"]}), ArgumentTypeError, "expected a polars"),
        (lambda: clear_blocks([orders], blocks), ArgumentTypeError, "expected a polars"),
        (lambda: clear_blocks(orders, blocks, rationing=None), ArgumentTypeError, "rationing"),
        (lambda: clear_blocks(orders, blocks, k="half"), ArgumentTypeError, "k: expected"),
    ):
        with pytest.raises(error, match=named):
            call()


def test_optional_columns_may_be_absent_or_null():
    blocks = blocks_frame([Block("a", "sell", 50, {0: 5})])
    orders = one_slot(("buy", 100, 20))
    least = ["block_id", "slot", "zone", "side", "price", "energy"]
    nothing = blocks.select(least).with_columns(parent=None, exclusive_group=None, min_fill=None)
    for frame in (blocks.select(least), nothing, blocks.lazy()):
        assert clear_blocks(orders, frame).blocks["accepted"].item() == 1
    assert {c.name for c in BLOCKS.columns if c.required} == set(least)


def test_blocks_in_several_zones_and_slots_of_a_book_without_orders():
    orders = one_slot(("buy", 100, 20))
    block = blocks_frame([Block("a", "sell", 50, {0: 5})]).with_columns(zone=pl.lit("CNX"))
    auction = clear_blocks(orders, block)
    assert auction.blocks["accepted"].item() == 0
    assert auction.prices.select("zone", "energy").rows() == [("BKK", 0), ("CNX", 0)]


def test_examples_of_the_page_and_of_the_code_run():
    page = Path(__file__).parents[2] / "docs" / "market" / "blocks.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert (failed, doctest.testmod(auctions_module).failed) == (0, 0)
    assert attempted > 5


def test_cuts_may_be_limited_and_the_result_says_so():
    # With the block, 3 Wh at 10 set a price at which it loses; without it, 6 Wh at 90 do.
    orders = one_slot(("buy", 100, 10), ("sell", 10, 4), ("sell", 90, 10))
    blocks = blocks_frame([Block("plant", "sell", 50, {0: 7})])
    for cuts in (0, 1):
        auction = clear_blocks(orders, blocks, exact_cuts=cuts)
        assert auction.proven is bool(cuts)
        assert auction.blocks["reason"].item() == "paradoxically rejected"
    with pytest.raises(MarketError, match="exact_cuts"):
        clear_blocks(orders, blocks, exact_cuts=-1)
    with pytest.raises(ArgumentTypeError, match="exact_cuts"):
        clear_blocks(orders, blocks, exact_cuts=1.5)


@QUICK
@given(auctions())
def test_with_no_exact_cut_nobody_loses_either(auction):
    orders, blocks, _ = auction
    found = clear_blocks(orders_frame(orders), blocks_frame(blocks), exact_cuts=0)
    check_invariants(found)
    lone = {b.name for b in blocks} - {b.parent for b in blocks}
    lost = pl.col("block_id").is_in(list(lone)) & (pl.col("filled") > 0) & (pl.col("surplus") < 0)
    assert found.blocks.filter(lost).is_empty()


def test_a_day_of_many_blocks_takes_no_long_while():
    slots = [datetime(2026, 4, 1) + timedelta(minutes=15 * i) for i in range(24)]
    limits = [
        (i, *limit) for i in range(24) for limit in (("buy", 90 - i), ("buy", 60), ("sell", 20 + i), ("sell", 55))
    ]
    orders = orders_frame([Simple(*limit, 500) for limit in limits])
    spans = [dict.fromkeys(range(n % 12, 12 + n % 12), 20 + n) for n in range(40)]
    blocks = blocks_frame([Block(f"b{n}", "sell", 25 + n % 40, span) for n, span in enumerate(spans)])
    auction = clear_blocks(orders, blocks)
    check_invariants(auction)
    assert auction.blocks.filter((pl.col("accepted") > 0) & (pl.col("surplus") < 0)).is_empty()
    assert auction.blocks.filter(pl.col("accepted") > 0).height > 10
    assert auction.prices.height == len(slots)
