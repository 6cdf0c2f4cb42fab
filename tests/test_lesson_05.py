"""What the text of lesson 05 says of its books and its day, sentence by sentence; and its published example."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.learn.lesson_05 import BOOK, profits
from gridlab.market.protection import wash_trades
from tests.house import ROOT

LESSON = ROOT / "tutorials" / "05-truthful-auctions.ipynb"
LIES = list(range(2200, 3610, 10))
RULES = ["uniform", "pay_as_bid", "mcafee", "trade_reduction", "sbb", "huang", "muda", "vcg"]


@cache
def lab():
    return gl.Lab.thailand(prosumers=200, seed=0)


@cache
def orders():
    return lab().day().orders


def figures(rule, lever, values, *, runs=1):
    """One row per value of the lever and seed, one column per key figure."""
    chosen = gl.Lab.thailand(prosumers=200, seed=0).set({"market.rule": rule})
    found = gl.what_if(chosen, {lever: values}, runs=runs).pivot("kpi", index=[lever, "seed"], values="value")
    return found.sort("seed", lever).to_dicts()


@cache
def rules_table():
    found = gl.what_if(lab(), {"market.rule": RULES}, runs=3).pivot(
        "kpi", index=["market.rule", "seed"], values="value"
    )
    budget = pl.col("operator_gain") - lab().get("market.fee") * pl.col("traded_energy")
    table = found.group_by("market.rule").agg(pl.col("welfare_share", "savings").mean(), budget=budget.mean().round(6))
    return {row.pop("market.rule"): row for row in table.to_dicts()}


def lesson_names(*marks):
    """Run the lesson's own cells that hold a mark, without their last expression's picture, and return their names."""
    names: dict[str, object] = {}
    exec("from datetime import datetime\nimport numpy as np\nimport polars as pl\nimport gridlab as gl", names)  # noqa: S102
    cells = [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    for mark in marks:
        exec(next(source for source in cells if mark in source), names)  # noqa: S102 - the lesson's own cell
    return names


def temptation(rule):
    """How many of the full hours' orders gain by one of six lies, what share of honest profit, and of how many."""
    hours = orders().filter(pl.col("slot").dt.minute() == 0).with_columns(truth="price", who=pl.int_range(pl.len()))
    sold_in = hours.filter(pl.col("side") == "sell").select("slot", "zone").unique()
    hours = hours.join(sold_in, on=["slot", "zone"], how="semi")
    steps = pl.DataFrame({"step": [-400, -200, -100, 0, 100, 200, 400]})
    mine = pl.col("who") == pl.col("liar")
    tries = hours.select("slot", "zone", liar="who").join(steps, how="cross").join(hours, on=["slot", "zone"])
    price = pl.col("truth") + pl.when(mine).then("step").otherwise(0)
    tries = tries.with_columns(price=price, order_id=pl.int_range(pl.len(), dtype=pl.UInt64))
    fills = gl.clear(tries, rule, by=("liar", "step")).fills.filter(mine)
    sign = pl.when(pl.col("side") == "sell").then(1).otherwise(-1)
    each = (
        fills.select("who", "step", profit=sign * (pl.col("amount") - pl.col("filled") * pl.col("truth")))
        .group_by("who")
        .agg(truth=pl.col("profit").filter(pl.col("step") == 0).first(), best=pl.col("profit").max())
    )
    more = each["best"] - each["truth"]
    return int((more > 0).sum()), more.sum() / each["truth"].sum(), hours.height


def raised(who, price, book=BOOK):
    return book.with_columns(price=pl.when(pl.col("who") == who).then(price).otherwise("price"))


def beside(*others):
    more = pl.DataFrame(others, schema=["account", "who", "side", "price", "energy"], orient="row")
    more = more.with_columns(order_id=pl.col("account"), slot=pl.lit(BOOK["slot"][0]), zone=pl.lit("CAC"))
    return pl.concat([BOOK, more.select(BOOK.columns)], how="vertical_relaxed")


def amount(clearing, who):
    return clearing.fills.filter(who=who)["amount"].item()


# The published example.


@pytest.mark.parametrize(("case", "somsri"), [("M1", 3200), ("M2", 3400)])
def test_book_of_ten_is_the_published_case_of_erelsgl_auctions_moved_to_baht(case, somsri):
    vectors = json.loads((ROOT / "tests" / "vectors" / "mcafee.json").read_text(encoding="utf-8"))
    vector = next(each for each in vectors if each["id"] == case)
    book = raised("Somsri", somsri)
    for side in ("buy", "sell"):
        moved = [2100 + 100 * limit for limit in vector["buyers" if side == "buy" else "sellers"]]
        assert book.filter(side=side)["price"].to_list() == moved
    prices = gl.clear(book, "mcafee").prices.row(0, named=True)
    expected = vector["expected"]
    assert prices["energy"] == 1000 * expected["trades"]
    assert prices["price_buy"] == 2100 + 100 * expected["buyer_price"]
    assert prices["price_sell"] == 2100 + 100 * expected["seller_price"]


def test_the_lesson_writes_the_book_and_the_profits_of_its_exercises():
    names = lesson_names("book = pl.DataFrame", "def profits")
    assert names["book"].equals(BOOK)
    for rule in ("uniform", "mcafee", "vcg"):
        shown = names["profits"](BOOK, "temple", np.array(LIES), rule)
        assert shown.tolist() == pytest.approx([float(gain) for gain in profits(BOOK, "temple", LIES, rule)])


# Sections 1 to 4.


@given(
    who=st.sampled_from(BOOK["who"].to_list()),
    lie=st.integers(2000, 4000),
    rule=st.sampled_from(["uniform", "mcafee", "vcg"]),
)
@settings(max_examples=30, deadline=None)
def test_profits_of_many_copies_are_those_of_one_clearing(who, lie, rule):
    fill = gl.clear(raised(who, lie), rule).fills.filter(who=who).row(0, named=True)
    true = BOOK.filter(who=who)["price"].item()
    gain = (fill["amount"] - fill["filled"] * true) * (1 if fill["side"] == "sell" else -1)
    assert profits(BOOK, who, [lie], rule) == [Fraction(gain, 1_000_000)]


@pytest.mark.parametrize(("who", "best"), [("Wichai", 3000), ("Prasit", 2900)])
def test_the_best_lie_under_one_price_doubles_the_profit_of_the_last_pair(who, best):
    gains = dict(zip(LIES, profits(BOOK, who, LIES, "uniform"), strict=True))
    assert max(gains, key=lambda lie: gains[lie]) == best
    assert gains[best] == 2 * gains[BOOK.filter(who=who)["price"].item()] == Fraction(1, 10)


@pytest.mark.parametrize("rule", ["mcafee", "vcg"])
@pytest.mark.parametrize("who", BOOK["who"].to_list())
def test_no_limit_earns_more_than_the_true_one(who, rule):
    true = BOOK.filter(who=who)["price"].item()
    assert max(profits(BOOK, who, [*LIES, 3800], rule)) == profits(BOOK, who, [true], rule)[0]


@pytest.mark.parametrize("rule", ["mcafee", "vcg"])
@pytest.mark.parametrize("who", ["Wichai", "Prasit"])
def test_the_curves_of_the_last_pair_are_two_flat_steps(who, rule):
    assert len(set(profits(BOOK, who, LIES, rule))) == 2


@pytest.mark.parametrize(("k", "honest", "tempted"), [(0, "Somchai", "Malai"), (1, "Malai", "Somchai")])
def test_k_makes_one_side_honest_and_tempts_the_other(k, honest, tempted):
    auction = BOOK.filter(pl.col("who").is_in(["Malai", "Somchai", "Prasit", "Noi"]))
    more = {}
    for who in (honest, tempted):
        true = BOOK.filter(who=who)["price"].item()
        more[who] = max(profits(auction, who, LIES, "uniform", k=k)) - profits(auction, who, [true], "uniform", k=k)[0]
    assert more[honest] == 0 < Fraction(2, 5) < more[tempted]


def test_a_second_price_is_k_0_and_an_own_bid_k_1():
    auction = BOOK.filter(pl.col("who").is_in(["Malai", "Somchai", "Prasit", "Noi"]))
    assert [gl.clear(auction, k=k).prices["price"].item() for k in (0, 1)] == [3000, 3500]


def test_the_reduced_pair_is_prasit_and_wichai_and_the_operator_keeps_thirty_satang():
    clearing = gl.clear(raised("Somsri", 3400), "mcafee")
    assert clearing.fills.filter(reason="reduced")["who"].to_list() == ["Prasit", "Wichai"]
    assert clearing.prices["operator_surplus"].item() == 300_000


def test_pairs_give_up_one_wish_each_chatterjee_samuelson_1983():
    names = lesson_names("def outcome")
    value, cost, outcome = names["value"], names["cost"], names["outcome"]
    assert outcome(value, cost, "uniform") == pytest.approx([100, 0], abs=0.01)
    assert outcome(value, cost, "vcg") == pytest.approx([100, -100], abs=0.01)
    assert outcome(value, cost, "mcafee").tolist() == [0, 0]
    lies = 2200 + 2 / 3 * (value - 2200) + 2200 / 12, 2200 + 2 / 3 * (cost - 2200) + 2200 / 4
    assert outcome(*lies, "uniform") == pytest.approx([100 * 27 / 32, 0], abs=1)


# Section 5.


def test_each_truthful_rule_gives_something_up_on_the_thai_day():
    table = rules_table()
    assert table["uniform"]["welfare_share"] == table["vcg"]["welfare_share"] == pytest.approx(100)
    assert table["uniform"]["budget"] == table["sbb"]["budget"] == table["muda"]["budget"] == 0
    assert table["vcg"]["budget"] < -50
    for rule in ("mcafee", "trade_reduction", "huang"):
        assert table[rule]["welfare_share"] < 90
        assert table[rule]["budget"] > 300
        assert table[rule]["savings"] < 0.6 * table["uniform"]["savings"]
    assert min(table, key=lambda rule: table[rule]["welfare_share"]) == "muda"


def test_few_orders_gain_by_a_lie_under_one_price_and_most_under_pay_as_bid():
    found = {rule: temptation(rule) for rule in RULES}
    count = found["uniform"][2]
    assert 1800 < count < 2300
    assert 0 < found["uniform"][0] < 0.03 * count
    assert found["uniform"][1] < 0.03
    assert found["pay_as_bid"][0] > 0.5 * count
    assert found["pay_as_bid"][1] > 0.4
    assert {found[rule][0] for rule in RULES[2:]} == {0}


# Sections 6 and 7.


def test_the_fee_that_closes_the_deficit_differs_by_seed_and_no_trade_is_lost():
    rows = figures("vcg", "market.fee", [0.02, 0.10, 0.16, 0.5], runs=3)
    for seed in range(3):
        low, before, after, high = (row for row in rows if row["seed"] == seed)
        assert low["operator_gain"] < before["operator_gain"] < 0 < after["operator_gain"]
        assert low["traded_energy"] == after["traded_energy"] > high["traded_energy"]
    middle = [row["operator_gain"] for row in figures("vcg", "market.fee", [0.13], runs=3)]
    assert min(middle) < 0 < max(middle), "one fee, a deficit here and a surplus there"


def test_a_fee_lowers_what_sellers_get_and_hardly_moves_what_buyers_pay():
    low, high = figures("vcg", "market.fee", [0.02, 0.14])
    assert low["average_price"] - high["average_price"] == pytest.approx(0.12, abs=0.02)
    assert high["average_landed_price"] == pytest.approx(low["average_landed_price"], abs=0.01)


def test_the_last_buyer_served_bids_well_above_the_dearest_ask():
    fills = lab().day().clearing.fills.filter(pl.col("filled") > 0)
    last = fills.group_by("slot", "zone").agg(
        bid=pl.col("limit").filter(pl.col("side") == "buy").min(),
        ask=pl.col("limit").filter(pl.col("side") == "sell").max(),
    )
    assert (last["bid"] - last["ask"]).min() > 200


def noon():
    return orders().filter(pl.col("slot").dt.strftime("%H:%M") == "12:00", pl.col("zone").cast(pl.String) == "CAC")


def test_muda_reaches_nearly_everything_or_hardly_anything_by_the_seed():
    mean = {}
    for variant in ("lottery", "vickrey"):
        share = [gl.clear(noon(), "muda", seed=s, variant=variant).prices["welfare_share"].item() for s in range(200)]
        assert min(share) < 0.4
        assert max(share) > 0.95
        mean[variant] = sum(share) / len(share)
    assert 0.6 < mean["lottery"] < mean["vickrey"] < 0.9


# Section 8.


def test_a_false_loser_lifts_mcafees_price_and_moves_neither_trade_reduction_nor_vcg():
    gains = {}
    for rule in ("uniform", "mcafee", "trade_reduction", "vcg"):
        before = amount(gl.clear(BOOK, rule), "Malai")
        tries = [gl.clear(beside((99, "cousin", "buy", bid, 1000)), rule) for bid in range(2500, 3050, 10)]
        gains[rule] = [amount(each, "Malai") - before for each in tries if not amount(each, "cousin")]
    assert max(gains["mcafee"]) == 50_000
    assert max(gains["uniform"]) == 45_000
    assert set(gains["trade_reduction"]) == set(gains["vcg"]) == {0}


def test_two_real_roofs_of_one_owner_raise_the_price_of_trade_reduction():
    honest, lied = gl.clear(BOOK, "trade_reduction"), gl.clear(raised("Wichai", 3000), "trade_reduction")
    assert amount(honest, "Wichai") == amount(lied, "Wichai") == 0
    assert amount(lied, "temple") - amount(honest, "temple") == 100_000


def test_the_pump_takes_money_from_the_operator_faster_than_energy_and_no_watchdog_sees_it():
    loot = {}
    for energy in (1000, 2000, 4000, 10_000):
        pair = (98, "left hand", "buy", 6000, energy), (99, "right hand", "sell", 0, energy)
        pumped = gl.clear(beside(*pair), "vcg")
        loot[energy] = amount(pumped, "right hand") - amount(pumped, "left hand")
        assert wash_trades(pumped.trades, ratio=800_000).is_empty()
        assert pumped.prices["operator_surplus"].item() <= -loot[energy]
    per_kwh = [taken / energy for energy, taken in loot.items()]
    assert per_kwh == sorted(per_kwh)
    assert [loot[1000], loot[2000], loot[4000]] == [100_000, 600_000, 2_400_000]


# Section 9 and the task.


def test_gain_of_lying_and_loss_of_welfare_shrink_with_the_book():
    names = lesson_names("def outcome", "def draw", "def best_lie")
    drawn = [names["draw"](n) for n in (2, 8, 64)]
    gains = [names["best_lie"](each) for each in drawn]
    assert gains[0] > 0.1
    assert gains[0] > 2 * gains[1] > 8 * gains[2] > 0
    assert gains[2] < 0.01, "less than a satang per kWh"
    for rule in ("mcafee", "trade_reduction"):
        lost = [names["lost"](each, rule) for each in drawn]
        assert lost[0] > 4 * lost[1] > 20 * lost[2] > 0
    assert names["lost"](drawn[0], "trade_reduction") > names["lost"](drawn[0], "mcafee")


def test_thin_zones_lose_most_under_mcafee_whose_own_price_never_comes_about():
    sellers = orders().filter(pl.col("side") == "sell").group_by("slot", "zone").agg(sellers=pl.len())
    prices = gl.clear(orders(), "mcafee").prices.join(sellers, on=["slot", "zone"])
    assert not (prices["price_buy"] == prices["price_sell"]).any()
    share = 100 * pl.col("welfare").sum() / pl.col("best_welfare").sum()
    zones = prices.group_by(pl.col("zone").cast(pl.String)).agg(pl.col("sellers").mean(), share=share).sort("sellers")
    assert zones["zone"][0] == "NAC"
    assert zones["zone"][-1] == "CAC"
    few, many = zones["sellers"][0], zones["sellers"][-1]
    assert 2 < few < 4
    assert 18 < many < 25
    assert zones["share"][0] == zones["share"].min() < 50
    assert zones["share"][-1] == zones["share"].max() > 90


def test_nearly_every_book_has_no_seller_to_spare():
    sells = lab().day().clearing.fills.filter(pl.col("side") == "sell")
    books = sells.group_by("slot", "zone").agg(whole=(pl.col("filled") == pl.col("energy")).all())
    assert books["whole"].mean() > 0.95


def test_the_answer_given_to_the_task():
    table = {row["market.rule"]: row for row in figures("uniform", "market.rule", RULES)}
    assert max(table, key=lambda rule: table[rule]["savings"]) == "vcg"
    assert table["vcg"]["operator_gain"] < 0
    assert table["muda"]["savings"] < table["sbb"]["savings"] < table["uniform"]["savings"]


def test_the_figures_of_the_first_table_are_the_levers_in_force():
    levers = {"retail.buy_back": 2.20, "wheeling.postage_stamp": 1.07, "fee": 0.02, "price_cap": 6.0}
    text = nbformat.read(LESSON, as_version=4).cells[1].source
    for path, stated in levers.items():
        assert lab().get(f"market.{path}") == stated
        assert f"| {stated:.2f} THB/kWh |" in text
