"""What the text of lesson 03 says of its community and of the Thai days, sentence by sentence: words must hold."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

import nbformat
import polars as pl
import pytest

import gridlab as gl
from gridlab.learn import lesson_03
from gridlab.learn.lesson_03 import SATURDAY, WEDNESDAY, community, gains, members, orders
from tests.house import ROOT

STAMP, LADDER = "postage_stamp", "distance_ladder"
MALL, SCHOOL, APARTMENTS, HOSPITAL = range(4)
RULE, SCHEME = "market.rule", "market.wheeling.scheme"
LESSON = ROOT / "tutorials" / "03-wheeling-t77.ipynb"


@cache
def cells():
    return nbformat.read(LESSON, as_version=4).cells


def surplus(day):
    return orders(*day).filter(side="sell")["energy"].sum()


def energy(trades, *buyers):
    return trades.filter(pl.col("buyer").is_in(buyers))["energy"].sum()


def under(stamp, book):
    """Return the billed trades of a book under a postage stamp (THB/kWh), local first."""
    terms = gl.Market().set({"wheeling.postage_stamp": stamp}).landed_terms()
    trades = gl.clear(book, "tiered", tariff=terms, accounts=members()).trades
    return terms.bill(trades, members())


def at_noon(day):
    return orders(*day).filter(pl.col("slot").dt.strftime("%H:%M") == "12:00")


@cache
def thai(start):
    lab = gl.Lab.thailand(prosumers=200, seed=0, start=start)
    table = gl.what_if(lab, {RULE: ["uniform", "tiered"], SCHEME: [STAMP, LADDER]})
    return {
        (row[RULE], row[SCHEME]): row for row in table.pivot("kpi", index=[RULE, SCHEME], values="value").to_dicts()
    }


def figures(stamp, start):
    lab = gl.Lab.thailand(prosumers=200, seed=0, start=start).set({RULE: "tiered"})
    row = gl.what_if(lab, {"market.wheeling.postage_stamp": [stamp]})
    return dict(row.select("kpi", "value").rows())


def test_the_cells_of_the_lesson_make_the_community_of_its_exercises():
    names: dict[str, object] = {"pl": pl, "gl": gl, "market": gl.Market()}
    wanted = ("members = pl.DataFrame", "def meters(", "days = {", "def orders(")
    for start in wanted:
        source = next(cell.source for cell in cells() if cell.cell_type == "code" and start in cell.source)
        exec(source.partition("\n\n\nwednesday")[0], names)  # noqa: S102 - the lesson's own cell
    made = names["members"]
    assert isinstance(made, pl.DataFrame)
    assert made.select(members().columns).with_columns(pl.col("substation", "area").cast(pl.Int64)).equals(members())
    assert names["days"] == {"Wednesday": WEDNESDAY, "Saturday": SATURDAY}
    for day in (WEDNESDAY, SATURDAY):
        book = names["orders"](*day)  # type: ignore[operator]
        assert book.select(orders(*day).columns).equals(orders(*day))


def test_the_numbers_of_the_first_table_are_the_levers_and_tariffs_in_force():
    stated = re.findall(r"\| ([\d.]+) (?:THB/kWh|%) \|", cells()[1].source)
    rates = [members()[period][who] for who, period in ((MALL, "on_peak"), (APARTMENTS, "on_peak"), (MALL, "off_peak"))]
    levers = ("retail.ft", "retail.buy_back", "wheeling.postage_stamp", "wheeling.losses", "fee", "retail.vat")
    expected = [*map(float, rates), *(gl.Market().get(name) for name in levers)]
    assert [float(number) for number in stated] == expected
    assert "| 54, 413, 168 kW |" in cells()[1].source
    assert members()["pv_kw"].to_list() == [54, 413, 168, 0]
    assert members()["off_peak"][APARTMENTS] == members()["off_peak"][HOSPITAL] == members()["off_peak"][MALL]


def test_the_ladder_told_is_the_ladder_of_the_levers():
    text = next(cell.source for cell in cells() if "climbs with the path" in cell.source)
    told = [float(rung) for rung in re.findall(r"(\d\.\d\d)(?= (?:behind|on one|at one|in one|beyond))", text)]
    charges = gl.Market().set({"wheeling.scheme": LADDER}).wheeling.charges()
    assert [round(1000 * rung) for rung in told] == list(charges.values())


def test_only_the_school_has_energy_to_spare_and_six_times_as_much_on_saturday():
    for day in (WEDNESDAY, SATURDAY):
        assert orders(*day).filter(side="sell")["account"].unique().to_list() == [SCHOOL]
    assert 5.5 < surplus(SATURDAY) / surplus(WEDNESDAY) < 6.5


def test_near_kwh_are_cheaper_than_the_utility_off_peak_and_a_stamped_one_is_much_too_dear():
    sale = pl.DataFrame({"buyer": [HOSPITAL, APARTMENTS], "seller": [SCHOOL] * 2})
    sale = sale.with_columns(energy=pl.Series([1000, 1000]), amount=pl.Series([2_200_000] * 2))
    market = gl.Market()
    stamped = market.landed_terms().bill(sale, members())["gross"][0] / 1e6
    near, far = gl.Market().set({"wheeling.scheme": LADDER}).landed_terms().bill(sale, members())["gross"] / 1e6
    off_peak, on_peak = (
        (float(members()[period][HOSPITAL]) + market.retail.ft) * 1.07 for period in ("off_peak", "on_peak")
    )
    assert near < far < off_peak < far + 0.02
    assert off_peak + 0.5 < stamped < on_peak - 1


def test_on_wednesday_the_neighbours_take_everything_and_the_apartments_nothing():
    for scheme in (STAMP, LADDER):
        trades = community(WEDNESDAY, scheme).trades
        assert energy(trades, MALL, HOSPITAL) == surplus(WEDNESDAY)
        assert energy(trades, APARTMENTS) == 0


def test_one_book_serves_the_apartments_first_and_trades_the_same_energy():
    book, terms = orders(*WEDNESDAY), gl.Market().landed_terms()
    bids = pl.when(side="buy").then(terms.highest_energy_price(10 * pl.col("price"))).otherwise("price")
    trades = gl.clear(book.with_columns(price=bids)).trades
    assert trades["energy"].sum() == surplus(WEDNESDAY)
    assert energy(trades, APARTMENTS) > energy(trades, MALL, HOSPITAL)


def test_local_first_reaches_half_under_the_stamp_two_thirds_on_the_ladder_and_all_on_saturday():
    def share(day, scheme):
        found = community(day, scheme).clearing.optimum().select(pl.col("welfare", "best_welfare").sum())
        return found["welfare"].item() / found["best_welfare"].item()

    assert 0.5 < share(WEDNESDAY, STAMP) < 0.6
    assert 0.6 < share(WEDNESDAY, LADDER) < 0.72
    assert share(SATURDAY, LADDER) == 1


def test_saturday_is_silent_under_the_draft_and_sells_all_on_the_ladder():
    assert community(SATURDAY, STAMP).trades.is_empty()
    assert community(SATURDAY, LADDER).trades["energy"].sum() == surplus(SATURDAY)


def test_the_stamps_at_which_trade_ends_are_those_of_the_formula():
    market = gl.Market()

    def last(rate, buy_back=2.20):
        return rate + market.retail.ft - market.fee - buy_back * (1 + market.wheeling.losses / 100)

    neighbours, far, off_peak = last(4.3297), last(5.7982), last(2.6369)
    assert (round(neighbours, 2), round(far, 2), int(100 * off_peak)) == (2.15, 3.62, 46)
    assert last(2.6369, 1.00) > market.wheeling.postage_stamp > 2 * off_peak
    wednesday, saturday = orders(*WEDNESDAY), orders(*SATURDAY)
    traded = {stamp: under(stamp, wednesday) for stamp in (1.07, 2.15, 2.16, 3.62, 3.63)}
    assert all(traded[stamp]["energy"].sum() == surplus(WEDNESDAY) for stamp in (1.07, 2.15))
    assert set(traded[2.16]["buyer"]) == set(traded[3.62]["buyer"]) == {APARTMENTS}
    assert traded[3.63].is_empty()
    assert under(0.46, saturday)["energy"].sum() == surplus(SATURDAY)
    assert under(0.47, saturday).is_empty()


def test_the_school_bears_the_stamp_on_wednesday_noon_and_the_hospital_on_saturday_noon():
    def seen(day, stamp):
        bill = under(stamp, at_noon(day)).filter(buyer=HOSPITAL).row(0, named=True)
        return bill["amount"] / bill["energy"] / 1000, bill["gross"] / bill["energy"] / 1000

    for day, school_bears in ((WEDNESDAY, True), (SATURDAY, False)):
        book = at_noon(day)
        spare = book.filter(side="sell")["energy"].item()
        needed = book.filter(pl.col("side") == "buy", pl.col("account").is_in([MALL, HOSPITAL]))["energy"].sum()
        (gets, pays), (gets_then, pays_then) = seen(day, 0.05), seen(day, 0.45)
        assert (spare < needed) is school_bears
        assert (gets - gets_then > 0.3) is school_bears
        assert (pays_then - pays > 0.3) is not school_bears
        assert min(gets - gets_then, pays_then - pays) < 0.002


def test_gains_sum_to_zero_and_the_utility_loses_little_per_kwh_on_saturday():
    cases = [community(*case) for case in ((WEDNESDAY, STAMP), (WEDNESDAY, LADDER), (SATURDAY, LADDER))]
    stamp, ladder, saturday = (gains(case.trades) for case in cases)
    for found in (stamp, ladder, saturday):
        assert sum(found.values()) == 0
        assert found["utility"] < 0
    assert ladder["utility"] < stamp["utility"]
    assert min(stamp["school"], ladder["school"]) > 500 * max(ladder["mall"], ladder["hospital"])
    assert min(saturday["mall"], saturday["hospital"]) > saturday["school"] / 2
    per_kwh = [-1000 * found["utility"] / surplus(day) for found, day in ((stamp, WEDNESDAY), (saturday, SATURDAY))]
    assert [round(float(loss), 2) for loss in per_kwh] == [1.05, 0.12]


def test_a_utility_made_whole_leaves_nothing_to_trade_but_the_fee():
    market = gl.Market()
    fee, losses = Fraction(str(market.fee)), Fraction(str(market.wheeling.losses)) / 100
    rate = Fraction(members()["off_peak"][HOSPITAL]) + Fraction(str(market.retail.ft))
    whole = rate - Fraction("2.20") * (1 + losses)
    assert whole == lesson_03.last_stamp().answer + fee
    components = gl.dataset("tariff_components").filter(voltage="22-33 kV")
    parts = components.filter(pl.col("component").is_in(["transmission", "distribution"]))["rate"]
    assert float(parts.sum()) == 0.7056


@pytest.mark.parametrize("start", [WEDNESDAY[0], SATURDAY[0]])
def test_the_ladder_changes_the_bill_and_not_the_trades_of_one_price_per_zone(start):
    stamp, ladder = (thai(start)["uniform", scheme] for scheme in (STAMP, LADDER))
    assert stamp["traded_energy"] == ladder["traded_energy"]
    assert stamp["average_landed_price"] > ladder["average_landed_price"]
    for scheme in (STAMP, LADDER):
        assert thai(start)["tiered", scheme]["local_share"] > 80 > 2 * thai(start)["uniform", scheme]["local_share"]


def test_local_first_costs_savings_in_three_cases_of_four_and_pays_on_saturday_on_the_ladder():
    def gained(start, scheme):
        return thai(start)["tiered", scheme]["savings"] - thai(start)["uniform", scheme]["savings"]

    assert max(gained(WEDNESDAY[0], STAMP), gained(WEDNESDAY[0], LADDER), gained(SATURDAY[0], STAMP)) < 0
    assert gained(SATURDAY[0], LADDER) > 0
    saturday = thai(SATURDAY[0])
    assert saturday["tiered", LADDER]["traded_energy"] > 1.1 * saturday["uniform", LADDER]["traded_energy"]


def test_the_answer_given_to_the_task_is_one():
    wednesday, saturday = (thai(day[0])["tiered", LADDER] for day in (WEDNESDAY, SATURDAY))
    low, low_on_saturday = (figures(0.23, day[0]) for day in (WEDNESDAY, SATURDAY))
    assert 1450 < wednesday["savings"] < 1550
    assert low["savings"] == pytest.approx(wednesday["savings"], rel=0.005)
    assert low["utilities_gain"] == pytest.approx(wednesday["utilities_gain"], rel=0.005)
    assert saturday["savings"] < low_on_saturday["savings"] < 1.05 * saturday["savings"]


def changes(day, *, scheme=LADDER, register=False):
    honest = gains(community(day, scheme).trades)
    lied = gains(community(day, scheme, lying=True, register=register).trades)
    return {party: lied[party] - honest[party] for party in honest}


def test_on_wednesday_the_utility_pays_for_the_lie_and_the_neighbours_lose_energy_only():
    change = changes(WEDNESDAY)
    assert min(change, key=lambda party: change[party]) == "utility"
    assert change["apartments"] > 100 < -change["utility"]
    assert change["school"] > 50
    assert -0.2 < change["mall"] + change["hospital"] < 0
    honest, lied = community(WEDNESDAY, LADDER).trades, community(WEDNESDAY, LADDER, lying=True).trades
    lost = energy(honest, MALL, HOSPITAL) - energy(lied, MALL, HOSPITAL)
    assert round(lost / 1000, 1) == 158.5


def test_on_saturday_honest_neighbours_pay_for_the_lie_and_the_school_gets_it():
    change = changes(SATURDAY)
    assert 0 < change["apartments"] < 1
    lost = -change["mall"] - change["hospital"]
    assert min(change["mall"], change["hospital"]) < change["utility"] < 0
    assert 0.95 * lost < change["school"] < lost


def test_a_true_bill_makes_the_lie_dear_on_saturday_but_not_on_wednesday_nor_does_a_stamp():
    assert changes(SATURDAY, register=True)["apartments"] < -50
    assert changes(WEDNESDAY, register=True)["apartments"] > 0.8 * changes(WEDNESDAY)["apartments"] > 0
    assert changes(WEDNESDAY, scheme=STAMP)["apartments"] > 0.9 * changes(WEDNESDAY)["apartments"]
