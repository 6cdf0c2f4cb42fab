"""What a market coupling refuses, and what it takes that holds nothing."""

from __future__ import annotations

import doctest
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from gridlab.errors import ArgumentTypeError, GridlabError, MarketError
from gridlab.market.zones import coupling, transfer_limits
from gridlab.market.zones.coupling import couple
from gridlab.market.zones.transfer_limits import thai_zones
from tests.market.coupling_reference import (
    z1_limits,
    z1_orders,
)

GOOD = {"from_zone": ["north"], "to_zone": ["south"], "limit_mw": [1.0]}


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (GOOD | {"to_zone": ["sout"]}, "did you mean 'south'"),
        (GOOD | {"limit_mw": [-1.0]}, "at least 0 MW"),
        (GOOD | {"limit_mw": [float("nan")]}, "at least 0 MW"),
        (GOOD | {"limit_mw": [None]}, "limit_mw"),
        (GOOD | {"to_zone": ["north"]}, "no corridor to itself"),
        ({name: value * 2 for name, value in GOOD.items()}, "stands twice"),
        (GOOD | {"loss": [1.0]}, "loss must be a share"),
        (GOOD | {"loss": [float("nan")]}, "loss must be a share"),
        ({"from_zone": ["north"], "to_zone": ["south"]}, "'limit_mw' is missing"),
        (GOOD | {"limit_mw": ["much"]}, "limit_mw"),
        (GOOD | {"from_zone": [3]}, "from_zone"),
    ],
)
def test_a_bad_limit_is_named(limits, named):
    with pytest.raises(MarketError, match=named):
        couple(z1_orders(), pl.DataFrame(limits, strict=False), zones=["north", "south"])


def test_bad_arguments_are_named():
    orders, limits = z1_orders(), z1_limits(5)
    lines = pl.DataFrame({"line": ["a"], "from_zone": ["north"], "to_zone": ["south"], "limit_mw": [1.0]})
    ptdf = pl.DataFrame({"line": ["a"], "zone": ["north"], "factor": [1.0]})
    for options, named in (
        ({"by": "zone"}, "cannot tell slots apart"),
        ({"rationing": "prorata"}, "did you mean 'pro_rata'"),
        ({"scarcity": "voll"}, "allowed: 'cap'"),
        ({"slot_minutes": 0}, "slot_minutes"),
        ({"scarcity": "last_ask"}, "no effect without cap"),
        ({"k": 2}, "k = 2"),
        ({"cap": 150}, "above the market's cap"),
        ({"zones": ["north"]}, "'south' is not among"),
        ({"zones": ["north", "south", "south"]}, "stands twice"),
        ({"lines": lines, "ptdf": ptdf}, "exclude each other"),
    ):
        with pytest.raises(MarketError, match=named):
            couple(orders, limits, **options)
    for bad_lines, bad_ptdf, named in (
        (None, ptdf, "lines is missing"),
        (lines, None, "ptdf is missing"),
        (None, None, "limits is missing"),
        (lines, ptdf.with_columns(factor=pl.lit(1.5)), "from -1 to 1"),
        (lines, ptdf.with_columns(line=pl.lit("b")), "not in the frame of lines"),
        (lines, ptdf.clear(), "has no factor"),
        (lines, pl.concat([ptdf, ptdf]), "stands twice"),
        (pl.concat([lines, lines]), ptdf, "stands twice"),
        (lines.with_columns(to_zone=pl.lit("east")), ptdf, "unknown zone"),
        (lines.with_columns(limit_mw=pl.lit(-1.0)), ptdf, "at least 0 MW"),
    ):
        with pytest.raises(MarketError, match=named):
            couple(orders, None, lines=bad_lines, ptdf=bad_ptdf)
    with pytest.raises(MarketError, match="no rule for flow-based"):
        couple(orders, None, lines=lines, ptdf=ptdf, scarcity="last_ask", cap=9000)


def test_wrong_types_are_gridlab_errors():
    orders, limits = z1_orders(), z1_limits(5)
    for call in (
        lambda: couple({"order_id": [1]}, limits),
        lambda: couple(orders, {"from_zone": ["north"]}),
        lambda: couple(orders, limits, by=3),
        lambda: couple(orders, limits, scarcity=None),
        lambda: couple(orders, limits, slot_minutes=15.0),
        lambda: couple(orders, limits, zones="north"),
        lambda: couple(orders, limits, cap="high"),
        lambda: thai_zones(3),
        lambda: thai_zones(cross_border="yes"),
    ):
        with pytest.raises(ArgumentTypeError):
            call()
    assert issubclass(ArgumentTypeError, GridlabError)


def test_numbers_beyond_the_solver_are_refused():
    with pytest.raises(MarketError, match="beyond what the solver resolves"):
        couple(z1_orders().with_columns(price=pl.lit(10**10), energy=pl.lit(1)), z1_limits(5))


@pytest.mark.parametrize("by", ["slot", ()])
@pytest.mark.parametrize("zones", [None, ["north", "south"]])
def test_empty_orders_are_a_market_in_which_nothing_trades(by, zones):
    orders = z1_orders().clear().drop("name")
    limits = z1_limits(5) if zones else z1_limits(5).clear()
    lines = pl.DataFrame({"line": ["a"], "from_zone": ["north"], "to_zone": ["south"], "limit_mw": [1.0]})
    ptdf = pl.DataFrame({"line": ["a"], "zone": ["north"], "factor": [1.0]})
    some = [
        couple(orders, limits, by=by, zones=zones),
        couple(orders, limits.with_columns(loss=pl.lit(0.1)), by=by, zones=zones, cap=10, scarcity="last_ask"),
    ]
    if zones:
        some.append(couple(orders, None, lines=lines, ptdf=ptdf, by=by, zones=zones))
    for market in some:
        assert market.fills.is_empty()
        assert market.trades.is_empty()
        assert market.prices["energy"].sum() == market.congestion_rent == 0
        assert market.prices["price"].is_null().all()


def test_examples_of_the_page_and_of_the_code_run():
    page = Path(__file__).parents[2] / "docs" / "market" / "zonal.md"
    assert doctest.testfile(str(page), module_relative=False) == (0, 5)
    for module in (coupling, transfer_limits):
        failed, attempted = doctest.testmod(module)
        assert failed == 0
        assert attempted > 0


def test_importing_the_market_loads_no_solver():
    code = "import sys, gridlab as gl; gl.market.Clearing; gl.clear; print('scipy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def transit():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2],
            "account": [0, 1],
            "side": ["sell", "buy"],
            "slot": [datetime(2026, 4, 1, 12)] * 2,
            "zone": ["A", "B"],
            "price": [10, 50],
            "energy": [100, 100],
        }
    )
    limits = pl.DataFrame({"from_zone": ["A", "C"], "to_zone": ["C", "B"], "limit_mw": [5.0, 5.0]})
    return orders, limits


def test_energy_passes_through_a_zone_without_orders():
    orders, limits = transit()
    coupling = couple(orders, limits)
    assert coupling.fills["filled"].to_list() == [100, 100]
    assert coupling.prices.filter(zone="B")["price"].item() == 30
    assert couple(orders.clear(), limits).fills.is_empty()


def test_zones_that_the_orders_declare_by_an_enum_are_all_there_are():
    orders, limits = transit()
    with pytest.raises(MarketError, match="'C' is an unknown zone"):
        couple(orders.with_columns(pl.col("zone").cast(pl.Enum(["A", "B"]))), limits)
    with pytest.raises(MarketError, match="'C' is an unknown zone"):
        couple(orders, limits, zones=["A", "B"])
