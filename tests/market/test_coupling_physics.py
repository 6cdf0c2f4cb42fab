"""Market coupling with losses, with lines and factors, and on the Thai zones."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.optimize import linprog

import gridlab as gl
from gridlab.errors import MarketError
from gridlab.market.zones.coupling import couple
from gridlab.market.zones.transfer_limits import thai_zones
from tests.market.coupling_reference import (
    RESULT,
    WH_PER_MW,
    Order,
    check_invariants,
    frame,
    limits_frame,
)

FEWER = settings(max_examples=25, deadline=None)


def programme_welfare(orders, zones, capacity, loss):
    """Return the welfare of the plain linear programme, one variable per order."""
    count, pairs = len(orders), list(capacity)
    rows = np.zeros((zones, count + len(pairs)))
    for i, order in enumerate(orders):
        rows[order.zone, i] = 1 if order.side == "sell" else -1
    for i, (start, end) in enumerate(pairs, start=count):
        rows[start, i] -= 1
        rows[end, i] += 1 - loss.get((start, end), 0)
    cost = [order.price if order.side == "sell" else -order.price for order in orders] + [0] * len(pairs)
    bounds = [(0, order.energy) for order in orders] + [(0, capacity[pair]) for pair in pairs]
    return -linprog(cost, A_eq=rows, b_eq=np.zeros(zones), bounds=bounds).fun


@st.composite
def lossy_markets(draw, lowest=1):
    order = st.builds(
        Order,
        zone=st.integers(0, 2),
        side=st.sampled_from(["buy", "sell"]),
        price=st.integers(lowest, 5000),
        energy=st.integers(1, 10**8),
    )
    pairs = st.sampled_from([(i, j) for i in range(3) for j in range(3) if i != j])
    orders = draw(st.lists(order, min_size=1, max_size=20))
    capacity = draw(st.dictionaries(pairs, st.integers(0, 10**8), max_size=5))
    return orders, capacity, {pair: draw(st.sampled_from([0.0, 0.01, 0.0345, 0.2])) for pair in capacity}


@FEWER
@given(lossy_markets())
def test_with_losses_welfare_is_that_of_the_linear_programme_but_for_a_few_wh(market):
    orders, capacity, loss = market
    coupling = couple(frame(orders), limits_frame(capacity, loss))
    check_invariants(coupling)
    best = programme_welfare(orders, 3, capacity, loss)
    assert coupling.prices["welfare"].sum() == pytest.approx(best, abs=20 * 5000)


@FEWER
@given(lossy_markets(lowest=-500))
def test_lost_energy_is_the_share_of_what_was_sent_and_no_corridor_carries_both_ways_to_lose_more(market):
    orders, capacity, loss = market
    coupling = couple(frame(orders), limits_frame(capacity, loss))
    check_invariants(coupling)
    sent = {}
    for start, end, flow, arrived, rent in coupling.flows.select(
        "from_zone", "to_zone", "flow", "arrived", "congestion_rent"
    ).rows():
        pair = int(start[1:]), int(end[1:])
        sent[pair] = flow
        assert 0 <= flow <= capacity[pair]
        assert 0 <= arrived <= flow
        assert abs(flow - arrived - loss[pair] * flow) <= 2
        # Prices are whole THB/MWh, so a rent may miss 0 by less than one for each of the two ends.
        assert rent >= -2 * flow - 2 * 5000
    for (start, end), flow in sent.items():
        if loss[start, end] + loss.get((end, start), 0):
            assert min(flow, sent.get((end, start), 0)) <= 1


def test_loss_raises_the_price_on_the_way():
    orders = [Order(0, "sell", 1000, 10**6), Order(1, "buy", 5000, 10**5)]
    coupling = couple(frame(orders, 2), limits_frame({(0, 1): 10**6}, {(0, 1): 0.2}))
    assert coupling.prices["price"].to_list() == [1000, 1250]
    assert coupling.flows.select("flow", "arrived").row(0) == (125_000, 100_000)
    assert coupling.congestion_rent == 0


TRIANGLE = {
    "AB": ("Z0", "Z1", 1 / 3, -1 / 3, 0),
    "BC": ("Z1", "Z2", 1 / 3, 2 / 3, 0),
    "AC": ("Z0", "Z2", 2 / 3, 1 / 3, 0),
}


def triangle(limits):
    lines = pl.DataFrame(
        [(line, *TRIANGLE[line][:2], wh / WH_PER_MW) for line, wh in limits.items()],
        schema=["line", "from_zone", "to_zone", "limit_mw"],
        orient="row",
    )
    rows = [(line, f"Z{zone}", TRIANGLE[line][2 + zone]) for line in limits for zone in range(3)]
    return lines, pl.DataFrame(rows, schema={"line": pl.String, "zone": pl.String, "factor": pl.Float64}, orient="row")


def flow_based(orders, limits, **options):
    lines, ptdf = triangle(limits)
    return couple(frame(orders), None, lines=lines, ptdf=ptdf, **options)


def test_flow_based_triangle_of_equal_lines_worked_by_hand():
    # 2/3 of what Z0 sells to Z2 takes the direct line; its limit of 200 Wh lets 300 Wh through.
    orders = [Order(0, "sell", 1000, 1000), Order(1, "sell", 3000, 1000), Order(2, "buy", 9000, 450)]
    coupling = flow_based(orders, {"AB": 10**6, "BC": 10**6, "AC": 200_000})
    assert coupling.prices["price"].to_list() == [1000, 1000, 1000]
    scaled = [Order(o.zone, o.side, o.price, o.energy * 1000) for o in orders]
    coupling = flow_based(scaled, {"AB": 10**6, "BC": 10**6, "AC": 200_000})
    # One more Wh for Z2 takes two from Z1 and sends one less from Z0: 2 * 3000 - 1000.
    assert coupling.prices["price"].to_list() == [1000, 3000, 5000]
    assert coupling.prices["net_export"].to_list() == pytest.approx([150_000, 300_000, -450_000], abs=10)
    near, far = coupling.fills["filled"][:2]
    assert coupling.congestion_rent == 5000 * 450_000 - 1000 * near - 3000 * far
    direct = coupling.flows.filter((pl.col("line") == "AC") & (pl.col("from_zone") == "Z0")).row(0, named=True)
    assert direct["shadow_price"] == pytest.approx(6000)
    assert direct["flow_mw"] <= direct["limit_mw"]
    assert direct["congestion_rent"] == coupling.congestion_rent
    check_invariants(coupling)


@FEWER
@given(
    st.lists(
        st.builds(
            Order,
            zone=st.integers(0, 2),
            side=st.sampled_from(["buy", "sell"]),
            price=st.integers(1, 5000),
            energy=st.integers(1, 10**8),
        ),
        min_size=1,
        max_size=20,
    ),
    st.lists(st.integers(100, 10**8), min_size=3, max_size=3),
)
def test_flow_based_welfare_is_that_of_the_linear_programme_but_for_a_few_wh(orders, limits):
    coupling = flow_based(orders, dict(zip(TRIANGLE, limits, strict=True)))
    check_invariants(coupling)
    assert coupling.prices["net_export"].sum() == 0
    assert coupling.flows.select((pl.col("flow_mw") <= pl.col("limit_mw") + 1e-9).all()).item()
    sign = [1 if o.side == "sell" else -1 for o in orders]
    signed = list(zip(orders, sign, strict=True))
    factor = np.array([[line[2 + o.zone] * s for o, s in signed] for line in TRIANGLE.values()])
    found = linprog(
        [o.price * s for o, s in zip(orders, sign, strict=True)],
        A_ub=np.vstack((factor, -factor)),
        b_ub=limits * 2,
        A_eq=[sign],
        b_eq=[0],
        bounds=[(0, o.energy) for o in orders],
    )
    assert coupling.prices["welfare"].sum() == pytest.approx(-found.fun, abs=20 * 5000)


def test_flow_based_without_a_full_line_is_uniform_on_the_pooled_book():
    orders = [Order(0, "sell", 10, 7), Order(1, "sell", 10, 6), Order(2, "buy", 20, 5), Order(1, "buy", 20, 4)]
    coupling = flow_based(orders, dict.fromkeys(TRIANGLE, 10**6))
    uniform = gl.clear(frame(orders), by="slot")
    assert_frame_equal(coupling.fills.select(RESULT), uniform.fills.select(RESULT))


def test_thai_zones_are_the_five_regions_and_three_neighbours():
    limits = gl.market.thai_zones()
    regions = set(gl.dataset("regions")["region"])
    assert set(limits["from_zone"]) | set(limits["to_zone"]) == regions | {"Lao PDR", "Malaysia", "Singapore"}
    assert set(thai_zones(cross_border=False)["from_zone"]) == regions
    south = (pl.col("from_zone") == "CAC") & (pl.col("to_zone") == "SAC")
    assert limits.filter(south)["limit_mw"].item() == 1600
    assert thai_zones("before_2022").filter(south)["limit_mw"].item() == 700
    with pytest.raises(MarketError, match="before_2022"):
        thai_zones("before_2023")


def test_thai_zones_couple_with_losses_across_borders():
    orders = pl.DataFrame(
        {
            "order_id": range(4),
            "slot": [datetime(2026, 4, 1, 19)] * 4,
            "zone": ["Lao PDR", "SAC", "Singapore", "CAC"],
            "account": range(4),
            "side": ["sell", "buy", "buy", "sell"],
            "price": [1600, 4500, 5000, 3000],
            "energy": [400_000_000, 500_000_000, 40_000_000, 2_000_000_000],
        }
    )
    limits = thai_zones()
    coupling = couple(orders, limits, zones=sorted({*limits["from_zone"], *limits["to_zone"]}))
    check_invariants(coupling)
    assert coupling.prices.filter(pl.col("zone") == "CAC")["price"].item() == 3000
    assert coupling.flows.filter(pl.col("to_zone") == "Singapore")["arrived"].item() == 40_000_000
