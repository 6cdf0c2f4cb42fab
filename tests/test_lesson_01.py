"""What the text of lesson 01 says of its day, sentence by sentence: figures move with the model, words must hold."""

from __future__ import annotations

import re
from functools import cache

import nbformat
import polars as pl
import pytest

import gridlab as gl
from gridlab.learn import lesson_01
from tests.house import ROOT

STAMP = "market.wheeling.postage_stamp"


@cache
def lab():
    return gl.Lab.thailand(prosumers=200, seed=0)


@cache
def day():
    return lab().day()


def figures(lever, values):
    """One row per value of the lever, one column per key figure."""
    return gl.what_if(lab(), {lever: values}).pivot("kpi", index=lever, values="value").to_dicts()


def at(clock, zone):
    return (pl.col("slot").dt.strftime("%H:%M") == clock) & (pl.col("zone").cast(pl.String) == zone)


def test_there_is_a_price_only_while_the_sun_shines():
    priced = day().clearing.prices.filter(pl.col("energy") > 0)["slot"].unique()
    sunny = day().readings.group_by("slot").agg(pl.col("generation").sum()).filter(pl.col("generation") > 0)["slot"]
    assert set(priced) <= set(sunny)


def test_some_prices_jump_when_on_peak_begins():
    prices = day().clearing.prices
    zones = prices["zone"].cast(pl.String).unique()
    before, after = (
        {zone: prices.filter(at(clock, zone))["price"].item() for zone in zones} for clock in ("08:45", "09:00")
    )
    assert any(after[zone] > before[zone] + 1000 for zone in zones if before[zone] and after[zone])


def test_a_market_kwh_is_a_little_cheaper_for_somchai_and_about_a_third_of_it_is_not_energy():
    bought = day().trades.filter(buyer=lesson_01.SOMCHAI)
    landed = bought["gross"].sum() / bought["energy"].sum() / 1000
    assert 0.9 * 4.584 * 1.07 < landed < 4.584 * 1.07
    assert 0.28 < 1 - bought["amount"].sum() / bought["gross"].sum() < 0.38


def test_at_noon_in_the_central_zone_demand_is_far_above_supply_and_condominiums_bid_highest():
    book = day().clearing.fills.filter(at("12:00", "CAC")).join(day().accounts.select("account", "kind"), on="account")
    buys, sells = (book.filter(pl.col("side") == side) for side in ("buy", "sell"))
    assert min(buys.height, sells.height) >= 24
    assert buys["energy"].sum() > 5 * sells["energy"].sum()
    assert set(buys.filter(pl.col("limit") > 4000)["kind"]) == {"condominium"}


def test_k_changes_nothing_because_the_last_buyer_is_cut():
    prices = day().clearing.prices.filter(pl.col("energy") > 0)
    assert (prices["price_low"] == prices["price_high"]).all()
    assert len({row["average_price"] for row in figures("market.k", [0.0, 0.5, 1.0])}) == 1


def test_four_parties_share_nothing_and_the_state_loses_a_little():
    (row,) = figures("market.k", [0.5])
    parties = [row[name] for name in ("savings", "utilities_gain", "state_gain", "operator_gain")]
    assert sum(parties) == pytest.approx(0, abs=1e-6)
    assert -0.1 * row["savings"] < row["state_gain"] < 0
    assert row["utilities_gain"] < -0.9 * row["savings"]


def test_the_pricing_rule_moves_the_split_and_not_the_energy():
    last_ask, competitive = figures("market.pricing", ["last_ask", "competitive"])
    assert last_ask["traded_energy"] == competitive["traded_energy"]
    assert last_ask["sellers_share_of_savings"] < 50 < competitive["sellers_share_of_savings"]


def test_sellers_bear_the_stamp_until_it_drives_buyers_away():
    free, half, draft, high, higher = figures(STAMP, [0.0, 0.5, 1.07, 1.5, 2.25])
    assert abs(high["average_landed_price"] - free["average_landed_price"]) < 0.02
    assert abs(draft["average_landed_price"] - half["average_landed_price"]) < 0.01
    assert half["average_price"] - draft["average_price"] == pytest.approx(0.57, abs=0.04)
    assert higher["traded_energy"] < 0.5 * high["traded_energy"]


def test_a_distance_ladder_lowers_what_buyers_pay_and_not_the_price():
    stamp, ladder = figures("market.wheeling.scheme", ["postage_stamp", "distance_ladder"])
    assert ladder["average_price"] == stamp["average_price"]
    assert ladder["average_landed_price"] < stamp["average_landed_price"]
    assert ladder["savings"] > stamp["savings"]
    assert ladder["utilities_gain"] < stamp["utilities_gain"]


def test_the_answer_given_to_the_task_is_one():
    (now,), (ask,), (roofs,) = (
        figures(*task) for task in (("market.k", [0.5]), ("market.pricing", ["last_ask"]), ("agents.pv_share", [85.0]))
    )
    assert now["average_price"] > 3.0 > max(ask["average_price"], roofs["average_price"])
    assert ask["traded_energy"] == now["traded_energy"] < roofs["traded_energy"]
    assert now["savings"] < ask["savings"] < 1.1 * now["savings"] < roofs["savings"]


def test_the_numbers_of_the_first_table_are_the_levers_and_tariffs_in_force():
    text = nbformat.read(ROOT / "tutorials" / "01-a-thai-day.ipynb", as_version=4).cells[1].source
    stated = re.findall(r"\| ([\d.]+) (?:THB/kWh|%) \|", text)
    rates = gl.dataset("tariffs").filter(tariff="1.1.2", component="energy", from_kwh=150)["rate"].to_list()
    rates += gl.dataset("tariffs").filter(tariff="1.1.2", component="energy", from_kwh=400)["rate"].to_list()
    rates += gl.dataset("tariffs").filter(tariff="2.2", voltage="<22 kV", period="on_peak")["rate"].to_list()
    levers = ("retail.ft", "retail.buy_back", "wheeling.postage_stamp", "retail.vat", "wheeling.losses", "fee")
    expected = [*map(float, rates), *(lab().get(f"market.{path}") for path in levers)]
    assert [float(number) for number in stated] == expected


def test_the_five_orders_of_the_lesson_are_those_of_its_exercise():
    cells = nbformat.read(ROOT / "tutorials" / "01-a-thai-day.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if cell.cell_type == "code" and "book = pl.DataFrame" in cell.source)
    names: dict[str, object] = {"pl": pl}
    exec(source, names)  # noqa: S102 - the lesson's own cell
    book = names["book"]
    assert isinstance(book, pl.DataFrame)
    assert book.select(lesson_01.FIVE_ORDERS.columns).equals(lesson_01.FIVE_ORDERS)
