"""What voters show in a notebook: populations, outcomes, patterns and power, in both languages."""

from __future__ import annotations

import re

import holoviews as hv
import polars as pl
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.governance import voters
from gridlab.governance.voters import GROUPS, Voters, patterns
from gridlab.ui import palette
from gridlab.ui.governance_words import VOTER_GROUPS
from gridlab.ui.voter_plots import VoterPlots

THAI = re.compile(r"[\u0e00-\u0e7f]")
SMALL = {"household.members": 400, "prosumer.members": 200, "apathetic.members": 200}
EFFECTS = {"prosumer": 100.0, "utility": -300_000.0}


@pytest.fixture(scope="module")
def population():
    return Voters().set(SMALL)


@pytest.fixture(scope="module")
def outcomes(population):
    track = gl.Governance().rules()["parameter"]
    people = voters.sample(0, terms=population)
    return {
        name: voters.outcome(effects, track, 40, population=people, terms=population)
        for name, effects in {"<cheaper>": EFFECTS, "dearer": {"prosumer": -100.0, "utility": 300_000.0}}.items()
    }


def pictures(population, outcomes):
    plot = population.plot
    yield plot.outcomes(outcomes["dearer"]), "number of votes"
    yield plot.groups(EFFECTS, 12), "group"
    yield plot.patterns(EFFECTS), "share (%)"
    yield plot.rates(outcomes), "proposal"
    yield plot.power(), "share of all they hold (%)"


def test_every_group_has_a_word_and_an_ink():
    assert set(VOTER_GROUPS) == set(palette.VOTERS) == set(GROUPS)


def test_every_picture_renders_with_title_and_axis(population, outcomes):
    for element, label in pictures(population, outcomes):
        figure = hv.render(element, backend="bokeh")
        assert figure.yaxis[0].axis_label == label
        assert figure.title.text
        assert figure.select(GlyphRenderer)


def test_pictures_speak_thai(population, outcomes):
    gl.config(language="th")
    for element, _ in pictures(population, outcomes):
        figure = hv.render(element, backend="bokeh")
        assert all(THAI.search(said) for said in (figure.title.text, figure.yaxis[0].axis_label))


def test_the_histogram_holds_every_vote_once(population, outcomes):
    frame = outcomes["dearer"]
    bars = {part.label: part.dimension_values("count").sum() for part in population.plot.outcomes(frame)}
    passed = int(frame["passed"].sum())
    assert bars == {f"passed: {passed}": passed, f"not passed: {frame.height - passed}": frame.height - passed}


def test_marks_of_a_group_are_its_ayes_by_seed(population):
    people = voters.sample(0, terms=population)
    expected = []
    for seed in range(5):
        table = patterns(people, voters.ballots(EFFECTS, seed, population=people, terms=population))
        expected.append(100 * table.filter(pl.col("group") == "prosumer")["aye"].item())
    row = GROUPS[::-1].index("prosumer")
    marks = [part for part in population.plot.groups(EFFECTS, 5) if isinstance(part, hv.Points)]
    drawn = marks[row].dimension_values(0).tolist()
    assert drawn == pytest.approx(expected)


def test_patterns_and_rates_are_those_of_the_measures(population, outcomes):
    people = voters.sample(0, terms=population)
    table = patterns(people, voters.ballots(EFFECTS, 0, population=people, terms=population))
    bars = population.plot.patterns(EFFECTS)
    weights = bars.select(measure="share of votes cast").dimension_values("share")
    assert weights.tolist() == pytest.approx((100 * table["weight"]).to_list())
    _, points = population.plot.rates(outcomes)
    rates = voters.success_rates(outcomes).reverse()["rate"]
    assert points.dimension_values(0).tolist() == pytest.approx((100 * rates).to_list())


def test_coefficients_in_the_legend_are_those_of_the_measures(population):
    table = voters.concentration(voters.sample(0, terms=population))
    balance = table.row(0, named=True)
    first = next(iter(population.plot.power()))
    assert f"Gini {balance['gini']:.3f}, {balance['nakamoto_half']} hold more than half" in first.label


def test_summaries_are_static_escaped_and_in_both_languages(population, outcomes):
    shown = voters.show_outcomes(outcomes)
    for each in (population, shown):
        english = each._repr_html_()
        assert english == each._repr_html_()
        assert not re.search(r"<script|\bid=", english)
        gl.config(language="th")
        assert THAI.search(each._repr_html_())
        gl.config(language="en")
    html, passed = shown._repr_html_(), int(outcomes["<cheaper>"]["passed"].sum())
    assert "&lt;cheaper&gt;" in html
    assert f"{100 * passed / 40:.1f} %" in html
    assert " h</td>" in html  # a decision within hours is not told in tenths of a day
    assert f"<cheaper> {passed}/40" in repr(shown)
    assert shown.rates.equals(voters.success_rates(outcomes))
    assert ">400<" in population._repr_html_()


def test_what_is_no_outcome_is_refused(population, outcomes):
    with pytest.raises(GovernanceError, match="no frame of outcomes"):
        population.plot.outcomes(pl.DataFrame({"seed": [1]}))
    with pytest.raises(GovernanceError, match="is empty"):
        population.plot.outcomes(outcomes["dearer"].head(0))
    with pytest.raises(ArgumentTypeError, match="outcomes is a list"):
        population.plot.outcomes([1])
    with pytest.raises(ArgumentTypeError, match="outcomes is a DataFrame"):
        voters.show_outcomes(outcomes["dearer"])
    with pytest.raises(GovernanceError, match="nothing to draw"):
        population.plot.rates({})
    with pytest.raises(gl.errors.ArgumentError, match="votes"):
        population.plot.groups(EFFECTS, 0)
    with pytest.raises(ArgumentTypeError, match="expected Voters"):
        VoterPlots("voters")
    assert all(f".{kind}()" in repr(population.plot) for kind in ("outcomes", "groups", "patterns", "rates", "power"))
