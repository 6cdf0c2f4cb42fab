"""What the GRID economy shows in a notebook: summary, bands and controls, in both languages."""

from __future__ import annotations

import re

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.chain.staking import StakingTerms
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.governance.economics import GridEconomics, simulate
from gridlab.ui import words
from gridlab.ui.band_picture import band_picture
from gridlab.ui.economics_controls import economics_controls
from gridlab.ui.economics_plots import EconomicsPlots
from gridlab.ui.governance_words import ECONOMY

THAI = re.compile(r"[\u0e00-\u0e7f]")
PICTURES = {
    "supply": "supply (million GRID)",
    "staked_share": "staked share (%)",
    "treasury": "treasury (million GRID)",
    "bands": "supply (million GRID)",
    "ends": "number of paths",
}
SHORT = {"years": 1, "paths": 20}


@pytest.fixture(scope="module")
def run():
    return simulate(years=2, paths=40, seed=3)


@pytest.fixture
def terms():
    return GridEconomics()


@pytest.fixture
def panel(terms):
    made = terms.controls(**SHORT)
    yield made
    made.close()


def test_every_figure_and_unit_has_a_word(run):
    assert run.bands()["figure"].unique(maintain_order=True).to_list() == list(ECONOMY)
    for levers in (GridEconomics(), StakingTerms(), gl.Governance()):
        assert set(levers.levers()["unit"]) - {""} <= set(words.UNITS)


def test_a_run_is_shown_in_both_languages(run):
    html = run._repr_html_()
    assert html == run._repr_html_()
    assert not re.search(r"<script|\bid=", html)
    assert html.count("<svg") == 3
    median = run.kpis().filter(kpi="issuance")["value"].item()
    assert f"{median / 1e6:,.2f}" in html
    gl.config(language="th")
    assert "เศรษฐกิจของ GRID" in run._repr_html_()


def test_every_picture_renders_with_title_and_unit(run):
    for kind, label in PICTURES.items():
        figure = hv.render(getattr(run.plot, kind)(), backend="bokeh")
        assert figure.yaxis[0].axis_label == label
        assert figure.title.text
        assert figure.select(GlyphRenderer)
    gl.config(language="th")
    for kind in PICTURES:
        figure = hv.render(getattr(run.plot, kind)(), backend="bokeh")
        assert all(THAI.search(said) for said in (figure.title.text, figure.yaxis[0].axis_label))


def test_bands_are_those_of_the_run(run):
    outer, inner, middle = run.plot.bands("burnt")
    rows = run.bands().filter(figure="burnt")
    assert outer.dimension_values(1).tolist() == (rows["p5"].to_numpy() / 1e6).tolist()
    assert inner.dimension_values(2).tolist() == (rows["p75"].to_numpy() / 1e6).tolist()
    assert middle.dimension_values(1).tolist() == (rows["p50"].to_numpy() / 1e6).tolist()


def test_ends_hold_every_path_once(run):
    bars, line = run.plot.ends("staked_share")
    assert bars.dimension_values(1).sum() == run.paths.height
    assert line.dimension_values(0)[0] == pytest.approx(np.median(run.paths["staked_share"]))


def test_the_static_bands_end_where_the_years_end(run):
    picture = band_picture(run.bands(), "staked_share")
    assert picture == band_picture(run.bands(), "staked_share")
    assert picture.count("<polygon") == 2
    assert ">2.0<" in picture or ">2<" in picture


def test_a_figure_that_is_none_is_refused(run):
    with pytest.raises(ArgumentError, match="no figure 'tresury'"):
        run.plot.bands("tresury")
    with pytest.raises(ArgumentTypeError, match="figure is a int"):
        run.plot.ends(3)
    with pytest.raises(ArgumentTypeError, match="expected an EconomicsRun"):
        EconomicsPlots("run")
    assert all(f".{kind}()" in repr(run.plot) for kind in PICTURES)


def test_a_moved_widget_moves_the_lever_and_the_bands(terms, panel):
    before = panel.picture.value
    panel.levers["economy.burn"].value = 50.0
    assert terms.burn == 50.0
    assert panel.picture.value != before
    assert np.array_equal(panel.run.figures, simulate(terms=terms, **SHORT).figures)
    panel.levers["staking.treasury_share"].value = 60.0
    assert panel.staking.treasury_share == 60.0
    panel.reset.click()
    assert (terms.burn, panel.staking.treasury_share) == (1.0, 15.0)
    assert panel.picture.value == before


def test_a_refusal_is_told_and_the_widget_goes_back(terms, panel):
    before = panel.picture.value
    panel.levers["economy.vesting"].value = 90.0
    assert 'role="alert"' in panel.told.value
    assert "more than all GRID" in panel.told.value
    assert (terms.vesting, panel.levers["economy.vesting"].value) == (20.0, 20.0)
    assert panel.picture.value == before
    panel.levers["economy.burn"].value = 2.0
    assert panel.told.value == ""


def test_what_code_sets_is_followed_until_the_controls_are_closed(terms):
    panel = terms.controls(**SHORT)
    before = panel.picture.value
    terms.set({"spending": 90.0})
    assert panel.levers["economy.spending"].value == 90.0
    assert panel.picture.value != before
    panel.close()
    shown = panel.picture.value
    terms.set({"spending": 10.0})
    assert panel.picture.value == shown


def test_other_figures_can_be_drawn_and_the_toggle_turns_all_thai(panel):
    panel.figures.value = ("burnt",)
    assert panel.picture.value.count("<svg") == 1
    assert "burnt so far (million GRID)" in panel.picture.value
    panel.language.value = "th"
    assert panel.figures.value == ("burnt",)
    assert "ถูกทำลายสะสม (ล้าน GRID)" in panel.picture.value
    assert THAI.search(panel.levers["economy.burn"].description)
    assert panel.reset.description == "กลับสู่ค่าเริ่มต้น"
    assert gl.config().language == "en"


def test_arguments_are_checked(terms):
    with pytest.raises(ArgumentTypeError, match="expected GridEconomics"):
        economics_controls("terms")
    with pytest.raises(ArgumentTypeError, match="staking is a str"):
        terms.controls(staking="much")
    with pytest.raises(ArgumentError, match="paths"):
        terms.controls(paths=0)
