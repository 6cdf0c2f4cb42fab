"""What the text of lesson 02 says of its books and its days: figures move with the model, words must hold."""

from __future__ import annotations

import re
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.learn import lesson_02
from gridlab.learn.lesson_01 import MALAI
from gridlab.market.protection import wash_trades
from tests.house import ROOT

CAP, MOVE, PRICING, RULE = (
    "market.price_cap",
    "market.protection.breaker_move",
    "market.pricing",
    "market.rule",
)
PRICINGS = ["last_ask", "first_rejected", "competitive", "marginal_accepted", "seller_share", "last_bid"]


@cache
def lab():
    return gl.Lab.thailand(prosumers=200, seed=0)


@cache
def boom():
    return gl.scenario("rooftop_boom")


@cache
def day(**levers):
    changed = {path.replace("__", "."): value for path, value in levers.items()}
    return gl.Lab.thailand(prosumers=200, seed=0).set(changed).day()


@cache
def notebook():
    return nbformat.read(ROOT / "tutorials" / "02-price-formation.ipynb", as_version=4)


def figures(levers, world=None):
    """One row per combination of lever values, one column per key figure, and what either group of customers saves."""
    table = gl.what_if(world or lab(), levers).pivot("kpi", index=list(levers), values="value")
    sellers = pl.col("savings") * pl.col("sellers_share_of_savings") / 100
    return table.with_columns(sellers=sellers, others=pl.col("savings") - sellers).to_dicts()


def noon(frame):
    return frame.filter(pl.col("slot").dt.strftime("%H:%M") == "12:00", pl.col("zone").cast(pl.String) == "CAC")


def price(orders, pricing):
    return gl.clear(orders, pricing=pricing, **({"r": 0.8} if pricing == "seller_share" else {})).prices["price"].item()


def shifted(order_id, change):
    extra = pl.when(pl.col("order_id") == order_id).then(change).otherwise(0)
    return lesson_02.SIX_ORDERS.with_columns(price=pl.col("price") + extra)


def asking(expected):
    """Return the day's orders, the sellers asking 50 THB/MWh below what they expect but not below their own limit."""
    found = day().clearing.prices.select("slot", "zone", expected="price")
    orders = day().orders.join(found, on=["slot", "zone"], how="left", maintain_order="left")
    shaded = pl.max_horizontal("price", expected(orders) - 50)
    return orders.with_columns(price=pl.when(pl.col("side") == "sell").then(shaded).otherwise("price"))


def mean_price(clearing):
    return clearing.fills.filter(side="sell")["amount"].sum() / clearing.prices["energy"].sum()


def test_six_prices_stand_on_the_wall_in_the_order_of_the_table_and_share_one_cake():
    prices = [price(lesson_02.SIX_ORDERS, pricing) for pricing in PRICINGS]
    assert prices == [2600, 2750, 2850, 2950, 3160, 3300]
    clearings = [gl.clear(lesson_02.SIX_ORDERS, pricing=pricing).prices for pricing in PRICINGS]
    assert {(found["energy"].item(), found["welfare"].item()) for found in clearings} == {(3000, 4_950_000)}


def test_first_rejected_alone_listens_to_neither_of_the_last_two_who_trade():
    now = {pricing: price(lesson_02.SIX_ORDERS, pricing) for pricing in PRICINGS}
    by_school = {pricing for pricing in PRICINGS if price(shifted(5, 100), pricing) != now[pricing]}
    by_somchai = {pricing for pricing in PRICINGS if price(shifted(2, -100), pricing) != now[pricing]}
    assert set(PRICINGS) - by_school - by_somchai == {"first_rejected"}
    assert price(shifted(5, 100), "last_ask") == now["last_ask"] + 100
    assert price(shifted(2, -100), "last_bid") == now["last_bid"] - 100


def test_scarcity_lets_a_buyer_set_the_price_and_plenty_a_seller():
    few, many = noon(day().clearing.prices).row(0, named=True), noon(boom().day().clearing.prices).row(0, named=True)
    assert few["demand"] > 10 * few["supply"]
    assert 1.4 < many["supply"] / many["demand"] < 1.6
    scarce = {pricing: price(noon(day().orders), pricing) for pricing in PRICINGS}
    plenty = {pricing: price(noon(boom().day().orders), pricing) for pricing in PRICINGS}
    assert scarce["first_rejected"] == scarce["competitive"] == scarce["last_bid"] == max(scarce.values())
    assert plenty["first_rejected"] == plenty["competitive"] == plenty["last_ask"] < plenty["last_bid"]


def test_in_the_boom_four_fifths_have_roofs_half_as_large_again():
    assert (boom().get("agents.pv_share"), boom().get("agents.pv_size")) == (80.0, 150.0)


def test_competitive_gives_sellers_three_fifths_when_roofs_are_few_and_two_fifths_in_the_boom():
    scarce, plenty = ({row[PRICING]: row for row in figures({PRICING: PRICINGS}, world)} for world in (lab(), boom()))
    assert 58 < scarce["competitive"]["sellers_share_of_savings"] < 63
    assert 38 < plenty["competitive"]["sellers_share_of_savings"] < 42
    assert scarce["last_bid"]["sellers"] - scarce["last_ask"]["sellers"] == pytest.approx(500, abs=50)
    assert plenty["last_bid"]["sellers"] - plenty["last_ask"]["sellers"] == pytest.approx(700, abs=50)


def test_in_a_real_book_the_last_order_on_the_longer_side_is_cut():
    cut = day().clearing.fills.filter(pl.col("reason") == "partly: marginal")
    trading = day().clearing.prices.filter(pl.col("energy") > 0)
    assert cut.height > 0.95 * trading.height
    assert (trading["price_low"] == trading["price_high"]).all()


def test_pay_as_bid_trades_the_same_energy_at_another_split():
    uniform, asked = gl.clear(day().orders), gl.clear(day().orders, "pay_as_bid", k=0)
    assert asked.fills.select("order_id", "filled").equals(uniform.fills.select("order_id", "filled"))
    assert mean_price(uniform) - mean_price(asked) == pytest.approx(900, abs=20)
    hers = noon(day().clearing.fills).filter(account=MALAI)
    assert hers.select("limit", "price").row(0) == (2308, 3193)


def test_honesty_costs_nothing_under_uniform_and_nearly_all_under_pay_as_bid():
    def gain(ask, rule, **options):
        changed = pl.when(pl.col("account") == MALAI).then(ask).otherwise("price")
        orders = noon(day().orders).with_columns(price=changed)
        fill = gl.clear(orders, rule, **options).fills.filter(account=MALAI).row(0, named=True)
        return fill["amount"] - fill["filled"] * 2200

    below = [ask for ask in lesson_02.ASKS if ask < 3193]
    assert len({gain(ask, "uniform") for ask in below}) == 1
    assert gain(3250, "uniform") == 0
    paid = [gain(ask, "pay_as_bid", k=0) for ask in lesson_02.ASKS]
    assert lesson_02.ASKS[int(np.argmax(paid))] == below[-1]
    assert gain(2308, "pay_as_bid", k=0) < 0.15 * max(paid)


def test_sellers_who_have_learned_bring_the_price_back_and_guessing_costs_a_quarter_of_the_energy():
    error = pl.Series(np.random.default_rng(2).integers(-300, 300, day().orders.height, endpoint=True))
    known = gl.clear(asking(lambda orders: orders["expected"]), "pay_as_bid", k=0)
    guessed = gl.clear(asking(lambda orders: orders["expected"] + error), "pay_as_bid", k=0)
    whole = day().clearing.prices["energy"].sum()
    assert asking(lambda orders: orders["expected"]).height == day().orders.height
    assert mean_price(known) == pytest.approx(mean_price(gl.clear(day().orders)), abs=51)
    assert 0.2 < 1 - guessed.prices["energy"].sum() / whole < 0.3


def test_a_cap_of_three_hurts_both_groups_and_lower_ones_help_buyers_until_sellers_leave():
    rows = {row[CAP]: row for row in figures({CAP: [2.4, 2.5, 2.6, 2.8, 3.0, 3.1, 3.2, 3.3, 3.4, 5.0, 6.0]})}
    assert rows[6.0]["savings"] == rows[5.0]["savings"]
    for higher, lower in ((3.3, 3.2), (3.2, 3.1), (3.1, 3.0)):
        for group in ("savings", "sellers", "others"):
            assert rows[lower][group] < rows[higher][group]
    assert rows[3.0]["others"] < rows[5.0]["others"] < rows[3.4]["others"]
    assert rows[3.0]["others"] < rows[2.8]["others"] < rows[2.6]["others"] < rows[2.5]["others"]
    assert rows[2.5]["sellers"] < rows[2.8]["sellers"] < rows[3.0]["sellers"]
    assert rows[2.5]["traded_energy"] == rows[5.0]["traded_energy"] > 1.2 * rows[2.4]["traded_energy"]
    assert rows[3.0]["average_price"] < rows[6.0]["average_price"] < 3.3


def test_households_bid_about_three_thirty_at_most_and_condominiums_more_than_four_fifty():
    bids = day().orders.filter(side="buy").join(day().accounts.select("account", "kind"), on="account")
    most = dict(bids.group_by("kind").agg(pl.col("price").max()).rows())
    assert 3280 < most["household"] < 3330
    assert most["condominium"] > 4500


def test_under_the_cap_robots_get_back_what_the_price_had_given_the_condominiums():
    kinds = day().accounts.select("account", "kind")
    capped = day(market__price_cap=3.0).orders.join(kinds, on="account")
    robots = capped.with_columns(seq=pl.struct(pl.col("kind") != "condominium", "seq").rank("ordinal"))

    def bought(clearing):
        buys = clearing.fills.filter(pl.col("filled") > 0, side="buy")
        return buys.filter(kind="condominium")["filled"].sum(), buys.height / buys.select("slot", "zone").n_unique()

    free, _ = bought(gl.clear(day().orders.join(kinds, on="account")))
    shared, many = bought(gl.clear(capped))
    _, lucky = bought(gl.clear(capped, rationing="time"))
    fast, _ = bought(gl.clear(robots, rationing="time"))
    assert 0.4 < free / day().clearing.prices["energy"].sum() < 0.5
    assert shared < 0.35 * free
    assert fast == free
    assert 20 < many < 28
    assert lucky < 8


def test_rationing_hardly_matters_without_a_tight_cap():
    fair, fast = (row["savings"] for row in figures({"market.rationing": ["pro_rata", "time"]}))
    assert fair == pytest.approx(fast, abs=0.01)


def test_the_queue_is_shared_to_the_last_wh():
    fair, fast = (gl.clear(lesson_02.QUEUE, rationing=rule).fills["filled"].to_list() for rule in ("pro_rata", "time"))
    assert fair == [1000, 467, 333, 200]
    assert fast == [1000, 700, 300, 0]


def test_eight_orders_trade_more_one_by_one_and_gain_less():
    stream, call = gl.clear(lesson_02.FLOW, "continuous"), gl.clear(lesson_02.FLOW)
    assert (stream.prices["energy"].item(), call.prices["energy"].item()) == (3500, 3000)
    assert stream.prices["welfare"].item() == pytest.approx(0.9 * call.prices["welfare"].item())
    assert stream.events["spread"].drop_nulls().to_list() == [100, 100, 800, 100, 100]
    assert call.fills.filter(pl.col("order_id").is_in([2, 8]))["filled"].sum() == 0
    assert stream.fills.filter(order_id=8)["price"].item() == 3000


def test_a_day_of_continuous_trading_loses_a_tenth_and_favours_sellers():
    honest, random = (
        {row[RULE]: row for row in figures({"agents.strategy": [strategy], RULE: ["uniform", "continuous"]})}
        for strategy in ("truthful", "zero_intelligence")
    )
    assert 89 < honest["continuous"]["welfare_share"] < 91.5
    assert honest["continuous"]["sellers_share_of_savings"] > 80
    assert honest["uniform"]["welfare_share"] == random["uniform"]["welfare_share"] == 100
    assert 76 < random["continuous"]["welfare_share"] < 80
    assert random["continuous"]["traded_energy"] > random["uniform"]["traded_energy"]
    book = noon(day(market__rule="continuous").clearing.prices)
    assert book.select(pl.col("price_low", "price_high") / 1000).row(0) == pytest.approx((3.15, 4.58), abs=0.01)


def test_the_answer_given_to_the_task_is_one():
    (capped,) = figures({CAP: [2.5]})
    (ask,) = figures({PRICING: ["last_ask"]})
    assert capped["average_price"] == pytest.approx(2.5, abs=0.005)
    assert ask["average_price"] == pytest.approx(2.47, abs=0.005)
    assert (capped["savings"], ask["savings"]) == pytest.approx((823, 1280), abs=0.6)


def test_the_bluff_costs_malai_and_saves_the_trickster():
    fills = gl.clear(lesson_02.spoofed(cancel_comes_first=True), "continuous").fills
    assert fills["reason"].cast(pl.String).to_list()[3:] == ["cancelled", "filled", "cancel: done", "partly: resting"]
    honest = [1, 2, 3, 5, 7]
    ask = pl.when(pl.col("order_id") == 5).then(2900).otherwise("price")
    without = (
        lesson_02.spoofed(cancel_comes_first=True).filter(pl.col("order_id").is_in(honest)).with_columns(price=ask)
    )
    assert gl.clear(without, "continuous").fills["price"].to_list() == [None, None, 3100, 2900, 3000]
    assert fills.filter(order_id=5)["price"].item() == fills.filter(order_id=1)["price"].item() == 2700


def test_no_wash_trade_and_no_alert_on_the_honest_day():
    assert wash_trades(day().trades, ratio=800_000).is_empty()
    assert gl.Lab.thailand(prosumers=200, seed=0).get("market.protection.wash_ratio") == 80


def test_a_breaker_of_20_percent_stops_an_honest_hour_and_one_of_50_none():
    halts = day(market__protection__breaker_move=20.0).halts
    traded = day().clearing.prices.filter(pl.col("energy") > 0)
    assert (traded.height, halts.height) == (202, 44)
    assert halts.join(traded, on=["slot", "zone"], how="semi").height == halts.height
    central = halts.filter(pl.col("zone").cast(pl.String) == "CAC")["slot"].dt.strftime("%H:%M").to_list()
    assert central == ["15:00", "15:15", "15:30", "15:45"]
    nine = halts.filter(pl.col("slot").dt.strftime("%H:%M") == "09:00")
    assert nine.height > 1
    rows = {row[MOVE]: row for row in figures({MOVE: [20.0, 50.0]})}
    assert rows[20.0]["savings"] < 0.9 * rows[50.0]["savings"]
    assert day(market__protection__breaker_move=50.0).halts.is_empty()


def test_at_three_in_the_central_zone_condominiums_take_all_and_one_of_them_sets_the_price():
    at_three = (pl.col("slot").dt.strftime("%H:%M") == "15:00") & (pl.col("zone").cast(pl.String) == "CAC")
    buys = day().clearing.fills.filter(at_three, pl.col("filled") > 0, side="buy")
    kinds = buys.join(day().accounts.select("account", "kind"), on="account")["kind"]
    assert set(kinds) == {"condominium"}
    assert buys["limit"].min() == buys["price"].min()


def test_the_rulebook_splits_the_savings_in_two_halves_and_touches_nothing_else():
    source = next(cell.source for cell in notebook().cells if cell.source.startswith("rulebook = {"))
    names: dict[str, dict[str, object]] = {}
    exec(source[: source.index("}") + 1], names)  # noqa: S102 - the lesson's own cell
    rulebook = names["rulebook"]
    village = gl.Lab.thailand(prosumers=200, seed=0).set(rulebook)
    (row,) = figures({"market.k": [0.5]}, village)
    assert row["sellers_share_of_savings"] == pytest.approx(50, abs=0.5)
    assert row["traded_energy"] * 1000 == day().clearing.prices["energy"].sum()
    assert row["average_price"] < mean_price(gl.clear(day().orders)) / 1000
    assert village.day().halts.is_empty()
    assert day().orders["price"].max() < 5000


def test_the_numbers_of_the_first_table_are_the_levers_and_tariffs_in_force():
    text = notebook().cells[1].source
    stated = [float(number) for number in re.findall(r"\| ([\d.]+) THB/kWh \|", text)]
    on_peak = gl.dataset("tariffs").filter(tariff="2.2", voltage="<22 kV", period="on_peak")["rate"].to_list()
    levers = ("retail.buy_back", "retail.ft", "wheeling.postage_stamp", "price_cap")
    buy_back, *others = (lab().get(f"market.{path}") for path in levers)
    assert stated == [buy_back, *map(float, on_peak), *others]


@pytest.mark.parametrize(
    ("begins", "name", "frame"),
    [
        ("book = pl.DataFrame", "book", lesson_02.SIX_ORDERS),
        ("queue = pl.DataFrame", "queue", lesson_02.QUEUE),
        ("flow = pl.DataFrame", "flow", lesson_02.FLOW),
    ],
)
def test_the_books_of_the_lesson_are_those_of_its_exercises(begins, name, frame):
    source = next(cell.source for cell in notebook().cells if cell.source.startswith(begins))
    names: dict[str, object] = {"pl": pl, "datetime": __import__("datetime").datetime}
    exec(source[: source.index("})") + 2], names)  # noqa: S102 - the lesson's own cell
    book = names[name]
    assert isinstance(book, pl.DataFrame)
    assert book.select(frame.columns).equals(frame)


def test_caps_and_asks_that_the_lesson_tries_are_those_of_its_exercises():
    text = "\n".join(cell.source for cell in notebook().cells if cell.cell_type == "code")
    assert "range(2200, 3501, 50)" in text
    assert tuple(range(2200, 3501, 50)) == lesson_02.ASKS
    assert "[round(2.2 + 0.1 * step, 1) for step in range(29)]" in text
    assert [round(2.2 + 0.1 * step, 1) for step in range(29)] == [float(cap) for cap in lesson_02.CAPS]


def test_the_trickster_of_the_lesson_is_that_of_its_exercise():
    cells = [cell.source for cell in notebook().cells if cell.cell_type == "code"]
    (helpers,) = (source for source in cells if source.startswith("columns = ["))
    (scene,) = (source for source in cells if source.startswith("book_now = ["))
    names: dict[str, object] = {"pl": pl, "gl": gl, "datetime": __import__("datetime").datetime}
    exec(helpers, names)  # noqa: S102 - the lesson's own cell
    exec(scene, names)  # noqa: S102 - the lesson's own cell
    spoofed = names["spoofed"]
    assert isinstance(spoofed, pl.DataFrame)
    expected = lesson_02.spoofed(cancel_comes_first=True)
    assert spoofed.select("order_id", "side", "kind", "price", "energy", "cancels").equals(
        expected.select("order_id", "side", "kind", "price", "energy", "cancels")
    )
