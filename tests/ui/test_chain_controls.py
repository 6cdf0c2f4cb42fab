"""Live controls of a chain: what is pressed happens to the chain, and is seen at once."""

from __future__ import annotations

import pytest

import gridlab as gl
from gridlab.chain import ConsortiumChain, keys
from gridlab.chain.ordering import SingleSequencer
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.pbft.wan import default_placement
from gridlab.errors import ArgumentTypeError
from gridlab.ui.chain_controls import chain_controls


@pytest.fixture
def panel(chain):
    made = chain.controls()
    yield made
    made.close()


def press(panel, name, validators=None):
    if validators is not None:
        panel.chosen.value = tuple(validators)
    before = panel.picture.value
    panel.buttons[name].click()
    return panel.picture.value != before


def test_a_block_is_sealed_and_shown_with_its_finality(chain, panel):
    assert press(panel, "seal")
    assert chain.height == 1
    row = chain.rounds.row(0, named=True)
    assert f"Block 1 is final after {row['finality_ms']:.1f} ms in view 0, with 840 messages." in panel.told.value
    assert 'role="status"' in panel.told.value
    assert ">840<" in panel.picture.value


def test_a_strangers_transaction_fills_an_empty_block_and_is_rejected(chain, panel):
    press(panel, "seal")
    assert chain.blocks.row(-1, named=True)["rejected"] == 1
    assert not chain.pending
    panel.sample.value = False
    press(panel, "seal")
    assert chain.blocks.row(-1, named=True)["transactions"] == 0


def test_six_liars_are_borne_and_proved(chain, panel):
    press(panel, "seal")
    panel.lie.value = "collude"
    assert press(panel, "lie", range(6))
    assert "Liars 0–5: show two blocks and hide votes, together" in panel.picture.value
    press(panel, "seal")
    assert chain.height == 2
    assert "Proved to have voted twice: 0" in panel.picture.value
    press(panel, "honest")
    assert "Liars" not in panel.picture.value
    assert chain.ordering.cluster.corrupted == {}


def test_eight_that_are_down_stop_the_chain_and_their_return_starts_it_again(chain, panel):
    press(panel, "crash", range(13, 21))
    press(panel, "seal")
    assert 'role="alert"' in panel.told.value
    assert "no quorum of 14 of 21 validators answered" in panel.told.value
    assert chain.height == 0
    press(panel, "restart")
    press(panel, "seal")
    assert chain.height == 1
    assert 'role="status"' in panel.told.value


def test_a_cut_is_seen_and_mended(chain, panel):
    press(panel, "seal")
    assert press(panel, "cut", range(9))
    assert "the network is cut here" in panel.picture.value
    press(panel, "seal")
    assert "no quorum" in panel.told.value
    press(panel, "heal")
    assert "the network is cut here" not in panel.picture.value
    press(panel, "seal")
    assert chain.height == 2


@pytest.mark.parametrize("sealed", [False, True])
def test_a_stopped_chain_seals_nothing_until_it_resumes(chain, panel, sealed):
    if sealed:
        press(panel, "seal")
    press(panel, "stop")
    assert "stopped; resume goes on" in panel.picture.value
    press(panel, "seal")
    assert "the validators have stopped" in panel.told.value
    assert chain.height == sealed
    press(panel, "resume")
    press(panel, "seal")
    assert chain.height == sealed + 1


def test_a_stop_that_no_quorum_carries_is_told(panel):
    press(panel, "seal")
    press(panel, "crash", range(8))
    press(panel, "stop")
    assert "No quorum answered the vote to stop." in panel.told.value
    assert "stopped" not in panel.picture.value


def test_what_is_done_before_the_first_block_is_seen_at_once(chain, panel):
    press(panel, "crash", [20])
    press(panel, "lie", [3])
    states = chain.ordering.states
    assert states.filter(~states["up"])["validator"].to_list() == [20]
    assert "Liars 3: " in panel.picture.value
    press(panel, "seal")
    assert chain.ordering.cluster.crashed == (20,)
    assert chain.ordering.cluster.corrupted == {3: panel.lie.value}


def test_an_action_about_validators_needs_some(chain, panel):
    press(panel, "crash", [])
    assert "First choose validators" in panel.told.value
    assert chain.ordering.states["up"].all()


def test_every_way_to_lie_can_be_chosen(panel):
    assert [value for _, value in panel.lie.options] == list(KINDS)
    assert panel.chosen.options[0] == (f"0 {default_placement()[0]}", 0)
    assert len(panel.chosen.options) == 21


def test_the_toggle_turns_all_labels_thai_and_leaves_the_session_alone(panel):
    panel.chosen.value, panel.lie.value = (2,), "forge"
    panel.language.value = "th"
    assert panel.buttons["seal"].description == "ปิดบล็อก"
    assert panel.chosen.options[3] == ("3 เชียงใหม่", 3)
    assert "ผู้ตรวจสอบธุรกรรม 21 ราย" in panel.picture.value
    assert (panel.chosen.value, panel.lie.value) == ((2,), "forge")
    assert "ทำงานอยู่" in panel.told.value
    panel.buttons["seal"].click()
    assert "เป็นที่สิ้นสุดใน" in panel.told.value
    assert gl.config().language == "en"


def test_a_chain_that_is_only_read_says_that_it_cannot_seal(chain):
    chain.seal(0)
    panel = ConsortiumChain.from_bytes(chain.to_bytes()).controls()
    assert "secret keys are not here" in panel.told.value.lower()
    assert all(button.disabled for button in panel.buttons.values())
    panel.close()


def test_the_chain_of_a_loaded_run_says_so_too(night_run, tmp_path):
    panel = gl.load(night_run.save(tmp_path / "night.gridlab")).chain.controls()
    assert panel.buttons["seal"].disabled
    assert "secret keys are not here" in panel.told.value.lower()
    panel.close()


def test_a_single_sequencer_has_no_validators_and_seals(new_chain):
    chain = new_chain(ordering=SingleSequencer(keys.sandbox(0, "sequencer")))
    panel = chain.controls()
    assert "One sequencer" in panel.told.value
    press(panel, "seal")
    assert "Block 1 is sealed." in panel.told.value
    press(panel, "crash", None)
    assert chain.height == 1
    panel.close()


def test_the_figure_has_no_ids_and_a_fixed_height(panel):
    assert " id=" not in panel.picture.value
    assert panel.picture.layout.height.endswith("px")
    assert "gridlab-figure" in panel.picture._dom_classes


def test_only_chains_have_these_controls():
    with pytest.raises(ArgumentTypeError, match="expected a ConsortiumChain"):
        chain_controls("chain")
