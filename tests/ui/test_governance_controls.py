"""Live controls of an assembly: what is pressed happens to the assembly, and is seen at once."""

from __future__ import annotations

import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.governance.assembly import Assembly
from gridlab.governance.voting import CONVICTIONS
from gridlab.ui.governance_controls import assembly_controls
from gridlab.ui.governance_forms import lever_value, micro_of

GRID = 1_000_000


@pytest.fixture
def assembly():
    levers = pl.DataFrame(
        {
            "path": ["market.fee", "market.open", "market.rule"],
            "low": [0.0, None, None],
            "high": [2.0, None, None],
            "step": [0.001, None, None],
            "choices": [None, None, ["uniform", "pay_as_bid"]],
            "governed_by": ["operator"] * 3,
        }
    )
    held = {"Ana": 60_000 * GRID, "Bun": 40_000 * GRID, "<Chai>": 20_000 * GRID}
    return Assembly(held, levers=levers, treasury=5_000 * GRID)


@pytest.fixture
def panel(assembly):
    made = assembly.controls()
    yield made
    made.close()


def press(panel, name, **fields):
    for field, value in fields.items():
        panel.fields[field].value = value
    panel.buttons[name].click()
    return panel.told.value


def test_a_proposal_goes_all_the_way(assembly, panel):
    assert "Referendum 0 is proposed" in press(panel, "propose", who="Ana", lever="market.fee", value="0.5")
    assert "pays the decision deposit" in press(panel, "deposit", who="<Chai>")
    press(panel, "pass", minutes=12)
    assert assembly.status(0) == "deciding"
    assert "Ana votes aye in referendum 0: 50,000 GRID · 2×." in press(
        panel, "vote", who="Ana", side="aye", grid=50_000, conviction=2
    )
    assert assembly.tally(0).ayes == 100_000 * GRID
    before = panel.picture.value
    told = press(panel, "pass", minutes=120)
    assert "Enacted: set market.fee = 0.5." in told
    assert 'role="status"' in told
    assert assembly.enacted["value"].to_list() == ["0.5"]
    assert panel.picture.value != before
    assert "approved, enacted" in panel.picture.value
    assert panel.fields["referendum"].options[0][0] == "#0 approved"


def test_refused_acts_show_the_reason_and_change_nothing(assembly, panel):
    assert "0 to 2 in steps of 0.001" in press(panel, "propose", lever="market.fee", value="9.99")
    assert "nothing is written there" in press(panel, "propose", value=" ")
    assert assembly.referenda.is_empty()
    press(panel, "propose", value="1")
    press(panel, "deposit", who="Bun")
    assert "deposit already" in press(panel, "deposit")
    told = press(panel, "vote", who="Ana", grid=1e9)
    assert 'role="alert"' in told
    assert "Ana votes with 1000000000000000 micro-GRID" in told  # the holder's name, not the number of its account
    assert assembly.votes(0).is_empty()
    assert "has no vote in referendum 0" in press(panel, "remove")
    assert "locks nothing of Ana" in press(panel, "unlock")
    press(panel, "pass", minutes=240)
    assert 'role="alert"' in press(panel, "vote", grid=5)


def test_delegating_counts_on_the_delegates_side_and_ends(assembly, panel):
    press(panel, "propose", lever="market.rule", value="pay_as_bid")
    assert "Bun delegates to Ana (levers): 1,000 GRID · 3×." in press(
        panel, "delegate", who="Bun", to="Ana", track="parameter", grid=1_000, conviction=3
    )
    assert "Delegations on the track: levers" in panel.picture.value
    assert "undelegate first" in press(panel, "vote", who="Bun")
    press(panel, "vote", who="Ana", side="nay", grid=10, conviction=0)
    assert assembly.tally(0).nays == 3_001 * GRID
    assert "votes itself again" in press(panel, "undelegate", who="Bun")
    assert assembly.tally(0).nays == 1 * GRID
    assert "delegates to itself" in press(panel, "delegate", who="<Chai>", to="<Chai>")


def test_abstaining_supports_and_a_vote_can_be_taken_back(assembly, panel):
    press(panel, "propose", lever="market.open", value="off")
    press(panel, "vote", who="<Chai>", side="abstain", grid=100)
    assert (assembly.tally(0).ayes, assembly.tally(0).support) == (0, 100 * GRID)
    assert "&lt;Chai&gt; has no vote" in press(panel, "remove")
    assert assembly.tally(0).support == 0
    assert "0 GRID of &lt;Chai&gt; stay locked" in press(panel, "unlock")
    assert "<Chai>" not in panel.told.value + panel.picture.value


def test_without_a_referendum_nothing_can_be_voted(panel):
    assert panel.buttons["vote"].disabled
    assert panel.buttons["deposit"].disabled
    press(panel, "propose", lever="market.fee", value="0.1")
    assert not panel.buttons["vote"].disabled
    assert panel.fields["referendum"].value == 0


def test_without_levers_nothing_can_be_proposed():
    bare = Assembly({"Ana": 10 * GRID})
    panel = bare.controls()
    assert panel.buttons["propose"].disabled
    panel.close()


def test_a_failed_enactment_says_why():
    assembly = Assembly({"Ana": 60_000 * GRID, "Bun": 10 * GRID}, treasury=5 * GRID)
    assembly.propose("Ana", assembly.spend({"Bun": 50 * GRID}))
    panel = assembly.controls()
    press(panel, "deposit", who="Ana")
    press(panel, "vote", who="Ana", grid=30_000, conviction=1)
    told = press(panel, "pass", minutes=200)
    assert "Not enacted: pay 50 GRID to Bun" in told
    assert "pays more than it holds" in told
    panel.close()


def test_what_code_does_is_seen_when_it_is_drawn_again(assembly, panel):
    assembly.propose("Ana", {"market.fee": 1.5})
    panel.draw()
    assert "set market.fee = 1.5" in panel.picture.value
    assert [value for _, value in panel.fields["referendum"].options] == [0]


def test_choosing_another_referendum_redraws(assembly, panel):
    for value in ("0.1", "0.2"):
        press(panel, "propose", lever="market.fee", value=value)
    assert "Referendum 1 over time" in panel.picture.value
    panel.fields["referendum"].value = 0
    assert "Referendum 0 over time" in panel.picture.value


def test_the_toggle_turns_all_labels_thai_and_leaves_the_session_alone(panel):
    press(panel, "propose", lever="market.fee", value="0.1")
    panel.fields["side"].value = "nay"
    panel.language.value = "th"
    assert panel.buttons["vote"].description == "ลงคะแนน"
    assert panel.fields["who"].description == "ผู้ถือ GRID:"
    assert ("ไม่เห็นชอบ", "nay") in panel.fields["side"].options
    assert panel.fields["side"].value == "nay"
    assert "ประชามติที่ 0 ตามเวลา" in panel.picture.value
    assert "นาทีที่" in panel.told.value
    assert "ลงคะแนนไม่เห็นชอบ" in press(panel, "vote", grid=10)
    assert gl.config().language == "en"


def test_every_conviction_can_be_chosen_and_the_figure_keeps_its_height(panel):
    assert [label for label, _ in panel.fields["conviction"].options] == [f"{each:g}×" for each in CONVICTIONS]
    assert panel.picture.layout.height.endswith("px")
    assert " id=" not in panel.picture.value
    assert "gridlab-figure" in panel.picture._dom_classes


@pytest.mark.parametrize(
    ("typed", "value"),
    [("0.5", 0.5), (" 1,200 ", 1200.0), ("on", True), ("False", False), ("ปิด", False), ("pay_as_bid", "pay_as_bid")],
)
def test_what_is_typed_becomes_a_value(typed, value):
    assert lever_value(typed) == value
    assert type(lever_value(typed)) is type(value)


def test_grid_has_six_decimals():
    assert micro_of(1.5) == 1_500_000
    assert micro_of(0.1) == 100_000
    with pytest.raises(ArgumentError, match="more than six decimals"):
        micro_of(0.1234567)


def test_only_assemblies_have_these_controls():
    with pytest.raises(ArgumentTypeError, match="expected an Assembly"):
        assembly_controls("assembly")
