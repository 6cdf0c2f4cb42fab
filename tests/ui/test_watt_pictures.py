"""What a run on WATT and a holder's check show in a notebook: summaries, pictures and controls, in both languages."""

from __future__ import annotations

import re

import holoviews as hv
import polars as pl
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.chain import keys
from gridlab.errors import ArgumentTypeError
from gridlab.stablecoin import HolderTerms, LiabilityTree, WattTerms, judge_holding
from gridlab.stablecoin.run import compare_rules
from gridlab.stablecoin.run import run as run_on
from gridlab.ui.watt_controls import watt_controls
from gridlab.ui.watt_pictures import funds_picture, ratio_picture
from gridlab.ui.watt_plots import WattPlots

KINDS = {
    "queue": "(million WATT)", "reserve": "million THB", "circulation": "(million WATT)", "funds": "(million THB)",
    "coverage": "(THB/WATT)", "price": "(THB/WATT)", "losses": "(million THB)", "order": "(%)",
    "advantage": "percentage points",
}  # fmt: skip
SMALL = {"holders": 300, "hours": 24, "seed": 1}
TERMS = {"gap_rule": "haircut", "attestation_hours": 1.0, "pause_below": 95.0, "pause_hours": 2.0}


@pytest.fixture(scope="module")
def run():
    return run_on(WattTerms(**TERMS), **SMALL)


@pytest.fixture
def panel(run):
    made = run.controls()
    yield made
    made.close()


@pytest.fixture(scope="module")
def judged():
    people = [keys.sandbox(0, name).public_key for name in ("Anong", "Boon", "Chai")]
    frame = pl.DataFrame({"public_key": people, "balance": [70_000_000, 20_000_000, 10_000_000]})
    tree, issuer = LiabilityTree.of(frame, secret=bytes(32)), keys.sandbox(0, "issuer")
    statement, proof = tree.sign(issuer, "<chain>", 7).to_bytes(), tree.prove(people[1]).to_bytes()
    known = {"issuer": issuer.public_key, "chain_id": "<chain>", "height": 7, "public_key": people[1]}

    def judge(balance=20_000_000, proof=proof, statement=statement):
        return judge_holding(proof, statement, **known, balance=balance)

    return judge


def drawn(element):
    return hv.render(element, backend="bokeh")


def thai(words):
    return any("\u0e00" <= letter <= "\u0e7f" for letter in words)


def test_every_picture_renders_with_title_and_unit(run):
    for kind, label in KINDS.items():
        figure = drawn(getattr(run.plot, kind)())
        assert label in figure.yaxis[0].axis_label
        assert figure.xaxis[0].axis_label
        assert figure.title.text
        assert figure.select(GlyphRenderer)


def test_pictures_speak_thai(run):
    gl.config(language="th")
    for kind in KINDS:
        figure = drawn(getattr(run.plot, kind)())
        assert all(map(thai, (figure.title.text, figure.yaxis[0].axis_label, figure.xaxis[0].axis_label)))


def test_lines_are_the_runs_own_figures(run):
    lines = {part.label: part for part in run.plot.reserve()}
    assert lines["baht in reserve"].dimension_values("amount").tolist() == (run.slots["reserve"] / 1e12).to_list()
    paid = next(part for part in run.plot.queue() if part.label == "redeemed so far")
    assert paid.dimension_values("amount")[-1] * 1e12 == pytest.approx(run.slots["burned"].sum())
    price = next(part for part in run.plot.price() if part.label == "price in the secondary market")
    assert price.dimension_values("ratio").min() == run.slots["price"].min() / 1e6


def test_cash_and_bonds_together_are_the_reserve(run):
    areas = [part for part in run.plot.funds() if isinstance(part, hv.Area)]
    assert areas[-1].dimension_values("top").tolist() == pytest.approx((run.slots["reserve"] / 1e12).to_list())


def test_losses_are_written_at_the_bars(run):
    written = next(part for part in run.plot.losses() if isinstance(part, hv.Labels))
    rows = run.groups.select("loss", "recovered").rows()
    expected = [f"{loss / 1e12:.2f}  ({100 * share:.1f} %)" for loss, share in rows]
    assert written.dimension_values("told").tolist() == expected


def test_the_advantage_is_that_of_compare_rules_with_the_runs_own_levers(run):
    points = next(part for part in run.plot.advantage(seeds=2) if isinstance(part, hv.Points))
    frame = compare_rules(run.watt, run.holders.terms, seeds=2, holders=300, circulation=run.circulation, hours=24)
    assert points.dimension_values("advantage").tolist() == (100 * frame["advantage"]).to_list()


def test_bad_news_is_marked_where_it_comes_within_the_run(run):
    assert "bad news" in [part.label for part in run.plot.queue()]
    calm = run_on(terms=HolderTerms(shock_hour=48.0), holders=100, hours=2)
    assert "bad news" not in [part.label for part in calm.plot.queue()]
    assert "bad news" not in funds_picture(calm)


def test_pauses_are_shaded(run):
    assert run.slots["paused"].any()
    assert ">paused<" in funds_picture(run)
    assert ">paused<" not in ratio_picture(run_on(holders=100, hours=2))


def test_a_run_of_one_slot_is_drawn():
    short = run_on(holders=50, hours=0.25)
    assert drawn(short.plot.queue()).title.text
    assert "nan" not in short._repr_html_()


def test_summaries_are_static_and_in_both_languages(run, judged):
    for shown in (run, judged(), judged(1)):
        english = shown._repr_html_()
        assert english == shown._repr_html_()
        assert not re.search(r"<script|\bid=", english)
        assert not thai(english)
        gl.config(language="th")
        assert thai(shown._repr_html_())
        gl.config(language="en")


def test_a_run_says_who_asked_and_what_was_lost(run):
    html = run._repr_html_()
    assert f"{run.people['place'].count()} / 300" in html
    assert f"{run.people['loss'].sum() / 1e12:.2f} million THB" in html
    assert f"{100 * run.first_mover_advantage:.1f} points".replace("-", "−") in html
    assert "haircut: same share for all" in html


def test_a_holding_shows_the_sums_up_to_the_total(judged):
    html = judged()._repr_html_()
    assert "✓ Your WATT are in the total" in html
    assert html.count("100.000000 WATT") == 2  # what the issuer says, and what the path adds up to
    assert "block 7 of &lt;chain&gt;" in html


def test_a_wrong_or_damaged_proof_says_why_it_does_not_hold(judged):
    html = judged(25_000_000)._repr_html_()
    assert "⚠ The proof does not hold" in html
    assert "the proof is for 20000000 micro-THB, yours are 25000000" in html
    damaged = judged(proof=b"x")._repr_html_()
    assert "the bytes do not read" in damaged
    assert "Sum so far" not in damaged
    assert "Root" not in judged(statement=b"")._repr_html_()


def test_controls_move_levers_of_their_own(run, panel):
    panel.levers["issuer.gap_rule"].value = "par"
    assert panel.watt.gap_rule == "par"
    assert run.watt.gap_rule == "haircut"
    assert panel.run.watt.gap_rule == "par"
    again = run_on(WattTerms(**(TERMS | {"gap_rule": "par"})), **SMALL)
    assert panel.run.slots.equals(again.slots)
    assert f"{100 * again.first_mover_advantage:.1f} points" in panel.picture.value


def test_a_run_made_by_controls_keeps_its_levers(panel):
    panel.levers["holders.shock_hour"].value = 2.0
    made = panel.run
    panel.levers["holders.shock_hour"].value = 3.0
    assert made.holders.terms.shock_hour == 2.0


def test_controls_begin_where_the_run_stands_and_go_back(run, panel):
    assert panel.run.slots.equals(run.slots)
    before = panel.picture.value
    panel.levers["holders.news"].value = 0.0
    panel.levers["issuer.cash_share"].value = 100.0
    assert panel.picture.value != before
    panel.reset.click()
    assert panel.picture.value == before


def test_levers_set_by_code_move_their_widgets(panel):
    panel.watt.set({"gate": 5.0})
    assert panel.levers["issuer.gate"].value == 5.0
    assert panel.run.watt.gate == 5.0


def test_controls_speak_thai_alone(panel):
    panel.language.value = "th"
    assert panel.levers["issuer.gap_rule"].description == "กติกาการจ่ายเมื่อเงินสำรองขาด"
    assert ("หยุดจ่ายจนกว่าจะครบ", "stop") in panel.levers["issuer.gap_rule"].options
    assert "ครัวเรือน" in panel.picture.value
    assert gl.config().language == "en"


def test_only_runs_on_watt_have_these():
    with pytest.raises(ArgumentTypeError, match="expected a WattRun"):
        watt_controls("run")
    with pytest.raises(ArgumentTypeError, match="expected a WattRun"):
        WattPlots("run")


def test_the_accessor_lists_its_kinds(run):
    assert all(f".{kind}()" in repr(run.plot) for kind in KINDS)
