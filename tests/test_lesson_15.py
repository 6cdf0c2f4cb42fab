"""What the text of lesson 15 says of curves, of the day with a vote, of whales and of two hundred votes."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import nbformat
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain.staking import nakamoto_coefficient
from gridlab.errors import GovernanceError, GridlabError
from gridlab.governance import Assembly, Ballot, Governance, voters, voting
from gridlab.governance.agenda import COOPERATIVE
from gridlab.holders import holders
from gridlab.institutions import institutions_of
from gridlab.learn import lesson_15
from gridlab.learn.lesson_15 import DELEGATES, FIRST_NEW, LEVERS, NEW, SLOTS, STAMP, gains_by_account, gains_by_party
from tests.house import ROOT

LESSON = ROOT / "tutorials" / "15-change-the-wheeling-charge.ipynb"
GRID = 10**6
MINUTE = 60_000_000

# Cells on which the text builds, without the day: how each begins.
CELLS = ["def through(", "def decided(", "cases =", "grid = {COOPERATIVE", "population =", "people =", "grid = 10**6"]


@cache
def cells():
    return [cell.source for cell in nbformat.read(LESSON, as_version=4).cells]


@cache
def text():
    return "\n".join(cells())


@cache
def lesson():
    """Run these cells of the lesson, and return what they define."""
    names = {
        "Assembly": Assembly, "Ballot": Ballot, "COOPERATIVE": COOPERATIVE, "Fraction": Fraction, "STAMP": STAMP,
        "Governance": Governance, "lab": lesson_15.neighbourhood(), "my_result": "", "my_support": 0.0,
        "voters": voters,
    }  # fmt: skip
    for beginning in CELLS:
        source = next(each for each in cells() if each.startswith(beginning))
        exec(source.replace("table_of_all.controls()", ""), names)  # noqa: S102 - the lesson's own words
    return SimpleNamespace(**names)


@cache
def usual():
    return lesson_15.neighbourhood().day(slots=SLOTS)


@pytest.fixture(scope="module")
def run():
    return lesson_15.voted().run(slots=SLOTS, progress=False)


def track():
    return Governance().rules()["parameter"]


# The table, the first result and section 1.


def test_the_table_states_the_numbers_in_force():
    lever = lesson_15.neighbourhood().votable().filter(path=STAMP).row(0, named=True)
    assert (float(lever["value"]), lever["low"], lever["high"], lever["governed_by"]) == (1.07, 0, 5, "ERC")
    terms = Governance().parameter
    approval = (terms.approval_start, terms.approval_at, terms.approval_level, terms.approval_end)
    support = (terms.support_start, terms.support_at, terms.support_level, terms.support_end)
    assert approval == (100, 14.3, 80, 50)
    assert support == (50, 25, 10, 0)
    assert (Governance().lock_period, terms.decision) == (30, 120)
    assert (terms.prepare, terms.confirm, terms.enactment) == (10, 10, 10)
    assert round(0.3759 + 0.3297, 3) == NEW
    stated = ("| 1.07 THB/kWh |", "| 0.706 THB/kWh |", "| 0 to 5 THB/kWh |", "| 30 minutes; 120 minutes |")
    assert all(each in text() for each in stated)
    assert "who holds GRID are made up" in text()


def test_the_notebook_and_the_keys_speak_of_the_same_lab():
    for path, value in LEVERS.items():
        assert f'"{path}": {value}' in text()
    for school, amount in DELEGATES.items():
        assert f'"{school}": {amount:_}' in text()


def test_wishes_out_of_bounds_are_refused_when_they_are_made():
    govern = lesson_15.neighbourhood().governance
    for wish in ({STAMP: 9.0}, {STAMP: -0.5}, {"market.wheeling.postage_stamps": 0.5}, {"agents.pv_share": 90}):
        with pytest.raises(GovernanceError):
            govern.propose(wish)
    assert govern.agenda.proposals == 0


def test_households_have_less_than_the_cooperative_and_nobody_has_half():
    held = holders(usual().accounts)
    by_group = dict(held.group_by("group").agg(pl.col("balance").sum()).rows())
    assert by_group["household"] < by_group["cooperative"]
    assert max(by_group, key=by_group.get) == "factory"
    assert held.filter(group="household").height == 31
    assert held.filter(group="factory").height == 2
    assert held["balance"].max() < held["balance"].sum() / 2


# Sections 2 to 4.


@given(minute=st.integers(0, 120))
@settings(max_examples=30, deadline=None)
def test_the_curves_by_hand_are_those_of_the_chain(minute):
    x = Fraction(minute, 120)
    assert (lesson().approval(x), lesson().support(x)) == track().needs(minute * MINUTE)


def test_half_way_3_85_percent_of_all_grid_are_enough_and_at_the_end_none():
    assert 100 * float(lesson().support(Fraction(1, 2))) == pytest.approx(3.85, abs=0.005)
    assert lesson().support(Fraction(1)) == 0
    assert lesson().approval(Fraction(1)) == Fraction(1, 2)


def test_locks_double_and_votes_grow_by_one():
    for conviction in range(1, 7):
        assert voting.conviction_votes(100 * GRID, conviction) == 100 * GRID * conviction
        assert voting.lock_periods(conviction) == 2 ** (conviction - 1)
    assert voting.lock_periods(6) * Governance().lock_period == 16 * 60
    assert (voting.conviction_votes(100 * GRID, 0.1), voting.lock_periods(0.1)) == (10 * GRID, 0)


@pytest.mark.parametrize(
    ("rule", "passes"),
    [("super_majority_approve", False), ("super_majority_against", True), ("simple_majority", True)],
)
def test_the_vote_by_hand_under_adaptive_quorum(rule, passes):
    assert voting.adaptive_quorum(rule, 1_000, 600, 1_600, 10_000) is passes
    assert 100 / (1 + math.sqrt(0.16)) == pytest.approx(71.4, abs=0.05)


@given(root=st.integers(1, 100), ayes=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_solid_line_is_the_first_rule(root, ayes):
    turnout, everybody = root * root * 1_000_000, 10_000 * 1_000_000
    share = Fraction(ayes, 1000)
    passes = voting.adaptive_quorum(
        "super_majority_approve", int(share * turnout), turnout - int(share * turnout), turnout, everybody
    )
    assert passes == (share > 1 / (1 + Fraction(root, 100)))


# Sections 5 and 6: the day.


def test_the_proposal_is_in_force_when_the_hand_says(run):
    ayes, nays = 2 * 8_000 + sum(DELEGATES.values()), 8_000
    electorate = holders(usual().accounts)["balance"].sum()
    waits = (
        120 * track().approval.delay(Fraction(ayes, ayes + nays)),
        120 * track().support.delay(Fraction((8_000 + sum(DELEGATES.values())) * GRID, electorate)),
    )
    assert [float(each) for each in waits] == pytest.approx([21.94, 7.57], abs=0.005)
    assert math.ceil(waits[0]) - math.ceil(waits[1]) == 14, "what the nays cost"
    row = run.frames["referenda"].row(0, named=True)
    assert (row["status"], row["outcome"]) == ("approved", "enacted")
    assert (row["ayes"], row["nays"]) == (ayes * GRID, nays * GRID)
    moments = [row[name] + timedelta(hours=7) for name in ("submitted", "deciding_since", "ended", "enacted_from")]
    assert [f"{each:%H:%M}" for each in moments] == ["09:31", "09:41", "10:13", "10:23"]
    moved = run.frames["moved"].row(0, named=True)
    assert (moved["path"], moved["value"], f"{moved['slot']:%H:%M}") == (STAMP, "0.706", "10:30")
    assert moved["slot"] == usual().slots[FIRST_NEW]
    assert run.frames["refused"].is_empty()


def test_the_block_that_moved_the_lever_is_final_and_cited(run):
    moved = run.frames["moved"].row(0, named=True)
    change = run.chain.market_changes.row(0, named=True)
    assert change["reference"] == f"public block {moved['public_block']}, referendum 0"
    assert run.public.block(moved["public_block"]).justification is not None


def test_no_more_energy_is_traded_and_prices_rise_in_two_zones(run):
    start = usual().slots[FIRST_NEW]
    day = {}
    for name, trades in {"usual": usual().trades, "voted": run.trades}.items():
        late = trades.filter(pl.col("slot") >= start)
        price = pl.col("amount").sum() / pl.col("energy").sum() / 1000
        day[name] = late.group_by("zone").agg(pl.col("energy").sum(), price.alias("price")).sort("zone")
    early = [trades.filter(pl.col("slot") < start)["amount"].sum() for trades in (usual().trades, run.trades)]
    assert early[0] == early[1] > 0
    assert day["usual"]["energy"].equals(day["voted"]["energy"])
    rise = dict(zip(day["usual"]["zone"].cast(pl.String), day["voted"]["price"] - day["usual"]["price"], strict=True))
    assert {zone for zone, more in rise.items() if more > 0.01} == {"MAC", "SAC"}
    assert all(more >= 0 for more in rise.values())
    room = (1.07 - NEW) / 1.0535
    assert room == pytest.approx(0.3455, abs=5e-5)


def test_in_force_at_half_past_ten_bangkok_jumps_and_near_noon_the_lines_are_one(run):
    def price(frame, zone):
        rows = frame.filter(pl.col("slot") >= usual().slots[FIRST_NEW - 1], zone=zone).sort("slot")
        return rows["price"].to_list()

    plain = usual().frames()["prices"]
    assert price(run.prices, "MAC")[:2] == [2916, 3262]
    assert price(plain, "MAC")[:2] == [2916, 2916]
    for zone in ("MAC", "SAC"):
        rise = [after - before for before, after in zip(price(plain, zone), price(run.prices, zone), strict=True)][1:]
        assert set(rise) <= {0, 345, 346}
        one = [usual().slots[FIRST_NEW + place].hour for place, more in enumerate(rise) if not more]
        assert one
        assert set(one) <= {11, 12}
        lowest = [before for before, more in zip(price(plain, zone)[1:], rise, strict=True) if not more]
        assert max(lowest) <= 2500, "the buy-back and a gain of at most 0.30"


def test_the_gains_of_the_day_are_those_of_the_text_and_sum_to_zero(run):
    institutions = institutions_of(usual().accounts)
    gains = gains_by_account(run.settlement, usual().transfers(institutions))
    assert sum(gains.values()) == 0
    thb = {name: gains[account] / 1e6 for name, account in institutions.utilities.items()}
    assert thb == pytest.approx({"MEA": -25.34, "PEA": -9.71}, abs=0.005)
    assert gains[institutions.revenue_department] / 1e6 == pytest.approx(-1.05, abs=0.005)
    customers = [gain for account, gain in gains.items() if account < usual().accounts.height]
    assert min(customers) >= 0, "no customer lost"
    assert sum(customers) / 1e6 == pytest.approx(36.1, abs=0.05)


def test_the_gains_without_a_chain_are_those_of_the_run(run):
    parties = gains_by_party()
    assert {name: round(micro / 1e6, 2) for name, micro in parties.items()} == {
        "sellers": 20.09, "buyers": 16.01, "utilities": -35.06, "state": -1.05, "operator": 0,
    }  # fmt: skip
    gains = gains_by_account(run.settlement, usual().transfers(institutions_of(usual().accounts)))
    customers = sum(gain for account, gain in gains.items() if account < usual().accounts.height)
    assert abs(parties["sellers"] + parties["buyers"] - customers) < 50, "micro-THB, by rounding in bills"


# Section 7.


def test_the_four_cases_end_as_the_text_says():
    found = [
        (case.tally(0).ayes // GRID, case.tally(0).nays // GRID, case.status(0)) for case in lesson().cases.values()
    ]
    assert found == [
        (20_001, 30_000, "rejected"), (40_001, 30_000, "approved"),
        (12_001, 30_000, "rejected"), (40_001, 30_000, "approved"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("conviction", "whale", "status"),
    [(1, 3_333, "approved"), (1, 3_334, "rejected"), (2, 6_666, "approved"), (2, 6_667, "rejected")],
)
def test_a_whale_needs_a_sixth_of_the_votes_of_the_others(conviction, whale, status):
    assembly = lesson().decided(conviction, whale=whale)
    assembly.advance(150)
    assert assembly.status(0) == status
    assert abs(lesson_15.whale_needed().answer * Fraction(conviction, 2) - whale) < 1


def test_a_winner_is_locked_for_sixteen_hours_and_a_loser_is_free():
    won, lost = (lesson().cases[f"all vote, conviction {each}"].fork() for each in (1, 2))
    assert (won.unlock("whale"), won.unlock("household 1")) == (5_000 * GRID, 0)
    assert (lost.unlock("whale"), lost.unlock("household 1")) == (0, 100 * GRID)
    won.advance(16 * 60 - 11)
    assert won.unlock("whale") == 5_000 * GRID
    won.advance(1)
    assert won.unlock("whale") == 0


def test_with_conviction_2_it_passes_after_some_72_minutes_of_deciding():
    course = lesson().cases["all vote, conviction 2"].course(0)
    first = course.filter(status="confirming")["minute"][0]
    assert first - 10 == pytest.approx(72, abs=1)
    assert round(40_001 / 70_001, 2) == 0.57


@pytest.mark.parametrize(
    ("cooperative", "schools", "locked"), [((9_800, 4), (), 9_800 * 8), ((9_800, 2), (2_000, 2), 19_800 * 2)]
)
def test_the_answers_at_the_controls_beat_the_whale(cooperative, schools, locked):
    assembly = lesson().table_of_all.fork()
    ballots = {COOPERATIVE: cooperative} | {f"school {each}": schools for each in range(1, 6) if schools}
    for who, (amount, conviction) in ballots.items():
        assembly.vote(who, 0, Ballot.for_it(amount * GRID, conviction))
    assembly.advance(140)
    assert assembly.status(0) == "approved"
    assert sum(amount * voting.lock_periods(level) for amount, level in ballots.values()) == locked


# Sections 8 to 10.


@cache
def outcomes():
    return voters.outcome(lesson().effects, track(), 200, population=lesson().population)


def test_63_of_200_pass_by_grid_and_191_by_heads():
    passed = int(outcomes()["passed"].sum())
    assert passed == 63
    assert [100 * each for each in voters.wilson(passed, 200)] == pytest.approx([25.5, 38.2], abs=0.05)
    cast = [voters.ballots(lesson().effects, seed, population=lesson().population) for seed in range(200)]
    ayes = np.array([each["aye"].mean() for each in cast])
    assert (ayes > 0.5).sum() == 191
    assert [100 * each for each in voters.wilson(191, 200)] == pytest.approx([91.7, 97.6], abs=0.05)


def test_utilities_and_whales_weigh_more_than_all_others():
    found = voters.patterns(lesson().population, voters.ballots(lesson().effects, 0, population=lesson().population))
    weight = dict(found.select(pl.col("group").cast(pl.String), "weight").rows())
    assert weight["utility"] + weight["whale"] > 0.5


def test_six_hold_half_and_by_heads_twenty_thousand():
    spread = voters.concentration(lesson().population)
    assert spread["nakamoto_half"].to_list() == [6, 6, 8, 8]
    gini = spread["gini"].to_list()
    assert gini[2] > gini[0] > 0.94
    assert abs(gini[1] - gini[0]) < 0.01
    everybody = lesson().population.height
    assert nakamoto_coefficient([1] * everybody, numerator=1, denominator=2) == 20_042 == everybody // 2 + 1


def test_a_third_of_the_loss_buys_every_household():
    effects = lesson().effects
    assert -3 * effects["utility"] == pytest.approx(1_274_000)
    assert 20_000 * effects["household"] == pytest.approx(436_800)
    assert 20_000 * effects["household"] / (-3 * effects["utility"]) < 0.35
    assert effects["household"] == pytest.approx(22, abs=0.5)


# Section 11.


def test_eight_tries_are_refused_and_change_nothing():
    before = lesson().state.book.hash
    assert len(lesson().tries) == 8
    for name, attempt in lesson().tries.items():
        with pytest.raises(GridlabError) as refused:
            attempt()
        assert ("over one or more accounts" in str(refused.value)) == (name == "a circle")
    assert lesson().state.book.hash == before
    tally = lesson().state.tally(1)
    lesson().state.vote("Malai", 1, Ballot.against(900 * GRID, 3))
    assert lesson().state.tally(1) == tally


# Exercises.


@pytest.mark.parametrize(
    ("question", "wrong", "hint"),
    [
        ("15-q1", 120, "as many periods as votes"),
        ("15-q1", 480, "once too often"),
        ("15-q1", 8, "number of periods"),
        ("15-q2", "buyers", "not most"),
        ("15-q2", "utilities", "lost most"),
        ("15-q2", "operator", "goes by energy"),
        ("15-q3", 72, "straight line"),
        ("15-q3", 6.3, "other curve"),
        ("15-q3", 0.273, "share of the time"),
        ("15-q4", 50, "plain majority"),
        ("15-q4", 37.5, "other rule"),
        ("15-q4", 73.53, "square root"),
        ("15-q5", 3_333.3, "count twice"),
        ("15-q5", 40_000, "each GRID has six"),
        ("15-q5", 20_000, "same conviction"),
        ("15-q6", 27, "three waits"),
        ("15-q6", 30, "half of all GRID"),
        ("15-q6", 78, "straight line"),
        ("15-q6", 150, "only until it passes"),
    ],
)
def test_a_typical_mistake_gets_its_own_hint(question, wrong, hint):
    verdict = gl.learn.check(question, wrong)
    assert not verdict
    assert hint in verdict.text


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    assert lesson_15.long_lock().answer == 8 * 30
    share = lesson_15.seventy_percent().answer / 120
    assert lesson().approval(share) == Fraction(7, 10)
    assert float(lesson_15.needed_ayes().answer) == pytest.approx(100 / (1 + math.sqrt(0.36)))
    assert lesson_15.lone_whale().answer == 10 + math.ceil(120 * track().support.delay(Fraction(3, 10))) + 10 + 10
