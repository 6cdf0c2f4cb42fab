"""Live controls of the oracle network: what is pressed happens to the network, and is seen at once."""

from __future__ import annotations

import re

import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.oracle.roster import KINDS
from gridlab.ui.oracle_controls import oracle_controls


@pytest.fixture
def oracle():
    return gl.Oracle()


@pytest.fixture
def panel(oracle):
    made = oracle.controls(seed=3)
    yield made
    made.close()


def press(panel, name, providers=None):
    if providers is not None:
        panel.chosen.value = tuple(providers)
    before = panel.picture.value
    panel.buttons[name].click()
    return panel.picture.value != before


def test_a_bribe_is_the_networks_own_and_is_seen_in_the_round(oracle, panel):
    panel.kind.value, panel.bias.value = "lying", -40
    assert press(panel, "bribe", [2, 3, 7])
    assert 'role="status"' in panel.told.value
    assert "From now on lying: 2–3, 7." in panel.told.value
    assert oracle.roster().kinds[7] == "lying"
    assert oracle.roster().bias[7] == -0.4
    assert panel.picture.value.count("−40%") == 3
    assert ">2–3, 7<" in panel.picture.value


def test_the_median_of_four_liars_stays_within_what_honest_providers_saw(panel):
    press(panel, "bribe", range(4))
    reports = panel.run.reports["value"]
    truth = panel.run.truth["value"]
    assert ((reports - truth).abs() / truth).max() < 0.01


def test_five_colluding_ones_that_are_heard_with_five_honest_ones_bend_the_report(oracle, panel):
    panel.kind.value = "silent"
    press(panel, "bribe", range(5, 10))
    panel.kind.value, panel.bias.value = "colluding", 50
    press(panel, "bribe", range(5))
    bent = panel.run.rounds.join(panel.run.truth, on="round", suffix="_true")
    assert ((bent["value"] / bent["value_true"]).drop_nulls() > 1.4).any()


def test_two_values_are_slashed(panel):
    panel.kind.value = "equivocating"
    press(panel, "bribe", [9])
    assert panel.run.scores.filter(pl.col("slashed") > 0)["provider"].to_list() == [9]
    assert re.search(r"Slashed for two values</td><td[^>]*>9<", panel.picture.value)


def test_a_cut_feed_is_not_reported_until_it_is_mended(oracle, panel):
    panel.hours.value = (10, 14)
    assert press(panel, "cut")
    assert "from 10:00 to 14:00" in panel.told.value
    assert panel.run.rounds.filter(status="no quorum").height == 16
    assert "× refused: 16" in panel.picture.value
    panel.round.value = 48
    assert "too few signatures" in panel.picture.value
    panel.kind.value = "silent"
    press(panel, "bribe", [1])
    press(panel, "mend")
    assert panel.run.rounds.filter(status="no quorum").is_empty()
    assert set(oracle.roster().kinds) == {"honest"}
    assert oracle.cuts.is_empty()


def test_the_slider_looks_at_another_round_of_the_same_day(panel):
    run, before = panel.run, panel.picture.value
    panel.round.value = 20
    assert panel.picture.value != before
    assert panel.run is run
    assert ">05:00<" in panel.picture.value


def test_another_family_and_another_member_are_another_feed(panel):
    panel.family.value = "weather/temperature"
    assert panel.feed.startswith("weather/temperature/")
    panel.about.value = "Nan"
    assert panel.run.rounds["feed"].unique().to_list() == ["weather/temperature/Nan"]
    assert "Air temperature: Nan" in panel.picture.value
    panel.family.value = "load"
    assert panel.feed == "load/MAC"


def test_a_feed_that_cannot_be_read_leaves_what_was_shown(oracle):
    own = pl.DataFrame({"slot": gl.calendar.slots("2026-05-01", hours=24), "value": [3_000.0] * 96})
    panel = oracle.controls(feeds=gl.Feeds(1).replace("load/MAC", own))
    run = panel.run
    panel.family.value = "load"
    assert 'role="alert"' in panel.told.value
    assert panel.feed == "price/wholesale"
    assert panel.run is run
    panel.round.value = 3
    assert ">00:45<" in panel.picture.value
    panel.close()


def test_the_next_day_is_another_run(panel):
    before = panel.run.truth["value"].to_list()
    press(panel, "day")
    assert "21 April 2026" in panel.picture.value
    assert panel.run.truth["value"].to_list() != before


def test_a_bribe_needs_somebody(oracle, panel):
    press(panel, "bribe", [])
    assert "First choose providers" in panel.told.value
    assert set(oracle.roster().kinds) == {"honest"}


def test_levers_are_set_and_follow_code(oracle, panel):
    panel.levers["oracle.liars"].value = 2
    assert oracle.liars == 2
    assert panel.run.scores["kind"].to_list()[:3] == ["lying", "lying", "honest"]
    oracle.set({"liars": 4})
    assert panel.levers["oracle.liars"].value == 4
    assert panel.run.scores.filter(kind="lying").height == 4
    panel.reset.click()
    assert oracle.liars == 0


def test_fewer_providers_leave_fewer_to_choose(oracle, panel):
    panel.chosen.value = (3, 12)
    panel.levers["oracle.providers"].value = 7
    assert len(panel.chosen.options) == 7
    assert panel.chosen.value == (3,)
    assert panel.run.scores.height == 7


def test_what_is_refused_is_told_and_taken_back(oracle, panel):
    press(panel, "bribe", [12])
    shown = panel.picture.value
    panel.levers["oracle.providers"].value = 10
    assert 'role="alert"' in panel.told.value
    assert "provider 12 is bribed" in panel.told.value
    assert oracle.providers == panel.levers["oracle.providers"].value == 15
    assert panel.picture.value == shown


def test_what_code_refuses_itself_is_told_and_left(oracle, panel):
    press(panel, "bribe", [12])
    oracle.set({"providers": 10})
    assert "provider 12 is bribed" in panel.told.value
    assert oracle.providers == 10
    press(panel, "mend")
    assert panel.run.scores.height == 10


def test_the_toggle_turns_all_labels_thai_and_leaves_the_session_alone(panel):
    panel.chosen.value, panel.kind.value = (2,), "silent"
    run = panel.run
    panel.language.value = "th"
    assert panel.buttons["bribe"].description == "ติดสินบน"
    assert (panel.chosen.value, panel.kind.value) == ((2,), "silent")
    assert panel.run is run
    assert panel.feed == "price/wholesale"
    assert "ราคาขายส่ง: ประเทศไทย" in panel.picture.value
    panel.buttons["bribe"].click()
    assert "นับจากนี้ เงียบ: ผู้ให้ข้อมูล 2" in panel.told.value
    assert gl.config().language == "en"


def test_a_closed_panel_is_forgotten(oracle):
    panel = oracle.controls()
    run = panel.run
    panel.close()
    oracle.set({"liars": 1})
    assert panel.run is run


def test_every_kind_can_be_paid_for_and_a_world_of_ones_own_is_watched(oracle):
    own = pl.DataFrame({"slot": gl.calendar.slots("2026-04-20", hours=24), "value": [31.0] * 96})
    panel = oracle.controls(feeds=gl.Feeds(1).replace("fx/USDTHB", own), feed="fx/USDTHB")
    assert [value for _, value in panel.kind.options] == list(KINDS)
    assert set(panel.run.truth["value"]) == {310_000}
    press(panel, "day")
    assert "fx/USDTHB" in panel.told.value  # the series has no second day
    assert "20 April 2026" in panel.picture.value
    panel.language.value = "th"
    assert "20 เมษายน 2569" in panel.picture.value
    panel.close()


def test_the_figure_has_no_ids_and_a_fixed_height(panel):
    assert " id=" not in panel.picture.value
    assert panel.picture.layout.height.endswith("px")
    assert "gridlab-figure" in panel.picture._dom_classes


def test_wrong_arguments_are_refused(oracle):
    with pytest.raises(ArgumentTypeError, match="expected an Oracle"):
        oracle_controls("oracle")
    with pytest.raises(ArgumentTypeError, match="allowed: Feeds"):
        oracle.controls(feeds="sun")
    with pytest.raises(ArgumentError, match="there is no feed"):
        oracle.controls(feed="price/retail")
