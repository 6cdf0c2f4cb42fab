"""Live controls: one truth, seen from the widgets and from code."""

from __future__ import annotations

import ipywidgets as widgets
import pytest

import gridlab as gl
from gridlab.errors import ArgumentTypeError, GridlabError, LeverError
from gridlab.levers import ChoiceLever, Levers, NumberLever, SwitchLever, number, switch
from gridlab.ui.controls import CONTINUOUS_UP_TO
from gridlab.ui.lever_widgets import lever_widget, read
from gridlab.ui.words import HEADLINES, figure

STAMP = "market.wheeling.postage_stamp"
WIDGETS = {NumberLever: widgets.FloatSlider, ChoiceLever: widgets.Dropdown, SwitchLever: widgets.Checkbox}


@pytest.fixture
def panel(lab):
    made = lab.controls()
    yield made
    made.close()


def test_every_lever_has_the_widget_of_its_kind_at_its_value(lab, panel):
    assert list(panel.levers) == lab.levers()["path"].to_list()
    for path, _, lever in lab.lever_paths():
        widget = panel.levers[path]
        assert isinstance(widget, WIDGETS[type(lever)])
        assert widget.value == lab.get(path)
        assert lever.info.label in widget.description
        assert lever.info.source in widget.tooltip
        assert lever.info.governed_by in widget.tooltip


def test_sliders_have_the_bounds_steps_and_units_of_their_levers(lab, panel):
    for row in lab.levers().drop_nulls("low").to_dicts():
        slider = panel.levers[row["path"]]
        assert (slider.min, slider.max, slider.step) == (row["low"], row["high"], row["step"])
        assert not row["unit"] or f"({row['unit']})" in slider.description.replace("₂", "2")


def test_moving_a_widget_sets_the_lab_and_redraws(lab, panel):
    before = panel.figure.picture.value
    panel.levers[STAMP].value = 0.5
    assert lab.get(STAMP) == 0.5
    assert panel.figure.picture.value != before
    assert panel.error.value == ""


def test_choosing_sets_the_lab(lab, panel):
    panel.levers["market.wheeling.scheme"].value = "distance_ladder"
    assert lab.get("market.wheeling.scheme") == "distance_ladder"


def test_a_slider_value_between_two_steps_is_taken_to_the_nearest(lab, panel):
    panel.levers["market.wheeling.same_transformer"].value = 0.1 + 0.2
    assert lab.get("market.wheeling.same_transformer") == 0.3
    panel.levers[STAMP].value = 0.49996
    assert (lab.get(STAMP), panel.levers[STAMP].value) == (0.5, 0.5)


def test_a_refused_value_is_told_and_both_stay_where_they_were(lab, panel):
    before = panel.figure.picture.value
    panel.levers["market.price_floor"].value = 7.0
    assert "above price_cap" in panel.error.value
    assert "nothing was changed" in panel.error.value
    assert lab.get("market.price_floor") == panel.levers["market.price_floor"].value == 0.0
    assert panel.figure.picture.value == before
    panel.levers["market.price_floor"].value = 1.0
    assert panel.error.value == ""


def test_a_day_that_cannot_be_computed_takes_the_lever_back(lab, panel, monkeypatch):
    whole = type(lab).day

    def refuse(self, **options):
        if self.get(STAMP) > 4:
            raise LeverError("no day <b>like</b> that")
        return whole(self, **options)

    monkeypatch.setattr(type(lab), "day", refuse)
    panel.levers[STAMP].value = 4.5
    assert lab.get(STAMP) == panel.levers[STAMP].value == 1.07
    assert "no day &lt;b&gt;like&lt;/b&gt; that" in panel.error.value
    lab.set({STAMP: 4.2})  # what code sets stays, and is told
    assert lab.get(STAMP) == panel.levers[STAMP].value == 4.2
    assert "no day" in panel.error.value


def test_setting_a_lever_in_code_moves_its_widget_and_redraws_without_a_loop(lab, panel, monkeypatch):
    drawn = []
    monkeypatch.setattr(panel.figure, "draw", lambda: drawn.append(1))
    lab.set({STAMP: 0.8, "market.wheeling.losses": 3.0})
    assert (panel.levers[STAMP].value, panel.levers["market.wheeling.losses"].value) == (0.8, 3.0)
    assert len(drawn) == 1
    lab.set({STAMP: 0.9, "agents.pv_share": 50.0, "carbon.grid_factor": 0.5})
    assert panel.levers["agents.pv_share"].value == 50.0
    assert len(drawn) == 4  # once for each of the three parts that own them


def test_a_widget_move_draws_once(panel, monkeypatch):
    drawn = []
    monkeypatch.setattr(panel.figure, "draw", lambda: drawn.append(1))
    panel.levers[STAMP].value = 0.8
    assert len(drawn) == 1


def test_reset_goes_back_to_the_values_at_the_start(lab):
    lab.set({STAMP: 0.6, "market.rule": "pay_as_bid"})
    panel = lab.controls()
    start, picture = lab.lever_values(), panel.figure.picture.value
    panel.levers[STAMP].value = 2.0
    panel.levers["market.rule"].value = "uniform"
    panel.levers["agents.load_level"].value = 150.0
    panel.reset.click()
    assert lab.lever_values() == start
    assert panel.levers[STAMP].value == 0.6
    assert panel.figure.picture.value == picture
    assert "value it had when these controls were made" in panel.reset.tooltip


def test_the_toggle_turns_all_labels_thai_and_leaves_session_and_lab_alone(lab, panel):
    before = lab.lever_values()
    panel.language.value = "th"
    assert panel.levers[STAMP].description == "ค่าผ่านสายส่งอัตราเดียว (บาท/หน่วย)"
    assert panel.levers["market.rule"].options[0] == ("ราคาเดียว", "uniform")
    assert "กลับ" in panel.reset.description
    assert "อุปสงค์และอุปทาน" in panel.figure.picture.value
    assert lab.lever_values() == before
    assert gl.config().language == "en"
    panel.levers[STAMP].value = 0.7
    panel.figure.slot.index = 50
    assert "อุปสงค์และอุปทาน" in panel.figure.picture.value
    panel.language.value = "en"
    assert "Supply and demand" in panel.figure.picture.value


@pytest.mark.usefixtures("thai")
def test_controls_made_in_a_thai_session_are_thai(panel):
    assert panel.language.value == "th"
    assert "ค่าผ่านสายส่ง" in panel.levers[STAMP].description


def test_slot_and_zone_choose_the_book_without_computing_the_day_again(panel, monkeypatch):
    monkeypatch.setattr(panel.figure, "compute", lambda: pytest.fail("the day was computed again"))
    panel.figure.slot.value = "10:15"
    panel.figure.zone.value = "NEC"
    assert "North-East, 6 May 2026 10:15" in panel.figure.picture.value


def test_the_figure_shows_the_headlines_and_keeps_its_height(lab, panel):
    picture = panel.figure.picture
    assert "gridlab-figure" in picture._dom_classes
    kpis = dict(zip(*lab.preview().select("kpi", "value"), strict=True))
    assert all(str(figure(name).label) in picture.value for name in HEADLINES)
    assert f"+{kpis['savings']:,.2f} THB" in picture.value
    assert picture.layout.height.endswith("px")
    assert picture.value.count("<svg") == 2
    assert " id=" not in picture.value


def test_the_figure_of_a_lab_where_nothing_trades(panel):
    panel.levers["agents.pv_share"].value = 0.0
    assert "no trade" in panel.figure.picture.value
    assert panel.error.value == ""


@pytest.mark.parametrize(("prosumers", "continuous"), [(CONTINUOUS_UP_TO, True), (CONTINUOUS_UP_TO + 1, False)])
def test_sliders_follow_while_dragged_only_in_labs_small_enough(prosumers, continuous):
    panel = gl.Lab.thailand(prosumers=prosumers).controls()
    assert panel.levers[STAMP].continuous_update is continuous
    panel.close()


def test_closed_controls_no_longer_follow_the_lab(lab):
    panel = lab.controls()
    panel.close()
    lab.set({STAMP: 0.8})
    assert panel.levers[STAMP].value == 1.07


def test_two_panels_of_one_lab_agree(lab):
    one, other = lab.controls(), lab.controls()
    one.levers[STAMP].value = 0.4
    assert other.levers[STAMP].value == 0.4
    assert other.figure.picture.value == one.figure.picture.value


def declared(lever, name):
    owner = type("Owner", (Levers,), {name: lever})()
    return owner.param[name]


WORDS = {"label": "x", "label_th": "ก", "source": "s", "governed_by": "g"}


def test_switches_become_check_boxes_and_read_back():
    lever = declared(switch(default=True, **WORDS), "on")
    box = lever_widget(lever, True, continuous=True)
    assert isinstance(box, widgets.Checkbox)
    box.value = False
    assert read(box, lever) is False


@pytest.mark.parametrize(("shown", "taken"), [(0.30000000000000004, 0.3), (0.2999, 0.3), (-1.0, -1.0), (4.99951, 5.0)])
def test_widget_values_are_read_on_the_steps_of_the_lever(shown, taken):
    lever = declared(number(0.0, -1.0, 5.0, 0.001, unit="kWh", **WORDS), "amount")
    slider = lever_widget(lever, 0.0, continuous=True)
    slider.value = shown
    assert read(slider, lever) == taken


def test_a_lever_of_an_unknown_kind_is_refused():
    with pytest.raises(ArgumentTypeError, match="no widget is known"):
        lever_widget(object(), 1, continuous=True)


def test_only_labs_have_controls():
    from gridlab.ui.controls import controls

    with pytest.raises(GridlabError, match="expected a Lab"):
        controls("lab")
