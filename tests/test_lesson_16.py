"""What the text of lesson 16 says of WATT, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain.watt.wire import amount_frame, pause_frame
from gridlab.errors import StablecoinError
from gridlab.learn import lesson_16
from gridlab.learn.lesson_16 import CHAIN, HOLDINGS, SECRET, WATT, amounts_of, found, minted, told, transfer, watt_chain
from gridlab.stablecoin import HolderTerms, LiabilityProof, LiabilityStatement, LiabilityTree, WattTerms
from gridlab.stablecoin.holders import GROUPS
from gridlab.stablecoin.run import compare_rules, run
from gridlab.stablecoin.sums import Node, join
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "16-a-run-on-watt.ipynb"
MILLION = 1_000_000 * WATT
EACH_SLOT = 0.25


@cache
def source(beginning):
    """Return the lesson's own code cell in which a line begins so."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    return next(
        cell.source
        for cell in cells
        if cell.cell_type == "code" and any(line.startswith(beginning) for line in cell.source.splitlines())
    )


def played(beginning, **names):
    """Run the lesson's own code cell and return what it has named."""
    names |= dict.fromkeys(("print",), lambda *_, **__: None)
    exec(source(beginning), names)  # noqa: S102 - the lesson's own code
    return names


@cache
def first_result():
    return run(WattTerms(gap_rule="par"), hours=36, seed=1)


@cache
def advantage(rule, attested, **levers):
    outcome = run(WattTerms(gap_rule=rule, attestation_hours=attested, **levers), hours=36)
    return 100 * outcome.first_mover_advantage


def recovered(outcome):
    return dict(outcome.groups.select("group", "recovered").rows())


# First result, and what stands in the first table.


def test_funds_and_traders_lose_nothing_households_a_sixth_and_utilities_two_fifths():
    shares = recovered(first_result())
    assert shares["funds"] == shares["traders"] == 1.0
    assert 1 - shares["households"] == pytest.approx(1 / 6, abs=0.01)
    assert 1 - shares["utilities"] == pytest.approx(2 / 5, abs=0.02)


def test_the_figures_of_the_first_table_are_those_in_force():
    watt, terms = WattTerms(), HolderTerms()
    assert (watt.cash_share, watt.fire_discount, watt.bond_days, watt.attestation_hours) == (40.0, 4.0, 2.0, 24.0)
    assert (terms.shock_hour, terms.shock_loss, terms.half_life) == (6.0, 8.3, 12.0)
    assert (terms.news, terms.queue, terms.price, terms.cover, terms.patience) == (0.6, 4.0, 3.0, 8.0, 0.2)
    assert round(100 * 3.3 / 40, 2) == pytest.approx(8.25), "8.3 when rounded up"
    assert watt.longest_age > 36, "the fifth term of fear stays at zero"
    assert (len(first_result().holders), first_result().circulation) == (2_000, 100 * MILLION)


# Section 1.


def test_nothing_is_minted_without_an_attestation_nor_in_a_gap_and_a_deposit_lets_payouts_go_on():
    chain = lesson_16.empty_chain()
    names = {name: getattr(lesson_16, name) for name in lesson_16.__all__} | {"pl": pl}
    names |= {"WattRules": gl.chain.watt.WattRules, "rules_frame": gl.chain.watt.wire.rules_frame}
    first = played("chain, total = empty_chain()", **names)
    assert [round(row["WATT"]) for row in first["history"]] == [0, 0, 0, 0, 200]
    chain = first["chain"]
    assert told(chain, "12:00", "bank", "reserve_attestation", found("12:00", 183_400_000, 200 * WATT)) == "accepted"
    assert told(chain, "12:15", "Pranee", "redeem", amount_frame(10 * WATT)) == "accepted"
    assert "the rule for a gap is 'stop'" in told(chain, "12:30", "bank", "redemption_payout", amount_frame(10 * WATT))
    told(chain, "12:45", "bank", "reserve", transfer("bank", "issuer", "THB", 15 * WATT, "reserve"))
    assert amounts_of(chain) == {"booked": 215.0, "reserve": 198.4, "WATT": 200.0, "gap": 1.6}
    refused = told(chain, "13:00", "issuer", "mint", minted({"Kaew": 1}))
    assert "missing in the attested reserve; attested: 183400000" in refused
    told(chain, "13:15", "bank", "reserve", transfer("bank", "issuer", "THB", 5 * WATT, "reserve"))
    assert told(chain, "13:30", "bank", "redemption_payout", amount_frame(10 * WATT)) == "accepted"


# Sections 2 and 3.


def test_the_broken_tree_of_the_lesson_leads_both_to_one_top_and_the_right_one_does_not():
    names = played("def broken", holder_leaf=lesson_16.holder_leaf, HOLDINGS=HOLDINGS)
    assert (names["pranee"].sum, names["sukjai"].sum) == (60 * WATT, 40 * WATT)
    names = played("def climb", **names, WATT=WATT, my_total=0)
    hers, his = names["climb"](names["broken"], 0, 20)
    assert hers == his
    assert hers.sum == 60 * WATT
    hers, his = names["climb"](join, 0, 20)
    assert (hers.sum, his.sum) == (60 * WATT, 60 * WATT)
    assert hers.hash != his.hash
    for name in ("Pranee", "Kaew"):
        leaf = lesson_16.holder_leaf(name, 7)
        assert names["broken"](leaf, Node(bytes(32), 5)) == lesson_16.broken_join(leaf, Node(bytes(32), 5))


@given(st.lists(st.integers(0, 2**40), min_size=4, max_size=4))
@settings(max_examples=20, deadline=None)
def test_the_tree_by_hand_is_the_tree_of_gridlab_in_another_order_and_all_four_find_themselves(balances):
    holdings = dict(zip(HOLDINGS, balances, strict=True))
    top, proofs = lesson_16.four_proofs(holdings)
    assert top.sum == sum(balances)
    statement = LiabilityStatement.sign(lesson_16.key_pair("issuer"), CHAIN, 1, top.hash, top.sum, 4)
    known = {"issuer": lesson_16.key_pair("issuer").public_key, "chain_id": CHAIN, "height": 1}
    for name, balance in holdings.items():
        own = lesson_16.key_pair(name).public_key
        assert proofs[name].check(statement, **known, public_key=own, balance=balance) == balance
    assert lesson_16.four_proofs(holdings, lesson_16.unchecked_join) == (top, proofs)


def forged(holdings):
    keys = [lesson_16.key_pair(name).public_key for name in holdings]
    frame = pl.DataFrame({"public_key": keys, "balance": list(holdings.values())})
    return LiabilityTree.of(frame, secret=SECRET)


def test_a_holder_left_out_is_seen_by_all_and_one_replaced_by_a_ghost_by_himself_alone():
    chain, issuer = watt_chain(), lesson_16.key_pair("issuer")
    three = {name: amount for name, amount in HOLDINGS.items() if name != "Prasit"}
    with pytest.raises(StablecoinError, match="the issuer hides 30000000"):
        forged(three).sign_for(issuer, chain)
    ghosts = forged(three | {"a ghost": 30 * WATT})
    statement = ghosts.sign_for(issuer, chain)
    known = {"issuer": issuer.public_key, "chain_id": CHAIN, "height": chain.height}
    for name, balance in three.items():
        own = lesson_16.key_pair(name).public_key
        assert ghosts.prove(own).check(statement, **known, public_key=own, balance=balance) == balance
    with pytest.raises(StablecoinError, match="none of the 4 holders"):
        ghosts.prove(lesson_16.key_pair("Prasit").public_key)


def test_a_holder_among_a_million_gets_twenty_nodes_and_pranee_has_70_beside_her():
    assert (1_000_000 - 1).bit_length() == 20
    tree = LiabilityTree.of_chain(watt_chain(), secret=SECRET)
    proof = tree.prove(lesson_16.key_pair("Pranee").public_key)
    assert [node.sum // WATT for node in proof.beside] == [70, 70]
    assert len(proof.beside[0].to_bytes()) == 40


# Section 4.


def test_the_table_of_two_depositors_has_two_calm_outcomes_one_run_only_and_one_calm_only():
    table = played("def game", pl=pl)["cases"]
    best = {case: [[x.endswith("✓") for x in row] for row in rows.values()] for case, rows in table.items()}
    wait_both, run_both = [True, False], [False, True]
    assert best["full reserve"] == best["with a haircut"] == [wait_both, run_both]
    assert best["8.3 % missing"] == [[False, False], [True, True]]
    assert best["haircut, all in cash"] == [[True, True], [False, False]]
    assert table["full reserve"] == {"I wait": ["100.0 ✓", "75.0"], "I run": ["99.0", "79.0 ✓"]}
    assert table["8.3 % missing"]["I run"][1] == "72.4 ✓"


@given(st.floats(0.01, 0.4), st.floats(150, 200))
@settings(max_examples=50)
def test_without_cash_a_run_answers_a_run_whatever_haste_costs(discount, reserve):
    """Left over: R - 100/q. On average: R·q/2, q = 1 - d. At R = 200 the difference is 100(1 - q)²/q, above 0."""
    q = 1 - discount
    assert reserve - 100 / q <= reserve * q / 2 + 1e-9


# Section 5.


def test_there_are_two_waves_a_third_at_par_before_the_signature_and_half_of_all_right_after_it():
    slots = first_result().slots
    by_size = slots.sort("burned", descending=True)
    assert by_size["hour"][:2].to_list() == [24.0, 6.0]
    before = slots.filter(pl.col("hour") < 24)
    assert before["burned"].sum() / MILLION == pytest.approx(100 / 3, abs=1.5)
    assert (before["attested"] == before["circulation"]).all()
    assert before["price"].unique().to_list() == [WATT]
    assert before["queued"].max() == 0
    late = before.filter(pl.col("hour") >= 8)["coverage"]
    assert 0.87 <= late.min() <= late.max() < 0.88
    assert slots.filter(pl.col("hour") == 24.25)["price"].item() < 0.2 * WATT
    last = slots.row(-1, named=True)
    assert last["queued"] / MILLION == pytest.approx(10.5, abs=0.05)
    assert last["reserve"] / MILLION < 0.01


def test_the_whole_loss_lies_on_the_last_quarter():
    order = first_result().order
    assert order["loss"].to_list()[:3] == [0, 0, 0]
    assert order["loss"][3] == first_result().people["loss"].sum()


def test_funds_hold_a_quarter_and_hear_first():
    funds = {group.name: group for group in GROUPS}["funds"]
    assert (funds.watt, funds.delay_h) == (25, 0.0)
    assert [group.watt for group in GROUPS] == [25, 35, 15, 25]


# Section 6.


def test_a_haircut_helps_with_a_signature_each_slot_and_hardly_with_one_a_day():
    means = {
        hours: dict(
            compare_rules(WattTerms(attestation_hours=hours), seeds=5, hours=36)
            .group_by("rule", maintain_order=True)
            .agg(pl.col("advantage").mean() * 100)
            .rows()
        )
        for hours in (24.0, EACH_SLOT)
    }
    assert means[24.0]["par"] == pytest.approx(14.0, abs=0.05)
    assert means[24.0]["haircut"] == pytest.approx(13.7, abs=0.05)
    assert means[EACH_SLOT]["haircut"] == pytest.approx(3.0, abs=0.05)
    assert means[EACH_SLOT]["stop"] < 0.1
    assert abs(advantage("haircut", EACH_SLOT, fire_discount=0.0)) < 0.2, "what is left are the hasty sales"


@pytest.mark.parametrize(("delay", "helps"), [(0.0, True), (0.25, False), (1.0, False), (4.0, False)])
def test_a_signature_one_quarter_of_an_hour_late_is_too_late(delay, helps):
    assert (advantage("haircut", 6 + delay) < 7) is helps
    assert advantage("par", 6 + delay) == pytest.approx(14, abs=0.3)


# Section 7.


def test_a_pause_stops_the_issuers_side_and_not_the_holders():
    chain = watt_chain()
    says = [
        told(chain, "10:00", "issuer", "watt_pause", pause_frame("bad news")),
        told(chain, "10:15", "issuer", "mint", minted({"Kaew": 1})),
        told(chain, "10:30", "Pranee", "redeem", amount_frame(60 * WATT)),
        told(chain, "10:45", "bank", "redemption_payout", amount_frame(60 * WATT)),
        told(chain, "11:00", "Kaew", "transfer", transfer("Kaew", "Prasit", "WATT", 7 * WATT, "transfer")),
        told(chain, "11:15", "issuer", "watt_resume", pause_frame("all is well")),
        told(chain, "11:30", "regulator", "watt_resume", pause_frame("looked into")),
        told(chain, "11:45", "bank", "redemption_payout", amount_frame(60 * WATT)),
    ]
    taken = [each == "accepted" for each in says]
    assert taken == [True, False, True, False, True, False, True, True]


def test_a_pause_costs_who_cannot_wait_and_saves_nobody_a_baht():
    whole, prices = [], []
    for hours in (0, 24, 48, 72, 96):
        levers = {"pause_below": 99.0, "pause_hours": hours} if hours else {}
        paused = run(WattTerms(gap_rule="haircut", attestation_hours=EACH_SLOT, **levers), hours=108)
        prices.append(paused.slots.filter(hour=6)["price"].item() / WATT)
        whole.append((round(100 * paused.first_mover_advantage, 1), round(paused.people["loss"].sum() / MILLION, 2)))
    assert prices == pytest.approx([0.917, 0.821, 0.821, 0.773, 0.725], abs=1e-6)
    assert len(set(whole)) == 1
    trades = gl.Lab.thailand(prosumers=200, seed=0).day().trades
    assert trades["amount"].sum() / WATT * (1 - prices[0]) == pytest.approx(187, abs=0.5)


# Section 8.


@cache
def rumour(discount, share):
    watt = WattTerms(gap_rule="haircut", attestation_hours=EACH_SLOT, cash_share=share, fire_discount=discount)
    lost = [run(watt, HolderTerms(shock_loss=0.0), hours=30, seed=seed).people["loss"].sum() for seed in range(4)]
    return np.array(lost) / MILLION


def test_a_false_rumour_costs_nothing_with_enough_cash_and_a_tenth_of_all_bonds_with_little():
    for discount in (4.0, 10.0):
        assert rumour(discount, 40).max() == 0
        assert rumour(discount, 60).max() == 0
    for share in (0, 10, 20, 30):
        assert rumour(10.0, share) == pytest.approx(np.full(4, (100 - share) / 10), abs=0.01)
    assert rumour(10.0, 35).min() < 0.5
    assert rumour(10.0, 35).max() == pytest.approx(6.5, abs=0.01)
    assert rumour(4.0, 10).max() < 0.9 * 0.04 * 90, "most runs die out before all bonds are sold"


@cache
def gated(limit):
    outcome = run(WattTerms(gap_rule="haircut", gate=limit), hours=48, seed=0)
    early = outcome.slots.filter(pl.col("hour") < 24)
    unpaid = 100 * (1 - outcome.people["redeemed"].sum() / outcome.circulation)
    return early["asked"].sum(), early["burned"].sum(), 100 * outcome.first_mover_advantage, unpaid


def test_a_gate_makes_the_queue_that_frightens_all_and_helps_only_if_it_is_tight():
    asked, out, _, _ = gated(0.0)
    assert asked == pytest.approx(150, abs=10)
    for limit in (0.1, 0.5, 0.7, 1.5):
        assert gated(limit)[0] == 2_000, "everybody asks before the auditor comes"
    assert gated(0.1)[2] == pytest.approx(2.6, abs=0.1)
    assert gated(0.1)[3] > 80, "four WATT in five"
    for limit in (0.7, 1.0, 1.5):
        assert gated(limit)[2] == pytest.approx(14.0, abs=0.1)
        assert gated(limit)[1] > out


def test_the_task_at_the_controls_goes_as_its_answer_says():
    first = {"hours": 36, "seed": 1}
    assert set(recovered(run(WattTerms(gap_rule="par", buffer=9.1), **first)).values()) == {1.0}
    assert min(recovered(run(WattTerms(gap_rule="par", buffer=9.0), **first)).values()) < 1.0
    answer = {"gap_rule": "haircut", "attestation_hours": EACH_SLOT, "cash_share": 100.0}
    whole = run(WattTerms(**answer), **first)
    assert set(np.round(list(recovered(whole).values()), 3)) <= {0.917, 0.918}
    assert whole.people["redeemed"].sum() > 0.85 * whole.circulation
    for lever in answer:
        fewer = {name: value for name, value in answer.items() if name != lever} | (
            {"gap_rule": "par"} if lever == "gap_rule" else {}
        )
        assert min(recovered(run(WattTerms(**fewer), **first)).values()) < 0.91
    stop = run(WattTerms(gap_rule="stop", attestation_hours=EACH_SLOT), **first)
    assert stop.people["redeemed"].sum() < 0.01 * stop.circulation


# Sections 9 and 10.


def test_the_real_chain_pays_what_the_model_says_and_coverage_falls_as_the_text_says():
    names = played("watt, terms = ", run=run, WattTerms=WattTerms, HolderTerms=HolderTerms)
    frame, model = names["played"], names["model"]
    assert frame.select(model.columns).equals(model)
    assert names["backed"]
    cover = (frame["reserve"] / frame["circulation"]).to_list()
    assert [round(cover[slot], 3) for slot in (3, 4, 5, 7, 8)] == [1.0, 0.917, 0.917, 0.917, 0.883]
    owed = LiabilityTree.of_chain(names["real"], secret=SECRET)
    assert owed.sign_for(names["cast"].issuer, names["real"]).total == names["real"].ledger.circulation("WATT")


def test_each_bad_proof_is_refused_with_its_reason():
    chain, pranee = watt_chain(), lesson_16.key_pair("Pranee").public_key
    tree, issuer = LiabilityTree.of_chain(chain, secret=SECRET), lesson_16.key_pair("issuer")
    statement = tree.sign_for(issuer, chain)
    proofs = {name: tree.prove(lesson_16.key_pair(name).public_key).to_bytes() for name in HOLDINGS}

    class Seen:
        reason = ""

    names = played("from dataclasses import replace", proofs=proofs, WATT=WATT, judged=lambda *_: Seen)
    reasons = {
        "cut": "cut short after 1 nodes",
        "shifted": "another holder's or another tree's",
        "another holder's": "the proof is for 70000000 micro-THB, yours are 60000000",
        "less than she has": "the proof is for 59999999",
        "a negative sum": "which is negative",
    }
    assert set(names["tries"]) == set(reasons)
    known = {"issuer": issuer.public_key, "chain_id": CHAIN, "height": chain.height}
    for what, proof in names["tries"].items():
        assert isinstance(proof, LiabilityProof)
        with pytest.raises(StablecoinError, match=reasons[what]):
            proof.check(statement, **known, public_key=pranee, balance=HOLDINGS["Pranee"])


def test_each_bad_mint_and_attestation_is_refused_with_its_reason():
    said = []
    names = {name: getattr(lesson_16, name) for name in lesson_16.__all__}
    names["told"] = lambda *how, **when: said.append(told(*how, **when)) or said[-1]
    exec(source("more, booked = "), names | {"print": lambda *_: None})  # noqa: S102 - the lesson's own code
    assert said[:2] == ["accepted", "accepted"]
    reasons = (
        "1 micro-THB would be missing",
        "the newest attestation is",
        "not the attestor's",
        "later than",
        "after its",
    )
    assert len(said) == 7
    for reason, words in zip(said[2:], reasons, strict=True):
        assert words in reason


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    assert float(lesson_16.last_quarter().answer) == pytest.approx(57.8, abs=0.05)
    assert float(lesson_16.most_minted().answer) == pytest.approx(30 - 16.6)
    assert float(lesson_16.haircut_paid().answer) == pytest.approx(60 * 0.917 * 0.995, abs=1e-6)
    lost = first_result().slots["lost"]
    assert lesson_16.fire_cost().answer * MILLION == lost[-1] - lost[24]
    assert lesson_16.least_total().answer == max(HOLDINGS.values()) // WATT
    assert lesson_16.negative_leaf().answer == "Kaew"
