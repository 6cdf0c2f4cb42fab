"""What the text of lesson 07 says of its validators, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain import pbft
from gridlab.chain.keys import sandbox
from gridlab.chain.pbft.finality_model import FinalityModel
from gridlab.chain.pbft.simulation import CHAIN_ID
from gridlab.chain.pbft.wan import WideAreaNetwork, default_placement
from gridlab.chain.pbft_ordering import unpack_certificate
from gridlab.learn import lesson_07
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "07-validators-and-liars.ipynb"
LIES = ("silent", "delay", "stale_view", "forge", "equivocate", "collude", "twins")
CITIES = list(default_placement())


@cache
def run(liars=0):
    lab = gl.Lab.thailand(prosumers=200, seed=0)
    return lab.set({"consensus.liars": liars, "consensus.lie": "collude"}).run(hours=24, progress=False)


@cache
def text():
    return "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)


def lying(kind, count=6, **options):
    return pbft.simulate(byzantine=dict.fromkeys(range(count), kind), **options)


def forks(liars, quorum, n=21):
    return lying("collude", liars, n=n, blocks=1, quorum=quorum, limit_ms=60_000).forked


def down(count, quorum=14, **options):
    return pbft.simulate(blocks=1, crashed=range(21 - count, 21), quorum=quorum, limit_ms=60_000, **options)


@cache
def in_yala(*numbers):
    places = ["Yala" if number in numbers else city for number, city in enumerate(CITIES)]
    return FinalityModel(placement=places).run(20_000, seed=1)


# First result and sections 1 and 2.


def test_a_block_of_the_day_takes_forty_ms_fourteen_signatures_and_about_840_messages():
    rounds = run().chain.rounds
    assert rounds["finality_ms"].median() == pytest.approx(40, abs=3)
    assert set(rounds["signatures"]) == {14}
    assert rounds["messages"].median() == 840
    assert set(rounds["view"]) == {0}


def test_no_validator_is_more_than_a_teaching_example():
    card = gl.datasets().filter(pl.col("name").is_in(["validators_synthetic", "wan_legs_synthetic"]))
    assert card["synthetic"].all()
    assert "No such consortium exists" in text()


@given(n=st.integers(4, 24))
@settings(max_examples=10, deadline=None)
def test_a_block_without_faults_takes_2n_times_n_minus_1_messages(n):
    sent = pbft.simulate(n=n, blocks=1).messages
    counted = [sent[kind] for kind in ("pre-prepare", "prepare", "commit")]
    assert counted == [n - 1, (n - 1) ** 2, n * (n - 1)]
    assert sum(counted) == 2 * n * (n - 1)


def test_a_validator_holds_the_block_at_its_fourteenth_commit():
    trace = pbft.simulate(blocks=1, message_log=1)
    commits = trace.message_log.filter(kind="commit")
    for validator, final in trace.finals.select("validator", "final_ms").rows():
        arrived = sorted(commits.filter(receiver=validator)["arrival_ms"])
        assert final == pytest.approx(arrived[12]), "its own commit is the fourteenth"
        assert arrived[-1] > final, "it does not wait for the last"


# Sections 3 and 4.


def test_five_of_21_fork_a_quorum_of_13_and_seven_one_of_14():
    assert [forks(liars, 13) for liars in range(3, 8)] == [False, False, True, True, True]
    assert [forks(liars, 14) for liars in range(3, 8)] == [False, False, False, False, True]


def test_the_fork_has_eight_honest_voters_on_each_side_and_the_five_liars_on_both():
    fork = lying("collude", 5, blocks=1, quorum=13)
    assert fork.blocks.select("height", "holders").rows() == [(1, 1), (1, 1)]
    first, second = (set(signers) for signers in fork.signers.values())
    assert first & second == set(range(5))
    assert [len(side - set(range(5))) for side in (first, second)] == [8, 8]


def test_with_14_no_honest_validator_commits_in_the_first_view_and_a_later_one_is_final():
    safe = lying("collude", 5, blocks=1, quorum=14, message_log=1)
    assert not safe.forked
    assert safe.complete
    assert safe.views > 0
    first = safe.message_log.filter(kind="commit", view=0)
    assert set(first["signer"]) <= set(range(5))


def test_six_liars_do_not_fork_fourteen_in_thirty_runs():
    assert not any(lying("collude", blocks=1, seed=seed).forked for seed in range(100, 130))


def test_two_f_plus_one_is_right_only_where_n_is_3f_plus_1():
    for n in range(4, 60):
        faulty = pbft.max_faulty(n)
        assert (pbft.quorum(n) == 2 * faulty + 1) == (n == 3 * faulty + 1)
    assert pbft.quorum(21) == 14


def test_all_six_are_caught_an_outsider_agrees_and_number_9_is_not_framed():
    keys = [sandbox(0, f"validator {number}").public_key for number in range(21)]
    caught = lying("collude", blocks=6).evidence
    assert {each.validator for each in caught} == set(range(6))
    for each in caught:
        assert pbft.verify_evidence(each, keys, chain_id=CHAIN_ID)
        framed = replace(each, validator=9, public_key=keys[9])
        assert not pbft.verify_evidence(framed, keys, chain_id=CHAIN_ID)


@pytest.mark.parametrize("quorum", range(12, 17))
def test_2q_minus_n_liars_fork_and_n_minus_q_plus_1_that_are_down_stop(quorum):
    assert forks(2 * quorum - 21, quorum)
    assert not forks(2 * quorum - 22, quorum)
    assert not down(22 - quorum, quorum).complete
    assert down(21 - quorum, quorum).complete


def test_both_lines_lie_above_six_only_at_14_and_15():
    assert [q for q in range(11, 18) if min(2 * q - 21, 22 - q) > 6] == [14, 15]


def test_seven_down_change_nothing_and_eight_stop_the_chain_until_they_are_back():
    final = {}
    for count in (7, 8):
        crashes = [(number, 3_500, 15_000) for number in range(21 - count, 21)]
        trace = pbft.simulate(blocks=20, crashes=crashes)
        assert trace.complete
        assert not trace.forked
        final[count] = (trace.blocks["proposed_ms"] + trace.blocks["finality_ms"]).to_numpy() / 1000
    assert np.diff(final[7]).max() < 1.2
    assert final[7][-1] < 20
    assert not ((final[8] > 3.6) & (final[8] < 15)).any()
    assert 25 < final[8][-1] < 31, "the picture ends at 31 s"


# Section 5.


@cache
def lies_table():
    return {kind: lying(kind, blocks=10) for kind in LIES}


@pytest.mark.parametrize("kind", LIES)
def test_no_lie_of_six_forks_the_chain(kind):
    trace = lies_table()[kind]
    assert trace.complete
    assert not trace.forked


def test_silence_costs_most_time_forging_most_messages_and_only_two_votes_leave_evidence():
    table = lies_table()
    assert max(table, key=lambda kind: max(table[kind].finality_ms)) == "silent"
    assert max(table, key=lambda kind: sum(table[kind].messages.values())) == "forge"
    for kind in ("silent", "delay", "stale_view"):
        assert not table[kind].evidence
    for kind in ("equivocate", "collude"):
        assert table[kind].evidence


def test_evidence_names_liars_only():
    for trace in lies_table().values():
        assert {each.validator for each in trace.evidence} <= set(range(6))


# Section 6.


def in_the_north(silent, **options):
    network = WideAreaNetwork()
    delays = network.delays_ms(CITIES[3:] + CITIES[:3])
    return lying("silent", silent, blocks=1, latency_ms=delays, jitter=network.jitter, **options)


def test_chiang_mai_is_followed_by_phitsanulok():
    assert CITIES[3:5] == ["Chiang Mai", "Phitsanulok"]


def test_the_story_of_chiang_mai_is_that_of_the_picture():
    story = in_the_north(1, message_log=1)
    log = story.message_log
    requests = log.filter(kind="request")["time_ms"]
    assert requests[0] == 0
    assert requests[1] == pytest.approx(2000)
    proposals = log.filter(kind="pre_prepare")
    assert set(proposals["sender"]) == {1}
    assert 4.0 < proposals["time_ms"].min() / 1000 < 4.1
    assert story.messages["new_view"] >= 20
    assert story.messages["view-change"] >= 400
    assert not log["kind"].is_in(["view_change", "new_view"]).any(), "the text says that they are not drawn"


@pytest.mark.parametrize("silent", [1, 2, 3, 4])
def test_waiting_doubles_with_each_silent_primary(silent):
    seconds = in_the_north(silent).finality_ms[0] / 1000
    assert 0 < seconds - (2 + 2 * 2 ** (silent - 1)) < 0.2


# Section 7.


def test_the_published_figure_from_udon_thani_is_met():
    legs = {row["city"]: row["delay_ms"] for row in gl.dataset("wan_legs_synthetic").to_dicts()}
    assert 2 * (legs["Udon Thani"] + legs["Bangkok"]) == pytest.approx(12)
    assert legs["Yala"] - legs["Nonthaburi"] == pytest.approx(8.2, abs=0.05)
    assert CITIES[0] == "Nonthaburi"
    assert CITIES[15] == "Bangkok"
    assert CITIES[14] == "Yala"


def test_a_primary_in_yala_costs_more_than_its_leg_and_a_voter_there_little():
    middle = {numbers: in_yala(*numbers).quantile(0.5).value for numbers in ((), (0,), (15,))}
    assert 8 < middle[0,] - middle[()] < 11
    assert 1 < middle[15,] - middle[()] < 4


def test_a_year_of_blocks_meets_few_dead_primaries_and_keeps_within_three_seconds():
    found = {
        custom: FinalityModel(primary=custom).run(52_560, interval_ms=600_000, seed=1)
        for custom in ("sticky", "rotating")
    }
    waited = {custom: np.count_nonzero(each.view_changes) for custom, each in found.items()}
    assert 0 < waited["sticky"] < 8
    assert waited["rotating"] / 52_560 == pytest.approx(0.001, rel=0.5)
    for each in found.values():
        assert each.quantile(0.99).value < 50
        assert 2000 < each.finality_ms.max() < 3000


# Section 8.


def test_six_colluding_validators_change_neither_the_chain_nor_a_bill():
    assert run(6).chain.fingerprint == run().chain.fingerprint
    assert run(6).balances.equals(run().balances)


def test_nine_blocks_are_slow_and_six_views_are_given_up():
    rounds = run(6).chain.rounds
    slow = rounds["finality_ms"] > 1000
    assert slow[:9].all()
    assert not slow[9:].any()
    assert set((rounds["finality_ms"].filter(slow) / 1000).round().to_list()) == {2, 4, 6}
    assert rounds["view_changes"].sum() == 6
    assert rounds["view"][-1] == 6


def test_more_liars_more_view_changes_and_a_longer_tail():
    chosen = gl.Lab.thailand(prosumers=200, seed=0).set({"consensus.lie": "collude"})
    tried = gl.what_if(chosen, {"consensus.liars": [0, 2, 4, 6]})
    table = tried.pivot("kpi", index="consensus.liars", values="value")
    assert table["view_changes"].to_list() == [0, 2, 4, 6]
    assert table["finality_p99"].is_sorted()
    assert table["finality_p99"].n_unique() == 4
    assert table["finality_median"].max() < 0.06
    assert table["savings"].n_unique() == 1


def test_the_task_at_the_controls_goes_as_its_answer_says():
    chain = gl.Lab.thailand(prosumers=50, seed=0).run(hours=1, progress=False).chain
    controls, height = chain.controls(), chain.height

    def press(*buttons):
        for button in buttons:
            controls.buttons[button].click()

    controls.chosen.value = tuple(range(7))
    press("cut", "seal")
    assert chain.height == height + 1
    assert chain.rounds["finality_ms"][-1] / 60_000 == pytest.approx(2, abs=0.3)
    press("heal")
    before = chain.blocks["hash"].to_list()
    controls.chosen.value = tuple(range(13, 21))
    press("cut", "seal")
    assert chain.height == height + 1
    assert "no quorum of 14 of 21" in controls.told.value
    press("heal", "seal")
    assert chain.height == height + 2
    assert chain.blocks["hash"].to_list()[:-1] == before


# Section 9.


@cache
def certificate():
    block, members = run().chain.block(48), run().chain.ordering.validators
    view, handover, signatures = unpack_certificate(block.certificate, members)
    return pbft.sealed_header(block.header.to_bytes() + handover, view), signatures, members


def test_the_certificate_of_the_day_holds_and_each_forgery_fails_with_its_reason():
    sealed, signatures, members = certificate()
    assert pbft.verify_certificate(sealed, signatures, members)
    keys, stranger = list(signatures), sandbox(0, "stranger")
    bent = bytes([signatures[keys[0]][0] ^ 1]) + signatures[keys[0]][1:]
    foreign = {stranger.public_key: stranger.sign(pbft.certificate_message(sealed))}
    cases = {
        "13 of 21 validators signed, 14 must": {key: signatures[key] for key in keys[:13]},
        "is not one of this sealed header": signatures | {keys[0]: bent},
        "is none of the 21 validators": signatures | foreign,
    }
    for reason, forged in cases.items():
        assert reason in pbft.why_not_final(sealed, forged, members)
        assert not pbft.verify_certificate(sealed, forged, members)


@given(early=st.integers(0, 14), views=st.tuples(st.integers(0, 5), st.integers(0, 5)))
@settings(max_examples=20, deadline=None)
def test_votes_of_two_views_make_a_certificate_only_where_all_are_of_one(early, views):
    pairs = [sandbox(7, f"validator {number}") for number in range(21)]
    header, members = run().chain.block(48).header.to_bytes(), [pair.public_key for pair in pairs]
    signatures = {}
    for place, pair in enumerate(pairs[:14]):
        sealed = pbft.sealed_header(header, views[place >= early])
        signatures[pair.public_key] = pair.sign(pbft.certificate_message(sealed))
    of_one_view = views[0] == views[1] or early in (0, 14)
    for view in range(6):
        signed = views[0] if early else views[1]
        final = pbft.verify_certificate(pbft.sealed_header(header, view), signatures, members)
        assert final == (of_one_view and view == signed)


# Exercises.


@pytest.mark.parametrize(
    ("question", "wrong", "hint"),
    [
        ("07-q1", 19, "2f + 1"),
        ("07-q1", 21, "not the smallest"),
        ("07-q2", "silent", "most time"),
        ("07-q3", 12, "doubles"),
        ("07-q3", 32, "client"),
        ("07-q3", 62, "first two waits"),
        ("07-q4", 500, "wait for it"),
        ("07-q4", 530, "wait for Yala"),
        ("07-q5", 8, "nobody lied"),
        ("07-q5", 1, "just enough"),
        ("07-q6", 9, "trap"),
        ("07-q6", 5, "21 validators"),
    ],
)
def test_a_typical_mistake_gets_its_own_hint(question, wrong, hint):
    verdict = gl.learn.check(question, wrong)
    assert not verdict
    assert hint in verdict.text


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    faulty = (lesson_07.BIGGER - 1) // 3
    assert lesson_07.bigger_quorum().answer == (lesson_07.BIGGER + faulty) // 2 + 1
    assert lesson_07.bigger_fork().answer == 2 * (2 * faulty + 1) - lesson_07.BIGGER
    assert lesson_07.standstill().answer == 21 - 6 - 14 + 1
    assert float(lesson_07.silent_in_a_row().answer) == pytest.approx(2 + 2 * 2**4, abs=0.3)
    assert abs(float(lesson_07.satellite().answer) - in_yala().quantile(0.5).value) < 1


def test_the_figures_of_the_first_table_are_the_levers_in_force():
    lab = gl.Lab.thailand(prosumers=50, seed=0)
    assert lab.get("consensus.validators") == 21
    assert lab.get("consensus.timeout") == 2.0
    assert lab.get("consensus.network.jitter") == WideAreaNetwork().jitter == 7.24
    assert FinalityModel().availability == 99.9
    assert FinalityModel().outage == 4.0
    for stated in ("| 21 |", "| 2 s at first |", "| 7.24 ms on average |", "| 99.9 % of the time |", "| 14 of 21 |"):
        assert stated in text()
