"""One neighbourhood: all in one zone, the pilot's roofs, and no store that would forget who lives there."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gridlab as gl
from gridlab.errors import StoreError
from gridlab.frames import ACCOUNTS
from gridlab.scenarios.neighbourhood import PILOT, Neighbourhood


@given(prosumers=st.integers(1, 60), seed=st.integers(0, 2**32), pv_share=st.integers(0, 100))
def test_everybody_lives_in_one_zone_on_four_feeders_of_one_substation(prosumers, seed, pv_share):
    accounts = Neighbourhood(prosumers, seed=seed, pv_share=float(pv_share)).accounts()
    assert ACCOUNTS.check(accounts).height == prosumers
    assert accounts["account"].to_list() == list(range(prosumers))
    assert accounts["name"].n_unique() == prosumers
    assert accounts["zone"].cast(pl.String).unique().to_list() == ["MAC"]
    assert accounts["utility"].unique().to_list() == ["MEA"]
    assert accounts["substation"].n_unique() == 1
    assert accounts["feeder"].is_between(0, 3).all()
    # A transformer hangs on one feeder.
    assert accounts.group_by("transformer").agg(pl.col("feeder").n_unique())["feeder"].max() == 1
    pilot = PILOT.head(prosumers)
    assert accounts.head(4)["pv_kw"].to_list() == pilot["pv_kw"].to_list()
    assert (accounts["peak_kw"] > 0).all()


def test_more_roofs_are_added_at_the_margin():
    few, many = (Neighbourhood(200, seed=3, pv_share=share).accounts()["pv_kw"] for share in (10.0, 60.0))
    homes = slice(4, None)
    assert (few[homes] > 0).sum() < (many[homes] > 0).sum()
    assert ((few > 0) & (many == 0)).sum() == 0
    assert (Neighbourhood(200, seed=3, pv_share=0.0).accounts()["pv_kw"][homes] == 0).all()


def test_levers_of_the_people_move_their_meters():
    slots = gl.calendar.slots("2026-05-09", hours=24)
    agents = Neighbourhood(20, seed=1)
    usual = agents.readings(slots)
    more = Neighbourhood(20, seed=1).set({"load_level": 200.0, "pv_size": 50.0}).readings(slots)
    assert more["load"].sum() == pytest.approx(2 * usual["load"].sum(), rel=1e-5)
    assert more["generation"].sum() == pytest.approx(usual["generation"].sum() / 2, rel=1e-4)
    assert agents.readings(slots).equals(usual)


def test_every_trade_is_within_the_neighbourhood():
    run = gl.scenario("t77_rooftop", prosumers=12).run(slots=48, progress=False)
    assert not run.trades.is_empty()
    paths = set(run.trades["path"].cast(pl.String))
    assert paths <= {"same_transformer", "same_feeder", "same_substation"}


def test_a_store_is_refused_before_anything_is_written(tmp_path):
    path = tmp_path / "t77.db"
    lab = gl.scenario("t77_rooftop", prosumers=5)
    with pytest.raises(StoreError, match=r"run\.save"):
        lab.run(slots=4, progress=False, store=path)
    assert not path.exists()
    run = lab.run(slots=4, progress=False)
    assert gl.load(run.save(tmp_path / "t77.gridlab")).fingerprint == run.fingerprint


def test_a_run_on_watt_changes_no_trade_and_its_lab_can_be_stored(tmp_path):
    lab = gl.scenario("watt_run", prosumers=5)
    before = lab.run(slots=4, progress=False).fingerprint
    lab.run_on_watt(holders=100, hours=8)
    path = tmp_path / "watt.db"
    assert lab.run(slots=4, progress=False, store=path).fingerprint == before
    assert gl.open(path).run(progress=False).fingerprint == before
    assert lab.run_on_watt(holders=100, hours=8).slots.equals(lab.run_on_watt(holders=100, hours=8).slots)


def test_a_store_to_come_is_refused_too(tmp_path):
    with pytest.raises(StoreError, match=r"run\.save"):
        gl.scenario("t77_rooftop", prosumers=5).stored_in(tmp_path / "t77.db", slots=2)
