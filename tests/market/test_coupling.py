"""Market coupling: published cases, brute force over whole flows, the core on the pooled book, sharing a shortage."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import gridlab as gl
from gridlab.market.zones.coupling import couple
from tests.market.coupling_reference import (
    RESULT,
    SCALE,
    START,
    Z1,
    Order,
    best_welfare,
    check_invariants,
    frame,
    limits_frame,
    z1_limits,
    z1_orders,
    zone_name,
)

QUICK = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("ntc", [0, 50, 100, 1000])
def test_z1_of_pypsa_demand_supply_bids_notebook(ntc):
    expected = Z1["expected"][f"ntc{ntc}"]
    coupling = couple(z1_orders(), z1_limits(ntc))
    assert dict(coupling.prices.select(pl.col("zone").cast(pl.String), "price").rows()) == expected["prices"]
    assert coupling.prices["welfare"].sum() == expected["welfare"] * SCALE
    south = coupling.flows.filter(pl.col("to_zone") == "south")
    assert south["flow"].item() == expected.get("flow", 0) * SCALE
    assert coupling.flows.filter(pl.col("to_zone") == "north")["flow"].item() == 0
    for name in {"s3", "d3"} & expected.keys():
        assert coupling.fills.filter(pl.col("name") == name)["filled"].item() == expected[name] * SCALE


def test_z1_of_pypsa_as_one_zone():
    expected = Z1["expected"]["single"]
    coupling = couple(z1_orders().with_columns(zone=pl.lit("one")), z1_limits(0).clear())
    row = coupling.prices.row(0, named=True)
    assert (row["price"], row["energy"], row["welfare"]) == (
        expected["price"], expected["q"] * SCALE, expected["welfare"] * SCALE,
    )  # fmt: skip
    assert coupling.fills.filter(pl.col("name") == "s4")["filled"].item() == expected["s4"] * SCALE


def test_z1_of_pypsa_congestion_rent_is_flow_times_price_difference():
    coupling = couple(z1_orders(), z1_limits(50))
    assert coupling.congestion_rent == 50 * SCALE * (200 - 20)
    assert coupling.flows["congestion_rent"].to_list() == [50 * SCALE * 180, 0]


@st.composite
def small_markets(draw, zones=3, highest=12, most=4):
    orders = draw(
        st.lists(
            st.builds(
                Order,
                zone=st.integers(0, zones - 1),
                side=st.sampled_from(["buy", "sell"]),
                price=st.integers(-2, highest),
                energy=st.integers(1, most),
            ),
            min_size=1,
            max_size=9,
        )
    )
    pairs = [(i, j) for i in range(zones) for j in range(zones) if i != j]
    capacity = draw(st.dictionaries(st.sampled_from(pairs), st.integers(0, 4), max_size=4))
    return orders, capacity


@QUICK
@given(small_markets())
def test_welfare_is_that_of_the_best_of_all_whole_flows(market):
    orders, capacity = market
    coupling = couple(frame(orders), limits_frame(capacity))
    check_invariants(coupling)
    assert coupling.prices["welfare"].sum() == best_welfare(orders, capacity, 3)
    price = dict(coupling.prices.select(pl.col("zone").cast(pl.String), "price").rows())
    for start, end, flow, rent in coupling.flows.select("from_zone", "to_zone", "flow", "congestion_rent").rows():
        assert 0 <= flow <= capacity[int(start[1:]), int(end[1:])]
        assert rent >= 0
        if flow:
            assert price[start] <= price[end]
            assert flow == capacity[int(start[1:]), int(end[1:])] or price[start] == price[end]


@st.composite
def pooled_markets(draw):
    largest = draw(st.sampled_from([4, 100, 10**7]))
    order = st.builds(
        Order,
        zone=st.integers(0, 2),
        side=st.sampled_from(["buy", "sell"]),
        price=st.integers(0, draw(st.sampled_from([3, 40, 5000]))),
        energy=st.integers(1, largest),
    )
    return draw(st.lists(order, min_size=1, max_size=20))


@QUICK
@given(
    pooled_markets(),
    st.sampled_from(["pro_rata", "time"]),
    st.sampled_from([0, Fraction(1, 3), 0.5, 1]),
    st.sampled_from([float("inf"), 1e6]),
)
def test_without_binding_limits_it_is_uniform_on_the_pooled_book_to_the_last_wh(orders, rationing, k, limit):
    book = frame(orders)
    limits = limits_frame(dict.fromkeys([(i, j) for i in range(3) for j in range(3) if i != j], 0))
    limits = limits.with_columns(limit_mw=pl.lit(limit))
    coupling = couple(book, limits, rationing=rationing, k=k)
    uniform = gl.clear(book, by="slot", rationing=rationing, k=k)
    assert_frame_equal(coupling.fills.select(RESULT), uniform.fills.select(RESULT))
    pooled = uniform.prices.row(0, named=True)
    for row in coupling.prices.iter_rows(named=True):
        assert [row[name] for name in ("price", "price_low", "price_high")] == [
            pooled[name] for name in ("price", "price_low", "price_high")
        ]
    assert coupling.prices["welfare"].sum() == pooled["welfare"]
    assert coupling.congestion_rent == 0
    check_invariants(coupling)


@QUICK
@given(pooled_markets(), st.sampled_from([0, Fraction(1, 3), 1]))
def test_without_corridors_every_zone_is_cleared_as_uniform_does(orders, k):
    book = frame(orders)
    coupling = couple(book, limits_frame({}), k=k)
    uniform = gl.clear(book, k=k)
    assert_frame_equal(coupling.fills.select(RESULT), uniform.fills.select(RESULT))
    shared = ["zone", "price", "price_low", "price_high", "energy", "demand", "supply", "welfare", "operator_surplus"]
    assert_frame_equal(
        coupling.prices.select(shared).with_columns(pl.col("zone").cast(pl.String)),
        uniform.prices.select(shared).with_columns(pl.col("zone").cast(pl.String)),
    )


CAP = 9000


def short_market(capacity):
    orders = [
        Order(0, "buy", CAP, 1000), Order(0, "sell", 2000, 500),
        Order(1, "buy", CAP, 1000), Order(1, "sell", 3000, 200), Order(2, "buy", CAP, 600),
    ]  # fmt: skip
    return couple(frame(orders), limits_frame(capacity), cap=CAP)


def test_a_shortage_is_shared_pro_rata_over_zones_at_the_cap():
    both = {(i, j): 10_000 for i in range(3) for j in range(3) if i != j}
    coupling = short_market(both)
    assert coupling.prices["price"].to_list() == [CAP] * 3
    # 700 Wh for buys of 1000, 1000 and 600: largest remainder.
    assert coupling.fills.filter(pl.col("side") == "buy")["filled"].to_list() == [269, 269, 162]
    assert coupling.prices["unserved"].to_list() == [731, 731, 438]
    check_invariants(coupling)


def test_a_shortage_that_a_corridor_cannot_even_out_is_shared_as_far_as_it_can():
    # Z0 can send 100 Wh in all, so it keeps 400; the other two share 300 Wh by their demands of 1000 and 600.
    coupling = short_market({(0, 1): 100, (1, 2): 10_000, (2, 1): 10_000})
    assert coupling.fills.filter(pl.col("side") == "buy")["filled"].to_list() == [400, 188, 112]
    assert coupling.prices["price"].to_list() == [CAP] * 3
    check_invariants(coupling)


def test_scarcity_at_the_last_ask_leaves_the_schedule_and_lowers_the_price():
    orders = frame([Order(0, "buy", CAP, 1000), Order(1, "sell", 3000, 500), Order(0, "sell", 2500, 300)], 2)
    at_cap = couple(orders, limits_frame({(1, 0): 400}), cap=CAP)
    at_ask = couple(orders, limits_frame({(1, 0): 400}), cap=CAP, scarcity="last_ask")
    assert at_cap.prices["price"].to_list() == [CAP, 3000]
    assert at_ask.prices["price"].to_list() == [3000, 3000]
    assert at_cap.fills["filled"].to_list() == at_ask.fills["filled"].to_list()
    assert (at_cap.congestion_rent, at_ask.congestion_rent) == (400 * (CAP - 3000), 0)
    check_invariants(at_ask, cap=CAP)


def test_prices_and_flows_have_the_columns_of_the_contract():
    coupling = couple(z1_orders(), z1_limits(50))
    assert coupling.prices.columns[:5] == ["slot", "zone", "price", "price_low", "price_high"]
    assert {"slot", "from_zone", "to_zone", "flow_mw", "congestion_rent"} <= set(coupling.flows.columns)
    assert coupling.flows.schema["congestion_rent"] == coupling.flows.schema["flow"] == pl.Int64
    assert "congestion rent" in coupling._repr_html_()
    assert "congestion rent" in repr(coupling)


def test_a_15_minute_slot_carries_250_000_wh_per_mw_and_an_hour_a_million():
    orders = frame([Order(0, "sell", 1000, 10**7), Order(1, "buy", 5000, 10**7)], 2)
    limits = pl.DataFrame({"from_zone": ["Z0"], "to_zone": ["Z1"], "limit_mw": [1]})
    for options, energy in (({}, 250_000), ({"slot_minutes": 60}, 1_000_000)):
        flow = couple(orders, limits, **options).flows.row(0, named=True)
        assert (flow["flow"], flow["flow_mw"], flow["limit_mw"]) == (energy, 1.0, 1.0)


def test_limits_may_change_from_slot_to_slot_and_a_slot_without_a_row_has_no_exchange():
    orders = frame([Order(0, "sell", 1000, 1000), Order(1, "buy", 5000, 1000)], 2)
    slots = [START + timedelta(minutes=15 * i) for i in range(3)]
    day = pl.concat(
        orders.with_columns(pl.lit(slot).cast(pl.Datetime("us")).alias("slot"), pl.col("order_id") + 2 * i)
        for i, slot in enumerate(slots)
    )
    limits = pl.DataFrame(
        {"slot": slots[:2], "from_zone": ["Z0"] * 2, "to_zone": ["Z1"] * 2, "limit_mw": [0.001, 0.002]}
    )
    coupling = couple(day, limits)
    assert coupling.flows["flow"].to_list() == [250, 500]
    assert coupling.prices.filter(pl.col("zone") == "Z1")["energy"].to_list() == [250, 500, 0]
    assert coupling.prices["price"].to_list()[4:] == [None, None]


def test_by_may_be_empty_or_another_column():
    orders = z1_orders().with_columns(day=pl.lit(7))
    for by in ((), "day", ("day",)):
        coupling = couple(orders, z1_limits(50), by=by)
        assert coupling.prices["price"].to_list() == [20, 200]
        assert coupling.prices.columns[: len(by) if by != "day" else 1] == (["day"] if by else [])


def test_a_day_in_one_call_is_the_same_as_slot_by_slot():
    random = np.random.default_rng(3)
    count = 400
    orders = pl.DataFrame(
        {
            "order_id": range(count),
            "slot": [START + timedelta(minutes=15 * int(i)) for i in random.integers(0, 4, count)],
            "zone": [zone_name(int(z)) for z in random.integers(0, 3, count)],
            "account": range(count),
            "side": [["buy", "sell"][i] for i in random.integers(0, 2, count)],
            "price": random.integers(1000, 1030, count),
            "energy": random.integers(1, 1000, count),
        }
    )
    limits = limits_frame({(0, 1): 700, (1, 0): 100, (1, 2): 900, (2, 0): 300})
    whole = couple(orders, limits)
    parts = [couple(part, limits) for part in orders.partition_by("slot", maintain_order=True)]
    together = pl.concat([part.fills for part in parts]).sort("order_id")
    assert_frame_equal(whole.fills.sort("order_id").select(RESULT), together.select(RESULT))
    assert_frame_equal(whole.prices, pl.concat([part.prices for part in parts]).sort("slot", "zone"))
    check_invariants(parts[0])


@QUICK
@given(small_markets(), st.randoms(use_true_random=False))
def test_shuffling_the_rows_changes_nothing(market, random):
    orders, capacity = market
    book, limits = frame(orders), limits_frame(capacity)
    rows = list(range(book.height))
    random.shuffle(rows)
    one, other = couple(book, limits), couple(book[rows], limits.reverse())
    assert_frame_equal(one.prices, other.prices)
    assert_frame_equal(one.flows, other.flows)
    assert_frame_equal(one.fills, other.fills.sort("order_id"))


def test_a_zone_without_orders_carries_energy_through():
    orders = [Order(0, "sell", 1000, 500), Order(2, "buy", 5000, 400)]
    coupling = couple(frame(orders), limits_frame({(0, 1): 300, (1, 2): 1000}))
    assert coupling.flows["flow"].to_list() == [300, 300]
    assert coupling.prices["price"].to_list() == [1000, 5000, 5000]
    assert coupling.prices["energy"].to_list() == [0, 0, 300]
    named = frame(orders).with_columns(pl.col("zone").cast(pl.String))
    assert couple(named, limits_frame({(0, 1): 300, (1, 2): 1000}), zones=["Z0", "Z1", "Z2"]).prices.height == 3


def test_nothing_flows_in_circles():
    orders = [Order(zone, side, 10, 5) for zone in range(3) for side in ("buy", "sell")]
    coupling = couple(frame(orders), limits_frame({(0, 1): 9, (1, 2): 9, (2, 0): 9, (1, 0): 9}))
    assert coupling.flows["flow"].to_list() == [0, 0, 0, 0]


def test_reasons_look_beyond_the_zone():
    orders = [Order(0, "sell", 6000, 5), Order(1, "buy", 5000, 5), Order(2, "sell", 1, 5)]
    coupling = couple(frame(orders), limits_frame({(0, 1): 9}))
    assert coupling.fills["reason"].to_list() == ["priced out", "priced out", "no counterparty"]
    assert coupling.prices["price"].to_list() == [None] * 3


def test_large_prices_and_energies_stay_exact():
    price, energy = 10**8, 10**9
    orders = [
        Order(0, "sell", price + 1, energy + 7),
        Order(1, "buy", price + 2, energy + 9),
        Order(1, "sell", price + 3, 5),
    ]
    coupling = couple(frame(orders, 2), limits_frame({(0, 1): 10**9}))
    assert coupling.prices["energy"].to_list() == [0, 10**9]
    check_invariants(coupling)
