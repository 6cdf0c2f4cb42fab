"""What the text of lesson 11 says of swaps, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain.keys import sandbox
from gridlab.chain.public import PublicTerms
from gridlab.chain.swaps import (
    Halt,
    HashLock,
    LockBook,
    LockTerms,
    Stops,
    Swap,
    SwapTerms,
    World,
    hash_of,
    lock_frame,
    worst_case,
)
from gridlab.errors import ArgumentError, ChainError, LeverError
from gridlab.learn import lesson_11
from gridlab.learn.lesson_11 import DEAL, ISSUER, KAEW, PRASIT, SECOND, Unchecked, cunning
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "11-swap-without-trust.ipynb"
SECRET = np.random.default_rng(11).bytes(32)
TERMS, RUNNING = SwapTerms(), Stops()
T1, T2 = 268, 142
HERS = LockTerms(KAEW, PRASIT, "GRID", DEAL.amount_given, hash_of(SECRET), T1 * SECOND)
HIS = LockTerms(PRASIT, KAEW, "WATT", DEAL.amount_got, hash_of(SECRET), T2 * SECOND)
FIRST, LATTER = HashLock("public", 0, HERS, 0), HashLock("consortium", 0, HIS, 22 * SECOND)


@cache
def text():
    return "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)


def allowed(act, *arguments):
    try:
        act(*arguments)
    except ChainError:
        return False
    return True


def may_claim(lock, now, stops=RUNNING):
    return allowed(lock.claim, SECRET, now * SECOND, stops)


def may_refund(lock, now, stops=RUNNING):
    return allowed(lock.refund, now * SECOND, stops)


def until(lock, second):
    return replace(lock, terms=replace(lock.terms, timeout=second * SECOND))


def ends(until_1, until_2, she, he):
    """Who has lost, where claims stand in these seconds."""
    hers, his = may_claim(until(LATTER, until_2), she), may_claim(until(FIRST, until_1), he)
    return {(True, False): "Prasit", (False, True): "Kaew"}.get((hers, his), "nobody")


def two_locks():
    world = World.of(DEAL, TERMS)
    public, consortium = world.first.ledger, world.second.ledger
    book_1, first = LockBook("public").lock(public, HERS, 0, RUNNING)
    book_2, second = LockBook("consortium").lock(consortium, HIS, 22 * SECOND, RUNNING)
    return public, consortium, book_1, first, book_2, second


# The story, sections 1 and 2.


def test_the_figures_of_the_first_table_are_the_levers_in_force():
    assert (TERMS.public_finality, TERMS.consortium_finality) == (12, 3)
    assert (TERMS.drift, TERMS.reaction, TERMS.notice) == (2, 10, 30)
    assert (TERMS.answer, TERMS.delta, TERMS.capital_cost) == (120, 122, 5.0)
    assert (TERMS.first_timeout, 22 + TERMS.answer) == (T1, T2)
    assert TERMS.finality + TERMS.reaction == 22
    for stated in ("| within 12 s; 3 s |", "| 2 s; 10 s; 30 s |", "| 120 s; 122 s |", "| 5 % a year |"):
        assert stated in text()


def test_what_is_made_up_is_said_to_be():
    assert "Both people, the cooperative, the deal and its rate are made up." in text()
    assert "outside it has no price" in text()


def test_the_first_drill_has_four_orders_and_ends_after_29_seconds():
    outcome = Swap(DEAL, seed=1).run()
    assert (outcome.result, outcome.losers) == ("swapped", ())
    assert outcome.orders["action"].to_list() == ["lock", "lock", "claim", "claim"]
    assert outcome.orders["second"][-1] == 29
    assert set(outcome.orders["refused"]) == {""}


def test_sha_256_of_the_notebook_is_the_library_s_and_two_bytes_are_guessed():
    assert hash_of(SECRET) == hashlib.sha256(SECRET).digest()
    assert int.from_bytes(SECRET[:2]) < 65_536


def test_eight_bytes_take_a_third_of_a_year_and_32_a_number_of_58_digits():
    years = {n: 2 ** (8 * n - 1) / 10**12 / (365 * 86_400) for n in (8, 32)}
    assert years[8] == pytest.approx(1 / 3, abs=0.05)
    assert len(str(int(years[32]))) == 58


# Sections 3 and 4.


@given(now=st.integers(0, 10 * T1))
@settings(max_examples=60)
def test_in_every_second_exactly_one_of_claim_and_refund_may_happen(now):
    assert may_claim(FIRST, now) != may_refund(FIRST, now)
    assert may_claim(FIRST, now) == (now < T1)


def test_the_swap_by_hand_moves_both_and_what_is_locked_is_reserved():
    public, consortium, book_1, first, book_2, second = two_locks()
    assert public.reserved(KAEW, "GRID") == DEAL.amount_given == public.available(KAEW, "GRID")
    book_2, _ = book_2.claim(consortium, second.id, SECRET, 30 * SECOND, RUNNING)
    seen = book_2.preimage_of(first.terms.hash)
    assert seen == SECRET
    book_1.claim(public, first.id, seen, 48 * SECOND, RUNNING)
    assert public.balance(PRASIT, "GRID") == DEAL.amount_given
    assert consortium.balance(KAEW, "WATT") == DEAL.amount_got
    for ledger, asset in ((public, "GRID"), (consortium, "WATT")):
        assert sum(ledger.balance(who, asset) for who in (ISSUER, KAEW, PRASIT)) == 0


# Sections 5 and 6.


def test_prasit_loses_until_t1_is_t2_plus_22():
    found = {first: ends(first, T2, T2 - 1, T2 - 1 + 22) for first in range(T2, T1 + 1)}
    assert {first for first, loser in found.items() if loser == "Prasit"} == set(range(T2, T2 + 22))
    assert set(found.values()) == {"Prasit", "nobody"}


@cache
def can_lose(sent, delta):
    waits = [(hers, his) for hers in (0, 3) for his in (1, 22)]
    return {ends(T2 + delta, T2, T2 - sent + hers, T2 - sent + hers + his) for hers, his in waits} - {"nobody"}


def test_the_map_has_the_countries_that_the_text_names():
    for sent in range(31):
        for delta in range(31):
            losers = can_lose(sent, delta)
            if sent > 3:
                assert "Kaew" not in losers
            if delta >= 22:
                assert "Prasit" not in losers
            if sent > 25:
                assert not losers
    assert can_lose(2, 10) == {"Kaew", "Prasit"}
    assert can_lose(4, 21) == {"Prasit"}
    for sent in range(4):
        assert can_lose(sent, 1_000) == {"Kaew"}, "no delta helps against that"


@pytest.mark.parametrize("her_wait", [0, 1, 2, 3])
@pytest.mark.parametrize("his_wait", [1, 7, 15, 22])
def test_from_delta_22_on_no_second_and_no_wait_makes_prasit_lose(her_wait, his_wait):
    for sent in range(31):
        for delta in range(22, 51):
            she = T2 - sent + her_wait
            assert ends(T2 + delta, T2, she, she + his_wait) != "Prasit"


def test_the_task_at_the_sliders_goes_as_its_answer_says():
    assert min(delta for delta in range(51) if ends(T2 + delta, T2, T2 - 1, T2 + 21) == "nobody") == 22
    for sent in range(4):
        assert ends(T2 + 50, T2, T2 - sent + 3, T2 - sent + 3 + 22) == "Kaew"


# Section 7.


def test_the_limits_are_56_and_38_seconds_and_the_door_refuses_what_is_not_above():
    assert (TERMS.least_delta, TERMS.least_answer) == (56, 38)
    assert TERMS.least_delta - TERMS.notice == 26
    for wrong in ({"delta": 56}, {"answer": 38}, {"answer": 30}):
        with pytest.raises(LeverError, match="allowed: above"):
            SwapTerms(**wrong)
    assert SwapTerms(delta=57).delta == 57


@cache
def by_chance(delta):
    drills = [Swap(DEAL, Unchecked(delta=delta), initiator="late", seed=seed) for seed in range(40)]
    return sum("responder" in drill.run().losers for drill in drills)


@cache
def by_cunning(delta, *, checked=False):
    terms = SwapTerms(delta=delta) if checked else Unchecked(delta=delta)
    late = Swap(DEAL, terms, initiator="late")
    return [late.drive(cunning(terms, brief), SECRET) for brief in range(27)]


def lost(drills):
    return [drill for drill in drills if "responder" in drill.losers]


def test_chance_finds_no_loss_at_ten_seconds_and_a_thief_does():
    assert by_chance(10) == 0
    assert by_chance(2) > 0
    assert len(lost(by_cunning(10))) > 0


def test_the_thief_finds_losses_further_up_than_chance_and_reaches_neither_line():
    assert lost(by_cunning(14))
    assert by_chance(14) == 0
    for delta in (18, 26, 57):
        assert not lost(by_cunning(delta))


def test_a_theft_ends_with_a_late_claim_and_a_refund():
    theft = lost(by_cunning(10))[0]
    assert theft.result == "one-sided"
    refused = theft.orders.filter(pl.col("refused") != "")
    assert refused.select("party", "action").rows() == [("responder", "claim")]
    assert "was over" in refused["refused"].item()
    assert theft.orders.select("party", "action").rows()[-1] == ("initiator", "refund")


def test_mended_terms_end_in_a_swap_or_in_two_refunds():
    drills = by_cunning(57, checked=True)
    assert set(Counter(drill.result for drill in drills)) == {"swapped", "refunded"}
    assert not any(drill.losers for drill in drills)
    for drill in drills:
        if drill.result == "refunded":
            assert set(drill.orders["party"]) == {"initiator"}, "Prasit did not answer"


def test_an_answer_that_is_too_short_makes_a_swap_fail_and_nobody_lose():
    results = {
        answer: [Swap(DEAL, Unchecked(answer=answer), seed=seed).run() for seed in range(10)] for answer in (5, 12)
    }
    assert not any(each.losers for drills in results.values() for each in drills)
    assert {each.result for each in results[5]} == {"refunded"}
    assert "refunded" in {each.result for each in results[12]}


# Section 8.


def stop(begin, end):
    return Stops().begin("consortium", begin * SECOND).end("consortium", end * SECOND)


def test_an_untold_stop_opens_the_trap_from_268_to_341_and_a_watching_lock_shuts_it():
    stops = stop(60, 260)
    both = [now for now in range(22, 600) if may_refund(FIRST, now) and may_claim(LATTER, now, stops)]
    assert both == list(range(268, 342))
    watching = replace(FIRST, terms=replace(HERS, watched=("consortium",)))
    over = {name: next(now for now in range(22, 600) if lock.remaining(now * SECOND, stops) <= 0)
            for name, lock in (("his", LATTER), ("hers", FIRST), ("watching", watching))}  # fmt: skip
    assert over == {"his": 342, "hers": 268, "watching": 468}


@given(begin=st.integers(22, 141), length=st.integers(1, 500))
@settings(max_examples=40)
def test_with_a_watching_lock_no_stop_lets_her_have_both(begin, length):
    stops = stop(begin, begin + length)
    watching = replace(FIRST, terms=replace(HERS, watched=("consortium",)))
    now = next(now for now in range(T1, T1 + length + 2) if may_refund(watching, now, stops))
    assert now == T1 + length
    assert not may_claim(LATTER, now, stops)


@cache
def stopped(told):
    halts = [Halt("second", 20, 400)]
    return [Swap(DEAL, initiator="racing", halts=halts, seed=seed, told=told).run() for seed in range(20)]


def test_untold_prasit_loses_wherever_he_answered_and_told_never():
    untold = stopped(told=False)
    assert len(lost(untold)) >= 5
    for drill in untold:
        answered = "lock" in drill.orders.filter(party="responder")["action"].to_list()
        assert ("responder" in drill.losers) == answered
    assert not lost(stopped(told=True))


def test_a_stop_of_the_public_chain_harms_nobody():
    results = [Swap(DEAL, halts=[Halt("first", 20, 400)], seed=seed).run() for seed in range(20)]
    assert {each.result for each in results} == {"swapped"}


# Section 9.


def test_waiting_costs_less_than_a_quarter_of_a_satang_and_the_griefer_who_locks_waits_longer():
    table = worst_case(TERMS, DEAL.amount_given, DEAL.amount_got)
    assert table["seconds"].to_list() == [292, 144]
    assert 0.2 < table.filter(victim="responder")["cost"].item() / 1e4 < 0.25
    of_prasit = Swap(DEAL, seed=1, responder="griefing").run().locked
    assert of_prasit["payer"].to_list() == ["initiator"]
    of_kaew = dict(Swap(DEAL, seed=1, initiator="griefing").run().locked.select("payer", "seconds").rows())
    assert of_kaew["initiator"] > of_kaew["responder"]


def test_an_hour_of_finality_may_hold_her_money_for_five_hours():
    slow = SwapTerms(public_finality=3600, answer=7215, delta=3645)
    assert worst_case(slow, 1, 1)["seconds"][0] / 3600 == pytest.approx(5.0, abs=0.05)


def test_the_choice_is_worth_thousands_of_times_the_waiting():
    """Bachelier (1900), at the money, against draws of a price that wobbles by 80 % a year."""
    years = TERMS.answer / (365 * 86_400)
    option = 0.8 * 10_000 * np.sqrt(years / (2 * np.pi))
    moves = np.random.default_rng(0).normal(0, 0.8 * 10_000 * np.sqrt(years), 200_000)
    assert option == pytest.approx(np.maximum(moves, 0).mean(), rel=0.02)
    waiting = worst_case(TERMS, DEAL.amount_given, DEAL.amount_got).filter(victim="responder")["cost"].item() / 1e6
    assert 2_000 < option / waiting < 4_000


# Section 10.


STANDING = Stops().begin("consortium", 25 * SECOND)
TRIES = {
    "the preimage has the hash": ("claim", bytes(32), 30 * SECOND, RUNNING),
    "31 bytes, allowed": ("claim", SECRET[:31], 30 * SECOND, RUNNING),
    "33 bytes, allowed": ("claim", SECRET + b"\0", 30 * SECOND, RUNNING),
    "was over": ("claim", SECRET, T2 * SECOND, RUNNING),
    "may be claimed": ("refund", (T2 - 1) * SECOND, RUNNING),
    "stands": ("claim", SECRET, 30 * SECOND, STANDING),
}


@pytest.mark.parametrize("reason", TRIES)
def test_each_try_is_refused_with_its_reason_and_no_ledger_moves(reason):
    act, *arguments = TRIES[reason]
    _, consortium, _, _, book_2, second = two_locks()
    before = consortium.commitment
    with pytest.raises((ChainError, ArgumentError), match=reason):
        getattr(book_2, act)(consortium, second.id, *arguments)
    assert consortium.commitment == before


def test_a_refused_claim_has_shown_the_secret_and_kaew_loses_by_a_second():
    public, consortium, book_1, first, book_2, second = two_locks()
    with pytest.raises(ChainError):
        book_2.claim(consortium, second.id, SECRET, T2 * SECOND, RUNNING)
    book_2.refund(consortium, second.id, T2 * SECOND, RUNNING)
    book_1, _ = book_1.claim(public, first.id, SECRET, (T2 + 22) * SECOND, RUNNING)
    assert consortium.available(PRASIT, "WATT") == 2 * DEAL.amount_got
    assert public.available(PRASIT, "GRID") == DEAL.amount_given
    assert consortium.available(KAEW, "WATT") == 0
    with pytest.raises(ChainError, match="public already"):
        book_1.lock(public, replace(HERS, timeout=1000 * SECOND), 200 * SECOND, RUNNING)


def test_an_honest_kaew_stops_three_and_two_seconds_before_t2():
    assert TERMS.consortium_finality + TERMS.drift == 5
    assert "3 s of finality and 2 s of clocks" in text()


# Section 11.


def test_the_swap_on_two_real_chains_costs_each_less_than_a_hundredth_of_a_grid():
    pairs = {name: sandbox(11, name) for name in ("issuer", "Kaew", "Prasit", "bank")}
    public_keys = [pair.public_key for pair in pairs.values()]
    roles = ["watt_issuer", "trader", "trader", "reserve_bank"]
    watt = gl.ConsortiumChain(
        pl.DataFrame({"account": range(4), "name": list(pairs), "role": roles, "public_key": public_keys})
    )
    for number, who, payer, payee, asset, kind in (
        (1, "bank", 3, 0, "THB", "reserve"), (2, "issuer", 0, PRASIT, "WATT", "mint"),
    ):  # fmt: skip
        ends_of = {"transfer_id": number, "debit_account": payer, "credit_account": payee}
        watt.send(pairs[who], kind, pl.DataFrame(ends_of | {"asset": asset, "amount": 20_000_000_000, "code": kind}))
    assert watt.seal(SECOND).rejected == 0
    grid = gl.PublicChain(
        pl.DataFrame({"public_key": public_keys[1:3], "balance": [8_000_000_000, 1_000_000]}),
        terms=PublicTerms(validators=10),
    )
    accounts = [grid.account(pairs[name]) for name in ("Kaew", "Prasit")]
    offer = LockTerms(*accounts, "GRID", DEAL.amount_given, hash_of(SECRET), T1 * SECOND, (watt.chain_id,))
    grid.send(pairs["Kaew"], "hash_lock", lock_frame(offer))
    assert grid.run(3)["final"].all()
    watt.send(pairs["Prasit"], "hash_lock", lock_frame(HIS))
    assert watt.seal(22 * SECOND).rejected == 0
    (lock_1,), (lock_2,) = grid.lock_book.locks, watt.lock_book.locks
    watt.send(pairs["Kaew"], "hash_claim", pl.DataFrame({"lock": [lock_2], "preimage": [SECRET]}))
    assert watt.seal(30 * SECOND).rejected == 0
    seen = watt.lock_book.preimage_of(hash_of(SECRET))
    grid.send(pairs["Prasit"], "hash_claim", pl.DataFrame({"lock": [lock_1], "preimage": [seen]}))
    grid.run(5)
    assert grid.transactions["accepted"].to_list() == [True, True]
    assert watt.ledger.balance(KAEW, "WATT") == watt.ledger.balance(PRASIT, "WATT") == DEAL.amount_got
    assert 0 < DEAL.amount_given - grid.balance(pairs["Kaew"]) < 10_000
    assert 0 < DEAL.amount_given + 1_000_000 - grid.balance(pairs["Prasit"]) < 10_000


# Exercises.


@pytest.mark.parametrize(
    ("question", "wrong", "hint"),
    [
        ("11-q1", 142, "timeout itself"),
        ("11-q1", 120, "how long the lock holds"),
        ("11-q1", 267, "the other lock"),
        ("11-q2", "Kaew", "the WATT besides"),
        ("11-q2", "nobody", "in the same way"),
        ("11-q3", 104, "must be above"),
        ("11-q3", 75, "the news of a stop"),
        ("11-q3", 103, "count twice"),
        ("11-q3", 57, "needs 12 s"),
        ("11-q4", 22.83, "5 %"),
        ("11-q4", 28.54, "must react"),
        ("11-q5", 126, "before the timeout"),
        ("11-q5", 208, "go on earlier"),
        ("11-q6", 5024, "how many tries"),
    ],
)
def test_a_typical_mistake_gets_its_own_hint(question, wrong, hint):
    verdict = gl.learn.check(question, wrong)
    assert not verdict
    assert hint in verdict.text


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    assert lesson_11.last_second().answer == T2 - 1
    assert lesson_11.slow_chain().answer == 60 + 10 + 30 + 2 * 2 + 1
    assert lesson_11.untold_stop().answer == T1 - T2 + 1
    assert float(lesson_11.dear_wait().answer) == pytest.approx(1e8 * 144 * 0.075 / (365 * 86_400))
    assert lesson_11.lost_lock().answer == ends(T2, T2, T2 - 1, T2 + 21)
    assert hash_of(lesson_11.pin_secret(int(lesson_11.stolen_pin().answer))) == lesson_11.PIN_HASH


def test_terms_without_the_check_take_what_the_others_refuse():
    assert Unchecked(delta=2, answer=2).delta == 2


def test_the_lesson_swaps_the_deal_of_its_keys():
    assert "amount_given=4_000_000_000" in text()
    assert "amount_got=10_000_000_000" in text()
    assert (DEAL.amount_given, DEAL.amount_got) == (4_000_000_000, 10_000_000_000)
