"""The levers of zonal coupling: corridors, their size, and the border."""

from datetime import datetime

import polars as pl
import pytest

from gridlab.market.market import Market


def market(**levers):
    made = Market(rule="zonal", price_cap=20)
    return made.set({"zonal.corridor_size": 1000.0, **{f"zonal.{name}": value for name, value in levers.items()}})


def orders(**sides):
    rows = [(i, zone, side, price, energy) for i, (zone, (side, price, energy)) in enumerate(sorted(sides.items()))]
    return pl.DataFrame(
        {
            "order_id": [r[0] for r in rows],
            "account": [r[0] for r in rows],
            "slot": [datetime(2026, 5, 6, 20)] * len(rows),
            "zone": [r[1].replace("_", " ") for r in rows],
            "side": [r[2] for r in rows],
            "price": [r[3] for r in rows],
            "energy": [r[4] for r in rows],
        }
    )


def test_lao_hydro_serves_the_north_east_as_far_as_imports_let_it():
    frame = orders(Lao_PDR=("sell", 1600, 10**10), NEC=("buy", 4000, 10**10))
    full, half, closed = (market(imports=share).clear(frame).prices for share in (100.0, 50.0, 0.0))
    bought = [prices.filter(zone="NEC")["energy"].sum() for prices in (full, half, closed)]
    assert bought[0] > bought[1] > bought[2] == 0
    assert bought[1] == pytest.approx(bought[0] / 2, abs=2)


def test_exports_are_a_lever_of_their_own():
    frame = orders(SAC=("sell", 2000, 10**9), Malaysia=("buy", 5000, 10**9))
    assert market(imports=0.0).clear(frame).prices["energy"].sum() > 0
    assert market(exports=0.0).clear(frame).prices["energy"].sum() == 0


def test_the_southern_line_before_2022_was_narrower():
    frame = orders(CAC=("sell", 2000, 10**9), SAC=("buy", 4000, 10**9))
    flows = [
        market(corridors=name).clear(frame).flows.filter(from_zone="CAC", to_zone="SAC")
        for name in ("before_2022", "default")
    ]
    assert [flow["flow_mw"].item() for flow in flows] == [700.0, 1600.0]


def test_zones_that_an_enum_leaves_out_have_no_corridor():
    frame = orders(CAC=("sell", 2000, 1000), SAC=("buy", 4000, 1000))
    declared = frame.with_columns(pl.col("zone").cast(pl.Enum(["CAC", "SAC"])))
    assert set(market().clear(declared).flows["to_zone"]) == {"CAC", "SAC"}
    assert "Malaysia" in set(market().clear(frame).flows["to_zone"].cast(pl.String))
