"""What governance shows in a notebook: summaries and pictures of rules, assemblies and chains, in both languages."""

from __future__ import annotations

import re

import holoviews as hv
import numpy as np
import polars as pl
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.chain import keys
from gridlab.chain.public import PublicChain, PublicTerms
from gridlab.chain.staking import gini_coefficient, nakamoto_coefficient
from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.governance.actions import TRACKS, Emergency, ProtocolUpgrade, SetLevers, Spend
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot
from gridlab.governance.governance import Governance
from gridlab.governance.kinds import proposal_form, vote_form
from gridlab.governance.pallet import GovernancePallet, governance_part
from gridlab.governance.referenda import ENDS
from gridlab.governance.track_terms import MINUTE
from gridlab.ui import governance_words
from gridlab.ui.concentration_plots import lorenz, lorenz_curves
from gridlab.ui.delegation_picture import MOST_SHOWN, delegation_picture
from gridlab.ui.governance_plots import AssemblyPlots, GovernancePlots
from gridlab.ui.governance_words import action_words, conviction_words, grid_text
from gridlab.ui.referendum_picture import curves_picture, referendum_picture
from gridlab.ui.referendum_view import asked_of, course_of

GRID = 1_000_000
THAI = re.compile(r"[\u0e00-\u0e7f]")
HELD = {"Ana": 60_000, "<Bun>": 40_000, "Chai": 25_000, "Dao": 5_000, "Coop": 30_000}
PICTURES = {
    "referendum": "share (%)",
    "tallies": None,
    "locks": None,
    "curves": "share (%)",
    "power": "share of all they hold (%)",
}


def levers():
    return pl.DataFrame(
        {
            "path": ["market.fee", "market.rule"],
            "low": [0.0, None],
            "high": [2.0, None],
            "step": [0.001, None],
            "choices": [None, ["uniform", "pay_as_bid"]],
            "governed_by": ["operator"] * 2,
        }
    )


def new_assembly():
    return Assembly({name: grid * GRID for name, grid in HELD.items()}, levers=levers(), treasury=5_000 * GRID)


@pytest.fixture(scope="module")
def voted():
    """One referendum approved and enacted, one in the middle of being decided, and two delegations."""
    made = new_assembly()
    made.delegate("Chai", "parameter", "Coop", 20_000 * GRID, 1)
    made.delegate("Dao", "parameter", "Coop", 4_000 * GRID, 2)
    made.propose("Ana", {"market.fee": 0.5})
    made.place_deposit("Ana", 0)
    made.advance(15)
    made.vote("Ana", 0, Ballot.for_it(20_000 * GRID, 2))
    made.advance(20)
    made.vote("<Bun>", 0, Ballot.against(35_000 * GRID, 1))
    made.advance(10)
    made.vote("Coop", 0, Ballot.for_it(25_000 * GRID, 3))
    made.advance(20)
    made.propose("<Bun>", made.spend({"Dao": 500 * GRID}))
    made.place_deposit("<Bun>", 1)
    made.advance(25)
    made.vote("<Bun>", 1, Ballot.split(aye=1_000 * GRID, nay=3_000 * GRID, abstain=500 * GRID))
    made.advance(3)
    return made


@pytest.fixture(scope="module")
def part():
    pallet = GovernancePallet(Governance(), levers())
    pair = keys.sandbox(0, "ana")
    frame = pl.DataFrame({"public_key": [pair.public_key], "balance": [900 * GRID], "role": ["user"]})
    chain = PublicChain(frame, terms=PublicTerms(validators=4), pallets=[pallet])
    chain.send(pair, "propose", proposal_form(pallet.table.action({"market.fee": 0.25})))
    chain.run(6)
    chain.send(pair, "vote", vote_form(0, Ballot.for_it(300 * GRID, 2)))
    chain.run(6)
    return chain, governance_part(chain.state)


def drawn(element):
    return hv.render(element, backend="bokeh")


# Summaries


def test_summaries_are_static_escaped_and_in_both_languages(voted, part):
    for shown in (voted, Governance(), part[1]):
        english = shown._repr_html_()
        assert english == shown._repr_html_()
        assert not re.search(r"<script|\bid=", english)
        gl.config(language="th")
        assert THAI.search(shown._repr_html_())
        gl.config(language="en")
    assert "&lt;Bun&gt;" in voted._repr_html_()
    assert "<Bun>" not in voted._repr_html_()


def test_an_assembly_shows_tallies_status_and_shares(voted):
    html = voted._repr_html_()
    tally = voted.tally(0)
    approval = 100 * tally.ayes / (tally.ayes + tally.nays)
    support = 100 * tally.support / voted.electorate
    for words in ("approved, enacted", "being decided", "set market.fee = 0.5", "pay 500 GRID to Dao"):
        assert words in html
    assert f"{approval:.1f} %" in html
    assert f"{support:.1f} %" in html
    assert "Delegations on the track: levers" in html
    assert "160,000 GRID" in html
    assert "Nothing was proposed yet." in new_assembly()._repr_html_()


def test_the_rules_show_every_track_and_the_agenda():
    governance = gl.Governance()
    assert "The agenda is empty" in governance._repr_html_()
    number = governance.propose(Spend.to(7, 5 * GRID), by="<PEA>", at="08:00")
    governance.vote(number, "<PEA>", 1000, at="08:30", conviction=2)
    governance.agenda.split(number, "MEA", aye=1, nay=2, abstain=3, at="08:40")
    governance.delegate("EGAT", "MEA", 5, track="treasury", at="07:00")
    governance.agenda.undelegate("EGAT", track="treasury", at="09:00")
    governance.agenda.cancel(number, at="10:00")
    html = governance._repr_html_()
    assert all(word in html for word in ("levers", "treasury", "new rules", "emergency", "&lt;PEA&gt;"))
    assert "pay 5 GRID to account 7" in html
    assert "#0 aye 1,000 GRID · 2×" in html
    assert "split: aye 1 GRID, nay 2 GRID, abstain 3 GRID" in html
    assert "5 GRID · 1× → MEA (treasury)" in html
    assert html.index("07:00") < html.index("08:00") < html.index("10:00")
    governance.set({"treasury.decision": 77})
    assert "77 min" in governance._repr_html_()


def test_a_long_agenda_and_many_referenda_are_cut_and_counted():
    governance = Governance()
    for minute in range(30):
        governance.propose(Spend.to(7, 1), at=minute, deposit=False)
    assert "and 10 more" in governance._repr_html_()
    many = new_assembly()
    for _ in range(14):
        many.propose("Ana", {"market.fee": 1.0})
    assert "and 2 more" in many._repr_html_()
    assert len(many.plot.tallies().get(0)) == 0  # nobody has voted, so that no bar has a length


def test_a_chain_shows_its_governance(part):
    chain, governance = part
    html = governance._repr_html_()
    assert "set market.fee = 0.25" in html
    assert "300 GRID" in html
    assert "Asked for on the track: levers" in html
    assert "Referenda" in chain._repr_html_()
    assert "Referenda" not in PublicChain(terms=PublicTerms(validators=4))._repr_html_()


# Pictures


def test_every_picture_renders_with_title_and_unit(voted):
    for kind, label in PICTURES.items():
        figure = drawn(getattr(voted.plot, kind)())
        assert figure.title.text
        assert figure.xaxis[0].axis_label
        assert figure.select(GlyphRenderer)
        assert label is None or label == figure.yaxis[0].axis_label


def test_pictures_speak_thai(voted):
    gl.config(language="th")
    for kind in PICTURES:
        figure = drawn(getattr(voted.plot, kind)())
        assert all(THAI.search(words) for words in (figure.title.text, figure.xaxis[0].axis_label))


def test_the_course_is_drawn_as_it_was_and_the_curves_are_the_tracks(voted):
    course = course_of(voted, 0)
    rows = voted.course(0)
    assert course.approval.tolist() == (100 * rows["approval"]).to_list()
    assert course.support.tolist() == (100 * rows["support"]).to_list()
    referendum, track = voted.book.referendum(0), voted.book.rules["parameter"]
    assert course.asked.minute[[0, -1]].tolist() == [
        referendum.since / MINUTE,
        (referendum.since + track.decision) / MINUTE,
    ]
    for share, place in ((0, 0), (0.5, 60), (1, 120)):
        approval, support = track.needs(int(track.decision * share))
        assert course.asked.approval[place] == pytest.approx(100 * float(approval))
        assert course.asked.support[place] == pytest.approx(100 * float(support))
    assert [str(word) for _, word in course.marks] == ["deciding begins", "approved", "enacted"]
    lines = {part.label: part for part in voted.plot.referendum(0) if isinstance(part, hv.Curve) and part.label}
    assert lines["approval"].dimension_values(1).tolist() == course.approval.tolist()
    assert lines["support asked for"].dimension_values(1).tolist() == course.asked.support.tolist()


def test_tallies_and_locks_are_the_books(voted):
    ayes, nays = voted.plot.tallies()
    # The newest on top: its row is the highest.
    assert ayes.dimension_values("to").tolist() == [100.0, 143_000.0]
    assert nays.dimension_values(0).tolist() == [-300.0, -35_000.0]
    bars = next(iter(voted.plot.locks()))
    assert bars.dimension_values("to").tolist() == [35_000.0, 25_000.0, 20_000.0, 20_000.0, 4_000.0]


def test_power_counts_delegations_where_the_delegate_stands(voted):
    own, gathered, _ = voted.plot.power()
    held = [grid * GRID for grid in HELD.values()]
    moved = [60_000, 40_000, 5_000, 1_000, 54_000]
    assert f"Gini {gini_coefficient(held):.3f}" in own.label
    assert f"Gini {gini_coefficient(moved):.3f}" in gathered.label
    few = nakamoto_coefficient(held, numerator=1, denominator=2)
    assert f"{few} hold more than half" in own.label


def test_the_area_under_the_lorenz_curve_is_that_of_the_gini_coefficient():
    amounts = [1, 1, 2, 3, 5, 8, 13, 21]
    people, share = lorenz(amounts)
    gini = 1 - 2 * np.trapezoid(share / 100, people / 100)
    assert gini == pytest.approx(gini_coefficient(amounts))
    with pytest.raises(GovernanceError, match="nobody holds any"):
        lorenz_curves({"nothing": [0, 0]})


def test_a_chain_has_the_same_pictures_but_the_course(part):
    governance = part[1]
    assert drawn(governance.plot.tallies()).title.text
    assert drawn(governance.plot.locks()).title.text
    assert drawn(governance.plot.curves("upgrade")).title.text
    assert "nobody delegates" in governance.plot.delegations()
    assert not hasattr(governance.plot, "referendum")


def test_delegations_are_as_wide_as_what_is_handed_over(voted):
    picture = str(voted.plot.delegations("parameter"))
    assert picture.count("<path") == 2
    widths = [float(width) for width in re.findall(r'<path[^>]*stroke-width="([\d.]+)"', picture)]
    assert widths[0] / widths[1] == pytest.approx(5.0)
    assert "20,000 GRID · 1×" in picture
    assert "24,000 GRID" in picture
    assert "nobody delegates on this track" in voted.plot.delegations("treasury")
    with pytest.raises(GovernanceError):
        voted.plot.delegations("tax")


def test_of_very_many_delegations_the_largest_are_drawn():
    count = MOST_SHOWN + 16
    frame = pl.DataFrame(
        {"account": range(count), "delegate": [99] * count, "conviction": [1] * count, "amount": range(1, count + 1)}
    )
    picture = delegation_picture(frame, {99: "Coop"}, "who")
    assert picture.count("<path") == MOST_SHOWN
    assert "and 16 smaller ones" in picture
    assert "account 0<" not in picture


def test_static_pictures_have_no_ids_and_stay_inside(voted):
    picture = referendum_picture(course_of(voted, 1), "one & two")
    assert picture == referendum_picture(course_of(voted, 1), "one & two")
    assert "<title>one &amp; two</title>" in picture
    assert " id=" not in picture
    assert "deciding begins" in picture
    assert "at the end 50.0 % and 0.0 %" in curves_picture(voted.book.rules["treasury"], "curves")
    assert isinstance(asked_of(voted.book.rules["upgrade"]).support, np.ndarray)


def test_nothing_to_draw_is_said():
    empty = new_assembly()
    with pytest.raises(GovernanceError, match="nothing was proposed yet"):
        empty.plot.tallies()
    with pytest.raises(GovernanceError, match="nobody's GRID is locked"):
        empty.plot.locks()
    with pytest.raises(GovernanceError):
        empty.plot.referendum(0)


@pytest.mark.parametrize("make", [AssemblyPlots, GovernancePlots])
def test_only_their_own_are_plotted(make):
    with pytest.raises(ArgumentTypeError, match="plots: expected"):
        make("assembly")


def test_accessors_list_their_kinds(voted, part):
    assert all(f".{kind}()" in repr(voted.plot) for kind in (*PICTURES, "delegations"))
    assert ".tallies()" in repr(part[1].plot)
    assert ".referendum()" not in repr(part[1].plot)


# Words


def test_every_track_status_and_act_has_a_word():
    assert tuple(governance_words.TRACK_WORDS) == TRACKS
    statuses = {"preparing", "queued", "deciding", "confirming", *ENDS}
    assert set(governance_words.STATUSES) == statuses
    assert set(GovernancePallet().effects) == set(governance_words.ACTS)


TABLES = ("TRACK_WORDS", "STATUSES", "MEASURE_WORDS", "BALLOT_WORDS", "SCOPE_WORDS", "ACTS", "VOTER_GROUPS", "ECONOMY")


@pytest.mark.parametrize("table", TABLES)
def test_thai_words_are_thai_and_english_words_are_not(table):
    words = list(getattr(governance_words, table).values())
    assert all(THAI.search(word.thai) for word in words)
    assert not any(THAI.search(word.english) for word in words)
    assert len({word.thai for word in words}) == len({word.english for word in words}) == len(words)


@pytest.mark.parametrize(
    ("action", "in_english", "in_thai"),
    [
        (SetLevers((("market.fee", "0.5"),)), "set market.fee = 0.5", "ตั้งค่า market.fee = 0.5"),
        (Spend(((2, GRID), (9, 1))), "pay 1 GRID to Ana, 0.000001 GRID to account 9",
         "จ่าย 1 GRID ให้ Ana, 0.000001 GRID ให้ บัญชี 9"),
        (ProtocolUpgrade(2, 1_000, bytes(32)), "version 2 of the rules from block 1,000", "ใช้กติการุ่นที่ 2 ตั้งแต่บล็อก 1,000"),
        (Emergency(stop=True, scope="market"), "stop the market", "หยุดตลาด"),
        (Emergency(stop=False, scope="zone:MAC"), "resume the zone MAC", "ให้เขต MAC เดินต่อ"),
    ],
)  # fmt: skip
def test_actions_are_told_in_words(action, in_english, in_thai):
    assert action_words(action, {2: "Ana"}) == in_english
    gl.config(language="th")
    assert action_words(action, {2: "Ana"}) == in_thai


def test_amounts_and_convictions_are_written_as_people_read_them():
    assert [grid_text(micro) for micro in (0, 1, 1_500_000, -2_000_000)] == [
        "0 GRID", "0.000001 GRID", "1.5 GRID", "\N{MINUS SIGN}2 GRID"
    ]  # fmt: skip
    assert [conviction_words(level) for level in (0, 1, 6)] == ["0.1×", "1×", "6×"]
