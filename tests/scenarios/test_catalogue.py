"""The Thai scenarios: each runs, says where its figures come from, and gives the figures that it promises."""

import pickle
import re
from datetime import timedelta

import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError, ScenarioError
from gridlab.scenarios.catalogue import CATALOGUE, bounds, check, sources
from gridlab.scenarios.days import DAYS
from gridlab.scenarios.designs import DESIGNS
from gridlab.scenarios.faults import FAULTS
from gridlab.scenarios.scenario import MARKS, Bound, Source
from gridlab.scenarios.watt_lab import WattLab

NAMES = list(CATALOGUE)
THAI = re.compile("[\u0e00-\u0e7f]")

# What takes a scenario's point away, and the figure that shows it.
MOVED = {
    "thai_day": ({"agents.pv_share": 100.0, "agents.pv_size": 300.0}, "average_price"),
    "songkran": ({"agents.pv_share": 5.0}, "traded_share_of_surplus"),
    "songkran_low_load": ({"agents.load_level": 150.0, "agents.pv_share": 35.0}, "least_net_load"),
    "hottest_evening": ({"agents.load_level": 60.0}, "peak_of_net_load"),
    "distance_wheeling": ({"market.wheeling.scheme": "postage_stamp"}, "average_landed_price"),
    "rooftop_boom": ({"agents.pv_share": 35.0, "agents.pv_size": 100.0}, "average_price"),
    "t77_rooftop": ({"market.wheeling.scheme": "postage_stamp"}, "average_landed_price"),
    "south_before_2022": ({"market.zonal.corridors": "default"}, "southern_flow"),
    "south_after_2022": ({"market.zonal.corridors": "before_2022"}, "southern_flow"),
    "carbon_tax": ({"carbon.tax_on_electricity": False}, "carbon_tax_paid"),
    "six_byzantine": ({"consensus.liars": 0}, "finality_p99"),
    "four_liars": ({"oracle.liars": 8}, "largest_report_error"),
}


def failed(name, lab):
    return check(name, lab).filter(~pl.col("within"))["kpi"].to_list()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_gives_the_figures_that_it_promises(name, seed):
    found = check(name, gl.scenario(name, seed=seed))
    assert found["within"].all(), found.filter(~pl.col("within"))
    assert found.height >= 3


@pytest.mark.parametrize("name", MOVED)
def test_the_bounds_are_narrow_enough_to_miss_the_point_when_it_is_taken_away(name):
    levers, kpi = MOVED[name]
    assert kpi in failed(name, gl.scenario(name, **levers))


def test_without_the_front_the_north_east_has_its_sun():
    lab = gl.scenario("monsoon_front")
    assert lab.feeds.fronts
    lab.feeds.fronts = ()
    assert "north_east_missing" in failed("monsoon_front", lab)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_front_makes_imbalance_dearer(seed):
    cloudy, clear = gl.scenario("monsoon_front", seed=seed), gl.scenario("monsoon_front", seed=seed)
    clear.feeds.fronts = ()
    with_front, without = (dict(lab.preview().select("kpi", "value").rows()) for lab in (cloudy, clear))
    assert with_front["imbalance_paid"] > without["imbalance_paid"] + 500
    assert with_front["energy_generated"] < without["energy_generated"]


def test_without_the_heat_wave_the_country_peaks_lower():
    hot, usual = gl.scenario("hottest_evening"), gl.scenario("hottest_evening")
    usual.feeds.heat_waves = ()
    (with_heat, without) = (
        lab.feeds.load(lab.slots()).group_by("slot").agg(pl.col("load_mw").sum())["load_mw"].max()
        for lab in (hot, usual)
    )
    assert with_heat > without + 1_000


def test_a_vote_that_comes_too_late_moves_nothing():
    late = {"governance.parameter.enactment": 1_000}
    assert "levers_moved" in failed("wheeling_reform", gl.scenario("wheeling_reform", prosumers=6, **late))


def test_the_seventh_liar_breaks_the_chain():
    with pytest.raises(gl.errors.ChainError, match="more than 6 of them lie"):
        gl.scenario("six_byzantine", prosumers=10, **{"consensus.liars": 7}).run(slots=16, progress=False)


def test_frequent_attestations_and_a_haircut_take_the_reason_to_run_away():
    lab = gl.scenario("watt_run")
    lab.watt.set({"gap_rule": "haircut", "attestation_hours": 0.25})
    assert "watt_advantage" in failed("watt_run", lab)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_new_line_to_the_south_carries_more_and_trades_no_less_than_the_thin_one(seed):
    before, after = (
        dict(CATALOGUE[name].measure(gl.scenario(name, seed=seed)).select("kpi", "value").rows())
        for name in ("south_before_2022", "south_after_2022")
    )
    assert after["southern_flow"] > before["southern_flow"]
    assert after["southern_rent"] < before["southern_rent"]
    assert after["traded_energy"] >= before["traded_energy"]
    assert after["market_welfare"] >= before["market_welfare"]


def test_a_scenario_says_where_its_figures_come_from_in_both_languages():
    frame = gl.scenarios()
    assert frame.columns[:6] == ["name", "title", "title_th", "teaches", "teaches_th", "start"]
    assert frame.height >= 10
    assert frame["name"].to_list() == NAMES
    for row in frame.rows(named=True):
        assert THAI.search(row["title_th"]), row["name"]
        assert THAI.search(row["teaches_th"]), row["name"]
        assert not THAI.search(row["title"] + row["teaches"]), row["name"]
        marks = set(sources(row["name"])["mark"])
        assert marks <= set(MARKS)
        assert "S" in marks, f"{row['name']}: something in it is made up, and it must say so"
        assert marks - {"S"}, f"{row['name']}: nothing in it has a source"
        assert row["sources"].count("; ") >= len(sources(row["name"])) - 1


@pytest.mark.parametrize("name", NAMES)
def test_the_ft_that_is_cited_is_the_one_in_force(name):
    cited = [figure for figure in sources(name)["figure"] if figure.startswith("Ft ")]
    assert cited == [f"Ft {gl.scenario(name, prosumers=5).get('market.retail.ft')} THB/kWh"]


def test_the_tax_lifts_the_local_price_by_no_more_than_itself():
    untaxed = gl.scenario("carbon_tax", **{"carbon.tax_on_electricity": False})
    with_tax, without = (
        dict(lab.preview().select("kpi", "value").rows()) for lab in (gl.scenario("carbon_tax"), untaxed)
    )
    assert 0.05 < with_tax["average_price"] - without["average_price"] <= 0.2 * 0.475
    assert with_tax["sellers_share_of_savings"] > without["sellers_share_of_savings"]


def test_no_name_stands_twice():
    assert len(CATALOGUE) == len(DAYS) + len(DESIGNS) + len(FAULTS)
    for column in ("title", "title_th", "teaches", "teaches_th"):
        assert gl.scenarios()[column].n_unique() == len(NAMES)


@pytest.mark.parametrize("name", ["t77_rooftop", "monsoon_front", "watt_run"])
def test_a_scenario_runs_twice_to_the_same_fingerprint(name):
    one, two = (gl.scenario(name, seed=2, prosumers=8).run(slots=4, progress=False) for _ in range(2))
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize("name", ["t77_rooftop", "monsoon_front", "watt_run", "wheeling_reform"])
def test_another_seed_keeps_what_levers_cannot_say(name):
    lab = gl.scenario(name, prosumers=8)
    for twin in (lab.with_seed(1), pickle.loads(pickle.dumps(lab))):
        assert type(twin) is type(lab)
        assert type(twin.agents) is type(lab.agents)
        assert twin.lever_values() == lab.lever_values()
        assert twin.feeds.ordered == lab.feeds.ordered
        assert twin.governance.agenda.to_json() == lab.governance.agenda.to_json()
        if isinstance(lab, WattLab):
            assert twin.watt.lever_values() == lab.watt.lever_values()
    assert lab.with_seed(0).run(slots=4, progress=False).fingerprint == lab.run(slots=4, progress=False).fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_own_levers_come_last(name):
    lab = gl.scenario(name, prosumers=5, market__k=0.25, **{"agents.pv_size": 50.0})
    assert (lab.get("market.k"), lab.get("agents.pv_size"), lab.agents.prosumers) == (0.25, 50.0, 5)
    for path, value in CATALOGUE[name].levers.items():
        assert path == "agents.pv_size" or lab.get(path) == value
    assert gl.scenario(name).agents.prosumers == CATALOGUE[name].prosumers


def test_what_was_ordered_is_ordered_around_the_first_day():
    wave, front = gl.scenario("hottest_evening").feeds.heat_waves[-1], gl.scenario("monsoon_front").feeds.fronts[-1]
    evening = gl.scenario("hottest_evening").start + timedelta(hours=20)
    assert 0.3 < (evening.timestamp() - wave.unix_time) / 86_400 / wave.days < 0.7
    assert front.unix_time == (gl.scenario("monsoon_front").start - timedelta(hours=12)).timestamp()


def test_what_is_wrong_is_refused():
    with pytest.raises(ScenarioError, match="did you mean 't77_rooftop'"):
        bounds("t77_roftop")
    with pytest.raises(ArgumentTypeError, match="expected text"):
        sources(None)
    with pytest.raises(ArgumentTypeError, match=r"gl\.scenario\('thai_day'\) makes one"):
        check("thai_day", "thai_day")
    with pytest.raises(LeverError, match=r"market\.rules"):
        gl.scenario("watt_run", market__rules="zonal")
    with pytest.raises(ArgumentError, match="V2"):
        Source("a figure", "somebody", "W")
    with pytest.raises(ArgumentError, match="low below high"):
        Bound("savings", 2.0, 2.0)
    with pytest.raises(ArgumentTypeError, match=r"WattLab\.thailand"):
        FAULTS["watt_run"].prepare(gl.Lab.thailand(prosumers=1))


def test_a_figure_that_is_not_measured_is_not_within_its_bounds():
    lab = gl.Lab.thailand(prosumers=3)
    missing = {"watt_run": "watt_advantage", "south_after_2022": "southern_flow", "monsoon_front": "north_east_missing"}
    missing["four_liars"] = "liars_flagged"
    for name, kpi in missing.items():
        found = check(name, lab).filter(kpi=kpi)
        assert found.select("value", "within").rows() == [(None, False)]
