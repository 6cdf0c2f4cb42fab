"""A day in pieces: cut where a lever moves, joined again, and nothing is lost or counted twice."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gridlab as gl
from gridlab.day import market_day
from gridlab.errors import ArgumentError
from gridlab.moved_day import cut, joined, numbered_from

LAB = gl.Lab.thailand(prosumers=25)
DAY = market_day(LAB.market, LAB.agents, LAB.slots(slots=48), one_session=False)
FRAMES = ("readings", "wished", "orders", "trades", "rest", "best_welfare_by_slot")


@given(place=st.integers(1, 47))
def test_cut_in_two_and_joined_it_is_the_same_day(place):
    halves = [cut(DAY, DAY.slots[:place]), cut(DAY, DAY.slots[place:])]
    again = joined(halves)
    for name in FRAMES:
        assert getattr(again, name).equals(getattr(DAY, name)), name
    assert again.clearing.prices.equals(DAY.clearing.prices)
    assert again.clearing.fills.equals(DAY.clearing.fills)
    assert again.clearing.trades.equals(DAY.clearing.trades)
    assert again.best_welfare == DAY.best_welfare
    # A statement per piece: the energy is the same, each one rounds by itself.
    whole, parts = DAY.statements, again.statements
    assert parts["buy_back"].sum() == whole["buy_back"].sum()
    assert abs(parts["retail"].sum() - whole["retail"].sum()) <= parts.height


def test_the_best_welfare_of_a_rule_that_solves_for_it_is_kept_in_pieces():
    lab = gl.Lab.thailand(prosumers=15).set({"market.rule": "tiered"})
    day = market_day(lab.market, lab.agents, lab.slots(slots=48), one_session=False)
    parts = [cut(day, day.slots[:44]), cut(day, day.slots[44:])]
    assert sum(part.best_welfare for part in parts) == day.best_welfare > 0


def test_orders_are_numbered_on_from_those_that_were():
    later = numbered_from(DAY, 1_000)
    assert later.orders["order_id"].equals(DAY.orders["order_id"] + 1_000)
    assert later.trades["buy_order"].equals(DAY.trades["buy_order"] + 1_000)
    assert later.clearing.trades["sell_order"].equals(DAY.clearing.trades["sell_order"] + 1_000)
    assert set(later.clearing.fills["order_id"]) == set(later.orders["order_id"])


def test_slots_of_another_day_and_none_at_all_are_refused():
    other = gl.Lab.thailand(prosumers=5, start="2026-05-20").slots(slots=2)
    with pytest.raises(ArgumentError, match="of the day's own"):
        cut(DAY, other)
    with pytest.raises(ArgumentError, match="0 slots"):
        cut(DAY, DAY.slots[:0])
    with pytest.raises(ArgumentError, match="one piece"):
        joined([])


def test_a_day_on_forecasts_is_not_cut():
    lab = gl.Lab.thailand(prosumers=10).set({"trade_on_forecasts": True})
    day = lab.day(slots=8)
    with pytest.raises(ArgumentError, match="trade_on_forecasts"):
        cut(day, day.slots[:4])


def test_pieces_under_other_levers_have_their_own_statements():
    lab = gl.Lab.thailand(prosumers=10)
    slots, readings = lab.slots(slots=8), lab.agents.readings(lab.slots(slots=8))
    first = cut(market_day(lab.market, lab.agents, slots, readings=readings), slots[:4])
    lab.set({"market.retail.ft": 1.0})
    second = cut(market_day(lab.market, lab.agents, slots, readings=readings), slots[4:])
    day = joined([first, second])
    assert day.statements.height == 2 * 10
    assert day.statements.filter(pl.col("slot") == slots[3]).equals(first.statements)
    assert day.statements.filter(pl.col("slot") == slots[-1]).equals(second.statements)
