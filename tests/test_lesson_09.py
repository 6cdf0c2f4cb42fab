"""What the text of lesson 09 says of its election, its day and its slashes, sentence by sentence."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
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
from gridlab.chain import npos, staking
from gridlab.errors import ChainError
from gridlab.learn import lesson_09
from gridlab.learn.lesson_09 import CHEAP, COOPERATIVE, OWN, REPORTER, SUPPLY, ZONES, electorate, key_pair, zone_of
from tests.house import ROOT

LESSON = ROOT / "tutorials" / "09-staking-and-slashing.ipynb"
RIVERS = ["Ping", "Wang", "Yom"]
CITY, HILLS = ([f"{name} {number}" for number in range(10)] for name in ("city", "hills"))

# The cells on which the text builds: how each begins.
CELLS = ["def balanced(", "def most_stake(", "voters = [(who, OWN", "balanced_election =", "lots, moved =", "day ="]
CELLS += ["paid_for =", "def flooded(", "def twice(", "cheap =", "def strike("]


@cache
def cells():
    return [cell.source for cell in nbformat.read(LESSON, as_version=4).cells]


@cache
def lesson():
    """Run these cells of the lesson, and return what they define; the chain has had its first day, and has paid."""
    names = {"np": np, "pl": pl, "npos": npos, "staking": staking, "Counter": Counter, "my_north": 0, "my_reward": 0.0}
    names |= {"my_coefficient": 0} | {name: getattr(lesson_09, name) for name in lesson_09.__all__}
    for beginning in CELLS:
        source = next(each for each in cells() if each.startswith(beginning))
        exec(source, names)  # noqa: S102 - the lesson's own words
    return SimpleNamespace(**names)


def copied(**terms):
    """Return a copy of the lesson's chain after its first day, under these levers."""
    copy = lesson().chain.fork()
    copy.rules = staking.StakingTerms(**terms).rules()
    return copy


def first_day():
    return lesson().chain.validators_of(0)


# The table, the first result and section 1.


def test_the_table_states_the_levers_in_force():
    terms, rules = staking.StakingTerms(), staking.StakingRules()
    assert (terms.ideal_stake, terms.minimum_inflation, terms.maximum_inflation, terms.falloff) == (75, 2.5, 10, 5)
    assert (terms.treasury_share, terms.slash_defer_duration, terms.bonding_duration) == (15, 27, 28)
    assert (terms.validators, rules.nominations) == (100, 16)
    assert terms.session_length * terms.sessions_per_era * 6 == 24 * 3600
    stated = ("| 75 %; 2.5 and 10 % a year |", "| 15 % |", "| 27; 28 eras |", "| 6 s; 24 hours |", "| 16 |", "| 5 % |")
    assert all(each in "\n".join(cells()) for each in stated)
    assert "every stake are made up" in "\n".join(cells())


def test_the_electorate_is_as_the_text_says():
    candidates, nominators = electorate()
    assert (len(candidates), len(nominators)) == (300, 2000)
    assert Counter(map(zone_of, candidates)) == dict.fromkeys(ZONES, 60)
    who, stake, named = nominators[-1]
    assert (who, stake, zone_of(named[0])) == (COOPERATIVE, 40_000 * 10**6, "NAC")
    assert all(len(set(named)) == 16 and len(set(map(zone_of, named))) == 1 for *_, named in nominators)
    assert electorate(1) != electorate(2)
    assert Fraction(1001, 3001) > Fraction(1, 3) >= Fraction(1000, 3000), "keys of the cheat, section 1"
    times = first_day()["others"] / first_day()["own"]
    assert 50 < times.min() <= times.max() < 57, "nominators bring some fifty times as much"


# Section 2, and its published example.


def test_substrate_phragmen_poc_works_is_the_election_of_section_2():
    cases = json.loads((ROOT / "tests" / "vectors" / "npos.json").read_text(encoding="utf-8"))["cases"]
    case = {each["name"]: each for each in cases}
    names = dict(zip((1, 2, 3), RIVERS, strict=True))
    published = case["phragmen_poc_works"]
    assert [stake for _, stake, _ in published["voters"]] == [10, 20, 30]
    votes = [(who, stake, [names[each] for each in named]) for who, stake, named in published["voters"]]
    found = npos.seq_phragmen(RIVERS, votes, 2)
    assert found.winners == [(names[who], stake) for who, stake in published["winners"]] == [("Yom", 35), ("Wang", 25)]
    even = npos.seq_phragmen(RIVERS, votes, 2, balance_iterations=4)
    expected = case["phragmen_poc_works_with_balancing"]["winners"]
    assert even.winners == [(names[who], stake) for who, stake in expected] == [("Yom", 30), ("Wang", 30)]
    assert found.assignments[30] == {"Wang": 15, "Yom": 15}
    assert even.assignments[30] == {"Wang": 20, "Yom": 10}


@given(stakes=st.tuples(*[st.integers(1, 1000)] * 3))
@settings(max_examples=40, deadline=None)
def test_the_loads_by_hand_elect_whom_the_package_elects(stakes):
    votes = [(who, stake, [RIVERS[one] for one in range(3) if one != 2 - who]) for who, stake in enumerate(stakes)]
    load, won = [Fraction(0)] * 3, []
    for _ in range(2):
        scores = {}
        for river in (each for each in RIVERS if each not in won):
            backers = [(who, stake) for who, stake, named in votes if river in named]
            carried = sum(load[who] * stake for who, stake in backers)
            scores[river] = (1 + carried) / sum(stake for _, stake in backers)
        won.append(min(scores, key=scores.get))
        load = [scores[won[-1]] if won[-1] in named else load[who] for who, _, named in votes]
    assert [who for who, _ in npos.seq_phragmen(RIVERS, votes, 2).winners] == won


# Sections 3 to 5.


def split(share, rule):
    groups = [("city", 100 - share, CITY), ("hills", share, HILLS)]
    result = rule(CITY + HILLS, groups, 10)
    return sum(who in HILLS for who in getattr(result, "support", result))


def test_by_most_stake_49_have_nothing_and_51_everything():
    assert [split(share, lesson().most_stake) for share in (1, 40, 49, 51, 99)] == [0, 0, 0, 10, 10]


@given(share=st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_phragmen_gives_a_group_the_seats_that_its_stake_pays_for(share):
    assert share // 10 <= split(share, npos.seq_phragmen) <= 10 - (100 - share) // 10


def test_the_check_names_the_first_of_the_hills_and_what_they_could_spare():
    groups = [("city", 600, CITY), ("hills", 400, HILLS)]
    doubted = npos.pjr_check(lesson().most_stake(CITY + HILLS, groups, 10), CITY + HILLS, groups)
    assert (doubted.holds, doubted.counter_example, doubted.spare, doubted.threshold) == (False, "hills 0", 400, 100)
    assert npos.pjr_check(npos.seq_phragmen(CITY + HILLS, groups, 10), CITY + HILLS, groups)


def test_phragmen_follows_the_stake_of_the_zones_and_most_stake_does_not():
    seats, candidates, votes = lesson().seats, lesson().candidates, lesson().voters
    owned, fair, most = seats["stake (%)"], seats["Phragmén"], seats["most stake"]
    for zone in ZONES:
        assert abs(fair[zone] - owned[zone]) < 3
        assert (most[zone] > fair[zone]) == (zone in {"MAC", "CAC"})
    assert min(ZONES, key=owned.get) == "NAC"
    assert most["NAC"] == 3
    assert npos.pjr_check(lesson().elected, candidates, votes)
    assert not npos.pjr_check(lesson().simple, candidates, votes)
    stakes = [(stake, zone_of(named[0])) for _, stake, named in lesson().nominators]
    north = sum(stake for stake, zone in stakes if zone == "NAC")
    assert north / sum(stake for stake, _ in stakes) == pytest.approx(0.10, abs=0.005)


def test_nakamoto_is_32_and_by_most_stake_15():
    behind = {name: sorted(stakes) for name, stakes in lesson().behind.items()}
    found = {name: staking.nakamoto_coefficient(stakes) for name, stakes in behind.items()}
    assert found == {"most stake wins": 15, "Phragmén": 32, "Phragmén, balanced": 32}
    assert lesson().chain.nakamoto_coefficient == 32
    assert staking.nakamoto_coefficient([1] * 100) == 34
    assert 9 < behind["most stake wins"][-1] / behind["most stake wins"][0] < 11
    assert behind["Phragmén"][0] / 1e6 == pytest.approx(470_000, abs=500)
    assert behind["Phragmén, balanced"][0] / 1e6 == pytest.approx(513_000, abs=500)
    assert lesson().chain.elected == tuple(who for who, _ in lesson().balanced_election.winners)


# Section 6.


def share_staked():
    return first_day()["total"].sum() / SUPPLY


def minted_a_year(ideal, falloff=5):
    return 2.5 + 7.5 * staking.reward_curve(share_staked(), ideal / 100, falloff / 100)


def test_inflation_is_7_8_where_53_percent_are_staked():
    assert share_staked() == pytest.approx(0.53, abs=0.001)
    assert minted_a_year(75) == pytest.approx(7.8, abs=0.01)
    parts = staking.inflation(first_day()["total"].sum(), SUPPLY, lesson().chain.rules.inflation)
    assert parts / 10**16 == pytest.approx(minted_a_year(75), abs=1e-9)
    assert minted_a_year(75) / (100 + minted_a_year(75)) == pytest.approx(0.07, abs=0.005), "lost by who stays out"


def test_the_task_at_the_controls_goes_as_its_answer_says():
    assert minted_a_year(45) <= 5 < minted_a_year(46)
    assert (100 * share_staked() - 45) / 5 == pytest.approx(1.6, abs=0.05)
    assert all(minted_a_year(ideal) > 6 for ideal in range(54, 96))


# Section 7.


def test_the_hand_works_out_what_the_chain_pays_to_the_micro_grid():
    paid = lesson().paid.filter(credit_account=COOPERATIVE)["amount"].to_list()
    assert paid == list(lesson().by_hand.values())
    assert sum(paid) / 1e6 == pytest.approx(10.5, abs=0.05)
    assert len(paid) == 3


def test_a_day_mints_a_year_over_365_25_and_all_of_it_is_paid():
    day = lesson().day
    assert day["minted"] / SUPPLY * 365.25 == pytest.approx(minted_a_year(75) / 100, rel=1e-6)
    assert day["minted"] == day["treasury"] + lesson().paid["amount"].sum()
    assert lesson().chain.unclaimed == 0
    assert day["points"] == 14_400 * 20 + 600


def test_the_treasury_gets_what_rounding_leaves_and_87_nominators_go_unpaid():
    crowded = first_day().filter(pl.col("nominators") > 512)
    assert crowded["nominators"].to_list() == [512 + 87]
    dust = {who: frame.filter(code="transfer")["amount"].sum() for who, frame in lesson().paid_for.items()}
    for who, nominators in first_day().select("validator", "nominators").rows():
        assert dust[who] <= nominators + 1 or who == crowded["validator"][0]


def test_the_north_is_backed_most_and_so_earns_less_than_13_a_day():
    behind = {zone: [] for zone in ZONES}
    for who, total in first_day().select("validator", "total").rows():
        behind[zone_of(who)].append(total)
    means = {zone: sum(totals) / len(totals) for zone, totals in behind.items()}
    assert (min(means, key=means.get), max(means, key=means.get)) == ("MAC", "NAC")
    stakers = 0.85 * minted_a_year(75) / share_staked() / 100
    assert 40_000 * stakers * 0.95 / 365.25 == pytest.approx(13, abs=0.5)


# Section 8.


def test_signing_twice_is_a_parabola_and_offline_is_forgiven_up_to_eleven():
    assert [staking.equivocation_slash(k, 100) / 1e7 for k in (1, 10, 34)] == [0.09, 9.0, 100.0]
    assert staking.equivocation_slash(33, 100) < 10**9
    assert [staking.offline_slash(k, 100) > 0 for k in (10, 11, 12)] == [False, False, True]
    assert max(staking.offline_slash(k, 100) for k in range(101)) == 7 * 10**7


def test_a_flood_of_the_north_costs_nothing_and_of_the_capital_over_a_million():
    lost, silent = {}, {}
    for zone in ZONES:
        copy = copied()
        silent[zone] = lesson().flooded(zone, copy)
        lost[zone] = (copy.slashes["own"].sum() + copy.slashes["others"].sum()) / 1e6
    assert (lost["NAC"], lost["MAC"] > 1_000_000) == (0, True)
    assert (silent["NAC"], silent["MAC"]) == (9, 42)


def test_a_report_makes_a_slash_that_waits_until_era_29_and_pays_half_of_a_tenth():
    chain, who, twice = copied(), lesson().guilty, lesson().twice
    chain.report_equivocation(twice(who, chain.session_end - 1, chain), reporter=REPORTER)
    slash = chain.slashes.row(0, named=True)
    assert (slash["fraction_ppb"], slash["own"], slash["state"], slash["due"]) == (900_000, 9 * 10**6, "pending", 29)
    assert slash["reward"] / (slash["own"] + slash["others"]) == pytest.approx(0.05, rel=1e-4)
    assert (who in chain.candidates["validator"], who in chain.disabled, chain.era) == (False, True, 1)


def test_a_span_takes_the_highest_and_the_next_era_begins_anew():
    chain, who, twice = copied(), lesson().guilty, lesson().twice
    ten = [who, *[each for each in chain.elected if each != who][:9]]
    lost, first = [], chain.session_end - 100
    for place, group in enumerate([[who], ten, ten[:2]]):
        for each in group:
            chain.report_equivocation(twice(each, first + place, chain))
        lost.append(100 * chain.slashes.filter(validator=who)["own"].sum() / OWN)
    assert lost == [0.09, 9.0, 9.0]
    chain.validate(who, commission=50_000_000, public_key=key_pair(who).public_key)
    chain.end_era()
    assert who in chain.elected
    chain.report_equivocation(twice(who, chain.session_end - 1, chain))
    assert 100 * chain.slashes.filter(validator=who)["own"].sum() / OWN == pytest.approx(9.09)


def test_who_runs_meets_the_slash_on_the_way_out_and_what_is_cancelled_takes_nothing():
    chain, owed = copied(slash_defer_duration=2), lesson().by_hand
    backed = dict(chain.exposure(lesson().guilty).others)[COOPERATIVE]
    for place, who in enumerate((lesson().guilty, min(owed, key=owed.get))):
        chain.report_equivocation(lesson().twice(who, chain.session_end - 1 - place, chain), reporter=REPORTER)
    chain.chill(COOPERATIVE)
    chain.unbond(COOPERATIVE, chain.stake(COOPERATIVE).active)
    chain.cancel_slashes([1])
    while chain.slashes["state"][0] == "pending":
        moves = chain.end_era()
    assert chain.era == 4
    assert chain.slashes["state"].to_list() == ["applied", "cancelled"]
    out = dict(moves.filter(pl.col("code").is_in(["reward", "penalty"])).select("credit_account", "amount").rows())
    assert sorted(out) == [2, REPORTER]
    assert chain.slashes["taken"].to_list() == [sum(out.values()), 0]
    left = chain.stake(COOPERATIVE)
    assert left.total == 40_000 * 10**6 - backed * 9 // 10_000
    assert left.unlocking[0].era == 29


# Section 9.


def backed(later):
    """Return the zone of each validator that the cooperative backs with more than a GRID."""
    parts = {who: dict(later.exposure(who).others).get(COOPERATIVE, 0) for who in later.elected}
    return [zone_of(who) for who, part in parts.items() if part > 10**6]


def test_sixteen_names_of_one_company_lose_as_much_as_one():
    mean, least = lesson().day["stakers"] / 100, first_day()["total"].min()
    assert 0.04 * mean * 40_000 / least * 365.25 == pytest.approx(200, abs=15), "saved in a year by 1 %"
    assert len(CHEAP) == 20
    assert [len(lesson().lists[name]) for name in "ABC"] == [1, 16, 16]
    assert [lesson().losses[name]["update"] for name in "AB"] == pytest.approx([14_400] * 2)
    assert lesson().losses["C"]["update"] < 4_000
    assert 0 < lesson().losses["C"]["slip"] < 20
    assert min("ABC", key=lambda name: max(lesson().losses[name].values())) == "C"


def test_the_flood_hits_all_alike_since_four_are_backed_and_all_in_the_capital():
    assert len({round(lesson().losses[name]["flood"]) for name in "ABC"}) == 1
    assert [backed(lesson().later[name]) for name in "ABC"] == [["MAC"], ["MAC"] * 4, ["MAC"] * 4]


def test_the_list_of_the_task_loses_nothing_in_flood_and_update_and_stands_in_one_zone():
    later = lesson().after([who for who in lesson().spread if zone_of(who) != "MAC"])
    lost = [lesson().strike(later.fork(), event) for event in ("slip", "flood", "update")]
    assert lost[0] > 0 == lost[1] == lost[2]
    assert len(set(backed(later))) == 1


# Section 10.


def test_six_tries_are_refused_and_change_nothing():
    chain, guilty, twice = copied(), lesson().guilty, lesson().twice
    slot = chain.session_end - 1
    real, other = twice(guilty, slot, chain), key_pair(chain.elected[0]).public_key
    stale = replace(real.first, session=chain.session - 1)
    tries = {
        "signature of the first statement": lambda: chain.report_equivocation(replace(real, public_key=other)),
        "of two sessions": lambda: chain.report_equivocation(replace(real, first=stale)),
        "evidence of another session": lambda: chain.report_equivocation(twice(guilty, slot - 2_400, chain)),
        "the same statement twice": lambda: chain.report_equivocation(replace(real, second=real.first)),
        "a payout is claimed once": lambda: chain.payout(guilty, 0),
        "has not ended": lambda: chain.payout(guilty, chain.era),
    }
    before = chain.commitment
    for reason, attempt in tries.items():
        with pytest.raises(ChainError, match=reason):
            attempt()
    assert chain.commitment == before


# Exercises.


@pytest.mark.parametrize(
    ("question", "wrong", "hint"),
    [
        ("09-q1", 33, "not all"),
        ("09-q1", 67, "Fewer can already do harm"),
        ("09-q2", "MAC", "Who pays"),
        ("09-q2", "NAC", "largest part"),
        ("09-q3", 70, "split between two"),
        ("09-q3", 45, "Before that"),
        ("09-q4", 0.9375, "minimum"),
        ("09-q4", 11.5, "carried on beyond the peak"),
        ("09-q5", 9.36, "highest"),
        ("09-q5", 12.96, "by itself"),
        ("09-q6", 17.4, "price rises"),
        ("09-q6", 26.5, "finality"),
    ],
)
def test_a_typical_mistake_gets_its_own_hint(question, wrong, hint):
    verdict = gl.learn.check(question, wrong)
    assert not verdict
    assert hint in verdict.text


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    assert lesson_09.all_lost().answer == -(-100 // 3)
    assert lesson_09.second_seat().answer == 10 + 60 // 2
    assert float(lesson_09.staked_90().answer) == pytest.approx(2.5 + 7.5 * 2 ** ((0.75 - 0.90) / 0.05))
    assert lesson_09.sum_or_highest().answer == 100 * Fraction(30, 100) ** 2
    key = lesson_09.bought_third()
    assert key.mistakes["half"] > key.answer > key.mistakes["a_third"] > key.mistakes["most_stake"]


def test_34_seats_cost_what_the_key_says_and_not_a_hundredth_less():
    price = int(lesson_09.bought_third().answer * 10**12)
    candidates, votes = lesson().candidates, lesson().voters
    for stake, enough in ((price, True), (price * 99 // 100, False)):
        bought = [(who, stake // 34, [who]) for who in range(5000, 5034)]
        result = npos.seq_phragmen(candidates + [who for who, *_ in bought], votes + bought, 100)
        assert (sum(who >= 5000 for who, _ in result.winners) == 34) is enough
