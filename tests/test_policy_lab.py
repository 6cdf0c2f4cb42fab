"""What the text of the policy lab says of the three wheeling designs, worked out again from the model."""

from __future__ import annotations

import re
from functools import cache
from math import sqrt

import nbformat
import numpy as np
import polars as pl
import pytest
from scipy.stats import t

import gridlab as gl
from gridlab.kpis import balances
from tests.house import ROOT
from tests.notebooks.lessons import output_text

NOTEBOOK = ROOT / "notebooks" / "policy-lab.ipynb"
SCHEME, STAMP, RULE = "market.wheeling.scheme", "market.wheeling.postage_stamp", "market.rule"
DESIGNS = ("postage_stamp", "distance_ladder", "per_voltage")
OTHERS = DESIGNS[1:]
WEDNESDAY, SATURDAY = "2026-05-06", "2026-05-09"
SEEDS, FEW = 12, 6


@cache
def cells():
    return nbformat.read(NOTEBOOK, as_version=4).cells


@cache
def text():
    return "\n".join(cell.source for cell in cells() if cell.cell_type == "markdown").replace("−", "-")


def output(beginning):
    """Return the stored output of the code cell in which `beginning` stands."""
    return output_text(next(cell for cell in cells() if cell.cell_type == "code" and beginning in cell.source))


def community(start=WEDNESDAY):
    return gl.Lab.thailand(prosumers=60, seed=0, start=start)


@cache
def figures(start=WEDNESDAY, rule="uniform", share=35, runs=SEEDS):
    lab = community(start).set({RULE: rule, "agents.pv_share": share})
    return gl.what_if(lab, {SCHEME: list(DESIGNS)}, runs=runs)


@cache
def stamped(stamp, runs=FEW):
    table = gl.what_if(community(), {STAMP: [stamp]}, runs=runs).sort("seed")
    return {kpi: table.filter(kpi=kpi)["value"].to_numpy() for kpi in table["kpi"].unique()}


def values(frame, kpi, design):
    return frame.filter(pl.col(SCHEME) == design, kpi=kpi).sort("seed")["value"].to_numpy()


def change(frame, kpi, design):
    return values(frame, kpi, design) - values(frame, kpi, "postage_stamp")


def band(seeds):
    return seeds.mean(), t.ppf(0.975, len(seeds) - 1) * np.std(seeds, ddof=1) / sqrt(len(seeds))


def told(seeds, sign=""):
    mean, half = band(seeds)
    return f"{mean:{sign}.1f} ± {half:.1f}"


@cache
def savings_by_group():
    """Return (group, design) -> savings (THB), one value a seed."""
    found = {}
    for design in DESIGNS:
        for seed in range(SEEDS):
            frames = community().with_seed(seed).set({SCHEME: design}).day(slots=96).frames()
            members = balances(frames).join(frames["accounts"].select("account", "pv_kw", "voltage"), on="account")
            assert members["saving"].min() >= 0  # nobody pays more than without a market
            roof, low = pl.col("pv_kw") > 0, pl.col("voltage") == "<22 kV"
            for group, belongs in (("roof", roof), ("below 22 kV", ~roof & low), ("22 kV", ~roof & ~low)):
                sums = found.setdefault((group, design), np.zeros(SEEDS))
                sums[seed] = members.filter(belongs)["saving"].sum() / 1e6
    return found


@pytest.mark.parametrize(("kpi", "row"), [
    ("savings", "Customers save"), ("utilities_gain", "Utilities gain"), ("state_gain", "State gains"),
])  # fmt: skip
def test_the_table_of_the_conclusion_is_the_models(kpi, row):
    ladder, voltage = (told(change(figures(), kpi, design), "+") for design in OTHERS)
    assert f"| {row} | {ladder} | {voltage} |" in text()


def test_the_four_gains_sum_to_zero_and_the_traded_energy_is_the_same_under_all_designs():
    gains = ("savings", "utilities_gain", "state_gain", "operator_gain")
    for design in DESIGNS:
        assert sum(values(figures(), kpi, design) for kpi in gains) == pytest.approx(0, abs=1e-6)
        assert (change(figures(), "traded_energy", design) == 0).all()
    assert f"What {-values(figures(), 'utilities_gain', 'postage_stamp').mean():.2f} THB does" in text()


def test_the_pool_was_found_to_give_the_same_figures():
    assert output("ProcessPoolExecutor(2").strip() == f"{figures().height} figures; in the pool the same: True"


def test_pairing_narrows_the_band_threefold_on_five_seeds():
    stamp, ladder = (values(figures(), "savings", design)[:5] for design in DESIGNS[:2])
    unpaired = sqrt((stamp.var(ddof=1) + ladder.var(ddof=1)) / 5)
    ratio = unpaired / sqrt((ladder - stamp).var(ddof=1) / 5)
    assert f"{ratio:.1f} times narrower" in text()
    assert f"{ratio**2:.0f} times as many seeds" in text()
    assert f"unpaired {unpaired:.1f}, paired {unpaired / ratio:.1f}" in output("def standard_error")


def test_levels_overlap_where_differences_stay_clear_of_zero():
    for kpi in ("savings", "utilities_gain", "state_gain", "local_share", "gini_of_savings"):
        (stamp, half), (voltage, other) = (band(values(figures(), kpi, design)) for design in DESIGNS[::2])
        assert abs(stamp - voltage) < half + other
    for kpi in ("savings", "utilities_gain", "state_gain", "gini_of_savings"):
        for design in OTHERS:
            mean, half = band(change(figures(), kpi, design))
            assert abs(mean) > half
    assert (change(figures(), "local_share", "distance_ladder") == 0).all()
    assert np.subtract(*np.abs(band(change(figures(), "local_share", "per_voltage")))) < 0
    assert (change(figures(), "gini_of_savings", "per_voltage") > 0).all()
    told_of = f"customers {told(change(figures(), 'savings', 'distance_ladder'))} THB a day more than the stamp"
    assert told_of in text()


def test_small_buyers_without_a_roof_lose_by_the_voltage_design_and_win_by_the_ladder():
    found = savings_by_group()
    moved = {key: found[key] - found[key[0], "postage_stamp"] for key in found}
    lost = moved["below 22 kV", "per_voltage"]
    assert (lost <= 0).all()
    assert text().count(f"lose {told(-lost)} THB") == 2
    assert min(moved["roof", "per_voltage"].mean(), moved["22 kV", "per_voltage"].mean()) > 0
    largest = max(moved, key=lambda key: moved[key].mean())
    assert largest == ("below 22 kV", "distance_ladder")
    total = sum(found[group, "postage_stamp"] for group in ("roof", "below 22 kV", "22 kV"))
    assert total == pytest.approx(values(figures(), "savings", "postage_stamp"))


def test_large_buyers_pay_a_third_less_and_the_price_rises_in_no_book_by_the_ladder_and_falls_in_none_by_voltage():
    bands = gl.Market().set({"wheeling.scheme": "per_voltage"}).wheeling.bands()
    assert bands["<22 kV"] == 1070
    assert round(1 - bands["22-33 kV"] / 1070, 2) == 0.34

    def prices(design):
        return community().set({SCHEME: design}).day(slots=96).frames()["prices"].sort("slot", "zone")

    stamp, ladder, voltage = (prices(design)["price"].fill_null(0).to_numpy() for design in DESIGNS)
    assert (ladder == stamp).all()
    assert (voltage >= stamp).all()
    assert (voltage > stamp).any()


def test_nine_tenths_of_the_ladders_gift_are_its_level_and_the_shape_decides_who():
    charge = round(float(values(figures(), "wheeling_paid", "distance_ladder").sum()
                         / values(figures(), "traded_energy", "distance_ladder").sum()), 3)  # fmt: skip
    assert text().count(f"{charge}") >= 2
    low = stamped(charge, SEEDS)
    level = (low["savings"] - values(figures(), "savings", "postage_stamp")).mean()
    shape = (values(figures(), "savings", "distance_ladder") - low["savings"]).mean()
    assert f"{level:.0f} come from the *level*" in text()
    assert f"The shape adds {shape:.0f}" in text()
    assert f"{100 * level / (level + shape):.0f} % of what the ladder gives" in text()
    shares = [values(figures(), "sellers_share_of_savings", "distance_ladder"), low["sellers_share_of_savings"]]
    under_ladder, under_stamp = (f"{share.mean():.0f} %" for share in shares)
    assert f"sellers get {under_ladder} of the savings under the ladder, {under_stamp} under the low stamp" in text()


def test_no_stamp_breaks_even_while_anybody_trades():
    tried = [float(each) for each in re.findall(r"[\d.]+", re.search(r"stamps = \[(.*)\]", source("FEW = 6"))[1])]
    margins, traded, collected = [], {}, {}
    for stamp in tried:
        seen = {kpi: stamped(stamp)[kpi].sum() for kpi in ("traded_energy", "wheeling_paid", "utilities_gain")}
        traded[stamp], collected[stamp] = seen["traded_energy"], seen["wheeling_paid"]
        if traded[stamp]:
            margins.append((seen["wheeling_paid"] - seen["utilities_gain"]) / traded[stamp])
            assert margins[-1] > stamp
    assert [stamp for stamp in tried if not traded[stamp]] == [3.65]
    assert margins == sorted(margins)
    assert text().count(f"margin of {margins[tried.index(1.07)]:.2f} THB a") == 2
    assert max(collected, key=lambda stamp: collected[stamp]) == 1.5
    kept, left = (100 * traded[stamp] / traded[1.07] for stamp in (1.5, 2.0))
    assert f"there {kept:.1f} % of the energy still trades, at 2.00 {left:.1f} %" in text()


def source(part):
    return next(cell.source for cell in cells() if cell.cell_type == "code" and part in cell.source)


@pytest.mark.parametrize(("start", "rule", "share"), [
    (WEDNESDAY, "uniform", 20), (WEDNESDAY, "uniform", 60), (WEDNESDAY, "tiered", 35), (SATURDAY, "uniform", 35),
])  # fmt: skip
def test_the_ladder_leaves_customers_more_in_every_case(start, rule, share):
    seen = figures(start, rule, share, FEW)
    mean, half = band(change(seen, "savings", "distance_ladder"))
    assert mean > half
    if start == SATURDAY:
        assert (change(seen, "savings", "per_voltage") == 0).all()
        assert (change(seen, "traded_energy", "distance_ladder") == 0).all()
    if rule == "tiered":
        assert values(seen, "local_share", "postage_stamp").mean() > 80
        assert abs(change(seen, "traded_energy", "distance_ladder")).max() < 1


def test_on_a_saturday_with_local_first_the_ladder_brings_a_fifth_more_trade():
    seen = figures(SATURDAY, "tiered")
    energy = change(seen, "traded_energy", "distance_ladder")
    more = 100 * energy.sum() / values(seen, "traded_energy", "postage_stamp").sum()
    assert f"{more:.0f} % more trade than the stamp ({told(energy, '+')} kWh)" in text()
    assert f"{told(-change(seen, 'utilities_gain', 'distance_ladder'))} THB larger on that Saturday" in text()
    assert (change(seen, "savings", "distance_ladder") > 0).all()
    assert (change(seen, "savings", "per_voltage") == 0).all()


@pytest.mark.parametrize("start", [WEDNESDAY, SATURDAY])
def test_no_customer_pays_more_under_the_recommended_design_than_without_a_market(start):
    lab = community(start).set({RULE: "tiered", SCHEME: "distance_ladder"})
    for seed in range(SEEDS):
        assert balances(lab.with_seed(seed).day(slots=96).frames())["saving"].min() >= 0


def test_nobody_at_22_kv_can_buy_off_peak_and_the_charges_told_are_the_levers():
    market = gl.Market().set({"wheeling.scheme": "per_voltage"})
    rates = gl.dataset("tariffs").filter(tariff="3.2", voltage="22-33 kV", component="energy", period="off_peak")
    limit = (float(rates["rate"].item()) + market.retail.ft - market.fee - 0.706) / (1 + market.wheeling.losses / 100)
    assert limit < market.retail.buy_back == 2.20
    for lever in ("medium_voltage", "high_voltage", "postage_stamp", "losses"):
        assert f"{market.get('wheeling.' + lever)}" in text()


def test_the_last_output_is_the_fingerprint_of_the_recommended_design():
    lab = community().set({RULE: "tiered", SCHEME: "distance_ladder"})
    assert output("run.fingerprint").strip("'") == lab.run(hours=24, progress=False).fingerprint
