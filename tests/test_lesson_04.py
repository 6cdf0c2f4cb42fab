"""What the text of lesson 04 says, sentence by sentence: figures move with the model, words must hold."""

from __future__ import annotations

from functools import cache

import nbformat
import polars as pl
import pytest

import gridlab as gl
from gridlab.learn import lesson_04
from gridlab.market.protection import pivotal_suppliers
from tests.house import ROOT

HOUR = {"slot_minutes": 60, "cap": lesson_04.CAP}
SIZE, ROOFS = "market.zonal.corridor_size", "agents.pv_share"


@cache
def names():
    """Run the lesson's cells up to its lab, and return what they name."""
    import holoviews.plotting.bokeh  # noqa: F401 - what gl.notebook() loads for the pictures

    notebook = nbformat.read(ROOT / "tutorials" / "04-congestion.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    until = next(i for i, source in enumerate(cells) if "gl.Lab.thailand" in source)
    named: dict[str, object] = {}
    for source in cells[:until]:
        exec(source.replace("gl.notebook()", ""), named)  # noqa: S102 - the lesson's own cells
    return named


def coupled(scenario, orders=None, **options):
    orders = lesson_04.evening() if orders is None else orders
    return gl.market.couple(orders, gl.market.thai_zones(scenario, cross_border=False), **HOUR, **options)


def price(coupling):
    zones = coupling.prices["zone"].cast(pl.String)
    return dict(zip(zones, coupling.prices["price"], strict=True))


def full(coupling):
    used = coupling.flows.filter((pl.col("flow_mw") > 0) & (pl.col("flow_mw") == pl.col("limit_mw")))
    return set(used.select("from_zone", "to_zone").rows())


def alone(rows, **values):
    return rows.filter(*(pl.col(name).cast(pl.String) == value for name, value in values.items()))


def test_the_orders_of_the_lesson_are_those_of_its_exercises():
    assert names()["COLUMNS"] == lesson_04.COLUMNS
    assert names()["evening"].equals(lesson_04.evening())
    shared = ["zone", "who", "side", "price", "mw", "energy"]
    assert names()["published"].select(shared).equals(lesson_04.published_example().select(shared))


def test_the_first_table_and_the_story_hold_the_published_numbers():
    limits = gl.dataset("corridors").filter(from_area="CAC", to_area="SAC", kind="operational limit")
    assert [int(limit) for limit in limits["limit_high"]] == [700, 1600]
    used = gl.dataset("corridors").filter(kind="import used").select("limit_low", "limit_high")
    assert [int(limit) for limit in used.row(0)] == [375, 600]
    assert int(gl.dataset("corridors").filter(from_area="Malaysia")["limit_high"].item()) == 380
    south = gl.dataset("regions").filter(region="SAC").row(0, named=True)
    assert (int(south["peak_mw"]), f"{south['peak_time']:%A %-d %B %Y %H:%M}") == (2727, "Sunday 21 April 2019 20:39")
    for scenario, limit in {"before_2022": 700.0, "default": 1600.0}.items():
        assert gl.market.thai_zones(scenario).filter(from_zone="CAC", to_zone="SAC")["limit_mw"].item() == limit


def test_two_zones_split_while_the_line_is_full_and_the_rent_is_flow_times_difference():
    coupling = names()["coupling"]
    assert price(coupling) == {"CAC": 2500, "SAC": 4500}
    assert coupling.congestion_rent == 300 * 1_000_000 * (4500 - 2500)
    amounts = {side: coupling.fills.filter(side=side)["amount"].sum() for side in ("buy", "sell")}
    assert amounts["buy"] - amounts["sell"] == coupling.congestion_rent
    small = names()["small"]
    assert small.filter(pl.col("size") < 520)["rent"].is_sorted()
    assert small.filter(pl.col("size") > 520).select((pl.col("CAC") == pl.col("SAC")).all()).item()
    assert small.filter(pl.col("size") > 520)["rent"].sum() == 0


@pytest.mark.parametrize(("size", "expected"), [(50, (20, 200)), (100, (36, 65)), (1000, (60, 60))])
def test_pypsa_notebook_demand_supply_bids_has_these_prices(size, expected):
    line = lesson_04.corridor(size, "north", "south")
    found = gl.market.couple(lesson_04.published_example(), line, slot_minutes=60)
    assert (price(found)["north"], price(found)["south"]) == expected == names()["pypsa"][size]


def test_only_the_southern_line_is_full_and_the_rest_of_the_country_has_one_price():
    for scenario, south, rest in (("before_2022", 5500, 2800), ("default", 3700, 2900)):
        coupling = coupled(scenario)
        assert full(coupling) == {("CAC", "SAC")}
        assert price(coupling) == {"CAC": rest, "MAC": rest, "NAC": rest, "NEC": rest, "SAC": south}


def test_everybody_is_served_so_that_the_gains_are_the_fuel_saved():
    before, after = coupled("before_2022"), coupled("default")
    cost = [(sold["filled"] * sold["limit"]).sum() for sold in (c.fills.filter(side="sell") for c in (before, after))]
    for coupling in (before, after):
        assert (coupling.fills.filter(side="buy")["filled"] == coupling.fills.filter(side="buy")["energy"]).all()
    assert sum(lesson_04.gains().values()) == cost[0] - cost[1]
    assert 0.9e12 < cost[0] - cost[1] < 1e12


def test_three_of_five_lose_southern_sellers_most_and_the_owner_earns_less():
    gains = lesson_04.gains()
    assert {party for party, gain in gains.items() if gain < 0} == {"southern sellers", "other buyers", "line owner"}
    assert min(gains, key=gains.get) == "southern sellers"
    assert max(gains, key=gains.get) == "southern buyers"
    assert gains["southern buyers"] > 4 * sum(gains.values())


def test_each_mw_saves_the_price_difference_until_about_1640_mw():
    tried = names()["tried"]
    steps = tried.with_columns(
        slope=pl.col("saved").diff().shift(-1) * 1e6 / 10, gap=(pl.col("SAC") - pl.col("CAC")).cast(pl.Float64)
    )
    flat = steps.filter((pl.col("SAC") == pl.col("SAC").shift(-1)) & (pl.col("CAC") == pl.col("CAC").shift(-1)))
    assert flat.height > 200
    assert (flat["slope"] - flat["gap"]).abs().max() < 1e-3
    assert tried.filter(pl.col("SAC") == pl.col("CAC"))["size"].min() == 1640
    assert tried.filter(pl.col("size") >= 1640)["rent"].sum() == 0


def test_the_north_east_is_a_cheap_pocket_and_malaysia_sets_the_price_of_the_south():
    wide = names()["wide"]
    found = price(wide)
    lao, out, sea = ("Lao PDR", "NEC"), ("NEC", "CAC"), ("Malaysia", "Singapore")
    assert full(wide) == {lao, ("Lao PDR", "NAC"), out, ("NEC", "NAC"), ("CAC", "SAC"), sea}
    assert found["NEC"] == 2500 < found["CAC"] == found["NAC"]
    assert found["SAC"] == pytest.approx(found["Malaysia"] / 0.98, abs=1)
    assert 0 < alone(wide.flows, from_zone="Malaysia", to_zone="SAC")["flow_mw"].item() < 380
    assert alone(wide.flows, from_zone="Malaysia", to_zone="Singapore")["congestion_rent"].item() > 0


def test_a_shortage_is_shared_pro_rata_at_the_cap_and_the_new_line_prevents_it():
    short = coupled("before_2022", names()["fault"])
    south = alone(short.prices, zone="SAC").row(0, named=True)
    assert (south["price"], south["unserved"]) == (10_000, 391_000_000)
    bought = alone(short.fills, zone="SAC", side="buy")
    assert (bought["filled"] / bought["energy"] - 2336 / 2727).abs().max() < 1e-6
    relieved = alone(coupled("default", names()["fault"]).prices, zone="SAC").row(0, named=True)
    assert (relieved["price"], relieved["unserved"]) == (5500, 0)


def test_last_ask_changes_who_gets_money_and_not_who_gets_energy():
    cap, last_ask = (coupled("before_2022", names()["fault"], scarcity=rule) for rule in ("cap", "last_ask"))
    assert cap.fills["filled"].equals(last_ask.fills["filled"])
    assert price(last_ask)["SAC"] == 8500
    assert last_ask.congestion_rent < cap.congestion_rent


def test_the_company_is_pivotal_behind_the_old_line_alone():
    inside = pivotal_suppliers(lesson_04.evening()).filter(zone="SAC").row(0, named=True)
    old, new = (inside["residual_supply_index"] + mw * 1_000_000 / inside["demand"] for mw in (700, 1600))
    assert old < 1 < new


def test_holding_back_pays_on_the_old_line_and_not_on_the_new_one():
    result = names()["result"]
    old, new = (result.filter(year=year) for year in ("before_2022", "default"))
    assert old.filter(pl.col("held") <= 400)["profit"].is_sorted(descending=True)
    assert old.sort("profit")["held"][-1] == 450
    assert old.filter(held=450)["price"].item() == 8500
    assert old.filter(held=450)["profit"].item() > old.filter(held=0)["profit"].item()
    assert new.sort("profit")["held"][-1] == 0


@cache
def noon(size):
    lab = gl.Lab.thailand(prosumers=200, seed=0).set({"market.rule": "zonal", ROOFS: 85.0, **size_of(size)})
    prices = lab.day().clearing.prices.filter(pl.col("slot").dt.strftime("%H:%M") == "12:00")
    return dict(zip(prices["zone"].cast(pl.String), prices["price"], strict=True))


def size_of(size):
    scenario, value = size
    return {SIZE: value, "market.zonal.corridors": scenario}


def test_at_noon_islands_have_five_prices_wide_corridors_one_and_narrow_ones_leave_the_north_east_apart():
    assert len(set(noon(("default", 0.0)).values())) == 5
    assert len(set(noon(("default", 0.034)).values())) == 1
    narrow = dict(noon(("default", 0.01)))
    north_east = narrow.pop("NEC")
    assert len(set(narrow.values())) == 1
    assert north_east < min(narrow.values())


def test_the_answer_given_to_the_task_is_right_for_both_years():
    for scenario in ("default", "before_2022"):
        assert len(set(noon((scenario, 0.01)).values())) > 1
        assert len(set(noon((scenario, 0.015)).values())) == 1


@cache
def swept():
    lab = gl.Lab.thailand(prosumers=200, seed=0).set({"market.rule": "zonal"})
    sizes = [0.0, 0.004, 0.01, 0.02, 0.034, 0.04]
    return gl.what_if(lab, {SIZE: sizes, ROOFS: [35.0, 85.0]}).pivot("kpi", index=[SIZE, ROOFS], values="value")


def test_islands_are_the_rule_uniform_of_lesson_01():
    uniform = gl.what_if(gl.Lab.thailand(prosumers=200, seed=0), {ROOFS: [35.0]})
    island = swept().filter(pl.col(SIZE) == 0, pl.col(ROOFS) == 35)
    for kpi in ("traded_energy", "average_price", "savings"):
        assert island[kpi].item() == uniform.filter(kpi=kpi)["value"].item()


def test_few_roofs_trade_the_same_energy_dearer_and_many_roofs_trade_more():
    few, many = (swept().filter(pl.col(ROOFS) == roofs).sort(SIZE) for roofs in (35.0, 85.0))
    assert few["traded_energy"].max() < 1.01 * few["traded_energy"][0]
    assert few["average_price"][-1] > few["average_price"][0]
    assert many["traded_energy"][-1] > 1.1 * many["traded_energy"][0]


def test_the_rent_is_a_hump_and_far_too_small_for_the_utilities():
    for roofs in (35.0, 85.0):
        rows = swept().filter(pl.col(ROOFS) == roofs).sort(SIZE)
        assert rows["congestion_rent"][0] == 0 == rows["congestion_rent"][-1] < rows["congestion_rent"].max()
        assert rows["savings"].is_sorted()
        assert rows["utilities_gain"].is_sorted(descending=True)
        assert rows.select((pl.col("congestion_rent") < 0.1 * -pl.col("utilities_gain")).all()).item()
        parties = rows.select(pl.sum_horizontal("savings", "utilities_gain", "state_gain", "operator_gain").abs().max())
        assert parties.item() < 1e-6


def test_a_merger_brings_back_the_old_price():
    key = lesson_04.merger()
    held = (pl.col("zone") == "SAC") & (pl.col("who") == "older gas")
    energy = pl.when(held).then(pl.col("energy") - key.facts["held"] * 1_000_000).otherwise("energy")
    assert price(coupled("default", lesson_04.evening().with_columns(energy=energy)))["SAC"] == 5500
    assert key.answer > 2 * key.mistakes["honest"]


def test_who_lives_on_rent_builds_half_of_what_makes_one_price():
    key = lesson_04.rent_owner()
    assert key.answer < key.mistakes["joined"] / 2
    assert key.facts["rent"] > key.facts["built"] > 0


def test_no_two_questions_with_a_number_have_the_same_answer():
    questions = gl.learn.questions().filter(pl.col("question").str.starts_with("04-"))
    assert questions.height == 6
    solvers = ("south_fall", "published_flow", "one_more_megawatt", "rent_owner", "merger")
    assert len({getattr(lesson_04, name)().answer for name in solvers}) == len(solvers)
