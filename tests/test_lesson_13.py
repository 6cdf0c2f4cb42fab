"""What the text of lesson 13 says of liars, reports and what a lie costs, sentence by sentence."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import nbformat
import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.chain.oracle import ProviderSet, find_equivocations, require_equivocation
from gridlab.chain.reports import OracleReports
from gridlab.errors import OracleError
from gridlab.learn.lesson_13 import (
    PRICE,
    cheapest_attack,
    gainers,
    paid,
    priced_day,
    scoring,
    stops,
    tampered,
    tampered_lab,
    world,
)
from gridlab.market.charges.retail import marginal_rate
from gridlab.oracle import Oracle, aggregation
from tests.house import ROOT

LESSON = ROOT / "tutorials" / "13-four-liars-out-of-fifteen.ipynb"
HONEST = [2991, 2994, 2996, 2998, 2999, 3000, 3001, 3003, 3004, 3006, 3008]
TEETH = {"price/": (-1_000, 15_000)}


@cache
def told(liars=0, silent=0):
    return tampered(liars, silent).run(world(), sign=False)


def off(run):
    return (run.rounds["value"] / world()["value"] - 1) * 100


@cache
def gain(liars, silent=0):
    return paid(priced_day(0))["paid"] - paid(priced_day(liars, silent))["paid"]


@cache
def figures(liars, silent=0):
    return dict(tampered_lab(liars, silent).preview().select("kpi", "value").rows())


def lesson_names(*marks):
    """Run the lesson's own cells that hold a mark, with its imports, and return their names."""
    cells = [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    names: dict[str, object] = {"PRICE": PRICE, "world": world()}
    for mark in ("gl.notebook()", *marks):
        source = next(source for source in cells if mark in source).replace("gl.notebook()", "")
        exec(source, names)  # noqa: S102 - the lesson's own cell
    return names


# The story and the first result.


def test_the_price_of_the_day_lies_where_the_table_says():
    assert world()["value"].min() == 2613
    assert world()["value"].max() == 3268


def test_four_liars_move_the_reported_price_by_half_a_satang_at_most():
    run = told(4)
    assert run.reports.height == 96
    assert (run.rounds["value"] - world()["value"]).abs().max() == 5


# Section 2.


def test_the_mean_is_dragged_and_the_median_stays_between_two_honest_numbers():
    assert sum(HONEST) / 11 == 3000
    assert (sum(HONEST) + 4 * 9000) / 15 == 4600
    medians = {aggregation.upper_median(HONEST + [lie] * 4) for lie in range(0, 12_001, 100)}
    assert (min(medians), max(medians)) == (2998, 3003)
    assert set(HONEST) >= {2998, 3003}


def test_with_four_liars_nine_or_ten_heard_are_honest():
    for heard in (9, 10, 15):
        for lie in (0, 9000):
            assert aggregation.upper_median(HONEST[: heard - 4] + [lie] * 4) in HONEST


# Section 3.


def test_fifteen_need_nine_observations_and_ten_signatures():
    fifteen = ProviderSet.sandbox(15)
    assert (fifteen.max_faulty, fifteen.least_observations, fifteen.least_signatures) == (4, 9, 10)
    assert 2 * 9 - 15 == 3
    assert 2 * 10 - 15 == 5 > fifteen.max_faulty


def test_every_choice_of_ten_with_four_liars_is_honest():
    said = {p: 9000 if p < 4 else 3000 + p for p in range(15)}
    values = {aggregation.upper_median([said[p] for p in ten]) for ten in combinations(range(15), 10)}
    assert max(values) < 9000


def test_nine_signed_observations_are_no_report():
    said = aggregation.observe({p: 3000 + p for p in range(15)}, feed=PRICE, round=7)
    with pytest.raises(OracleError, match="too few"):
        aggregation.report(said.head(9))
    assert aggregation.report(said.head(10)).value == 3005


# Section 4.


def test_five_of_ten_set_the_value_upwards_only_and_five_of_fifteen_do_not():
    def value(heard, lies, lie):
        return aggregation.upper_median([3000] * (heard - lies) + [lie] * lies)

    assert [value(15, 5, lie) for lie in (9000, 1000)] == [3000, 3000]
    assert [value(10, 5, lie) for lie in (9000, 1000)] == [9000, 3000]
    assert value(10, 6, 1000) == 1000


def test_a_sender_that_leaves_five_out_gets_a_lie_signed():
    said = aggregation.observe({p: 3600 if p < 5 else 3000 + p for p in range(15)}, feed=PRICE, round=8)
    assert aggregation.report(said).value == 3012
    assert aggregation.report(said.head(10)).value == 3600


@pytest.mark.parametrize(("silent", "edge"), [(0, 8), (3, 6), (5, 5)])
def test_the_value_snaps_at_the_edge(silent, edge):
    assert 0 <= off(told(edge - 1, silent)).mean() < 0.15
    assert off(told(edge, silent)).mean() > 19


# Section 5.


def test_only_equivocation_is_slashed_and_laziness_is_paid_best():
    fees, slashed = {}, {}
    for lie in ("noisy", "stale", "lying", "colluding", "silent", "equivocating"):
        four = scoring(lie).filter(pl.col("kind") == lie)
        fees[lie], slashed[lie] = four["fees"].sum() / 1e6, four["slashed"].sum() / 1e6
        run = Oracle(liars=4, lie=lie).run(world(), sign=False)
        assert (run.rounds["value"] - world()["value"]).abs().max() <= 5
    assert max(fees, key=lambda lie: fees[lie]) == "stale"
    assert {lie for lie, amount in slashed.items() if amount} == {"equivocating"}
    assert slashed["equivocating"] == 200_000
    assert scoring("silent").filter(kind="silent")["reputation"].unique().to_list() == [100]
    assert scoring("equivocating").filter(kind="equivocating")["reputation"].unique().to_list() == [100]


def test_evidence_convicts_the_signer_and_nobody_else():
    everybody = aggregation.observe({p: 3000 + p for p in range(15)}, feed=PRICE, round=7)
    two = [aggregation.observe({3: value}, feed=PRICE, round=7) for value in (3010, 3600)]
    pair = find_equivocations(pl.concat([everybody.filter(pl.col("provider") != 3), *two]))
    keys = ProviderSet.sandbox(15)
    assert require_equivocation(pair, keys) == 3
    with pytest.raises(OracleError, match="signature"):
        require_equivocation(pair.with_columns(provider=pl.lit(9, dtype=pl.UInt32)), keys)


# Section 6.


def test_fees_and_errors_go_opposite_ways_and_the_worst_error_is_about_the_deviation():
    updates = lesson_names("def updates")["updates"]
    found = {deviation: updates(deviation) for deviation in (0.0, 0.5, 1.0, 2.0, 5.0)}
    fees, worst, mean = ([each[place] for each in found.values()] for place in (1, 2, 3))
    assert fees == sorted(fees, reverse=True)
    assert worst == sorted(worst)
    assert mean == sorted(mean)
    assert all(each == pytest.approx(deviation, abs=0.3) for deviation, each in zip(found, worst, strict=True))
    assert found[0.0][1] / found[0.5][1] == pytest.approx(1.9, abs=0.05)
    assert [round(found[deviation][3], 2) for deviation in (0.5, 0.0)] == [0.15, 0.03]
    assert len(gl.Feeds(0).names()) > 240


# Section 7.


def reading(**options):
    prices = world()["value"].to_list()
    prices[50], prices[76:84] = 12_000, [9_500] * 8
    run = Oracle(**options).run(world().with_columns(value=pl.Series(prices)), sign=False)
    return run.read_many(world().select("feed", time=pl.col("observed").dt.offset_by("5m")))["value"].to_numpy()


def test_the_usual_bounds_leave_the_breaker_toothless_and_ours_do_not():
    assert Oracle().bounds_of(PRICE) == (-50_000, 50_000)
    assert reading()[50] > 9_000
    assert reading(bounds=TEETH)[50] < 4_000


@pytest.mark.parametrize(("rounds", "late"), [(1, 0), (2, 1), (3, 2), (4, 3)])
def test_the_breaker_delays_truth_and_lies_alike(rounds, late):
    read = reading(bounds=TEETH, jump_rounds=rounds)
    assert (read[50] > 9_000) == (rounds == 1)
    assert (read[76:84] < 9_000).sum() == late
    assert (read[84:] > 9_000).sum() == late


# The figure at the controls.


def test_where_half_lie_nobody_is_an_outlier_and_nine_cannot_sign():
    assert told(5, 5).scores["outliers"].sum() == 0
    assert told(5, 6).reports.is_empty()


# Section 8.


def test_the_community_is_long_and_gets_back_643_baht():
    assert round(paid(priced_day(0))["paid"].sum()) == -643


def test_four_and_five_of_fifteen_move_nobody_by_a_tenth_of_a_baht():
    assert gain(4).abs().max() < 0.1
    assert gain(5).abs().max() < 0.1


@pytest.mark.parametrize("case", [(8, 0), (5, 5)])
def test_a_lie_in_power_moves_money_from_the_short_and_the_utilities_to_the_long(case):
    each = gain(*case)
    assert each.sum() == pytest.approx(128, abs=0.6)
    assert each.filter(each > 0).sum() == pytest.approx(171, abs=0.5)
    assert each.filter(each < 0).sum() == pytest.approx(-43, abs=0.5)
    assert 21.5 < each.max() < 22


def test_of_eight_lies_the_lowest_is_the_median():
    lies = told(8).observations.filter(pl.col("provider") < 8).group_by("round", maintain_order=True)
    assert lies.agg(pl.col("value").min())["value"].equals(told(8).rounds["value"])
    assert off(told(8)).mean() < 20


def test_what_the_accounts_gain_the_utilities_lose():
    def utilities(liars):
        lab = tampered_lab()
        said = told(liars).rounds.select(slot="time", value=pl.col("value").cast(pl.Float64))
        lab.feeds.replace(PRICE, said)
        return lab.preview().filter(kpi="utilities_gain")["value"].item()

    assert utilities(0) - utilities(8) == pytest.approx(gain(8).sum())


def test_a_lie_about_the_sun_opens_a_hole_in_the_tariff():
    honest, lied = figures(0), figures(8)
    assert round(honest["imbalance_paid"]) == -643
    assert round(lied["imbalance_paid"]) == 2238
    assert honest["bills_with_market"] - lied["bills_with_market"] == pytest.approx(300, abs=1)
    assert honest["utilities_gain"] - lied["utilities_gain"] == pytest.approx(165, abs=1)
    assert honest["state_gain"] - lied["state_gain"] == pytest.approx(142, abs=1)


def test_imbalance_is_cheaper_than_the_utility_by_day_even_twenty_per_cent_too_dear():
    dearest = tampered_lab(8).day().stages.prices["price_short"].max() / 1000
    assert dearest < float(marginal_rate("1.1.2", monthly_kwh=446, on_peak=True)) * 1.07


# Section 9.


def test_the_stake_lasts_for_years_in_a_village_and_for_a_day_in_a_large_market():
    cost = 8 * float(Oracle().stake) * float(Oracle().slash) / 100
    assert cost == 400_000
    assert cost / gain(8).sum() > 8 * 365
    assert 200 * cost / gain(8).sum() == pytest.approx(630_000, rel=0.01)


def test_a_majority_of_liars_keeps_stakes_and_fees_and_the_honest_are_outliers():
    found = {row["kind"]: row for row in told(8).scores.to_dicts()}
    assert (found["lying"]["reputation"], found["honest"]["reputation"]) == (100, 0)
    assert (found["lying"]["fees"], found["honest"]["fees"]) == (6_000_000, 0)
    assert told(8).scores["slashed"].sum() == 0


# Section 10.


def test_a_round_never_goes_backwards_nor_comes_twice():
    said = {number: aggregation.observe(dict.fromkeys(range(15), 3000), feed=PRICE, round=number) for number in (6, 7)}
    register = OracleReports().appoint(ProviderSet.sandbox(15)).add(said[7])
    for number in (6, 7):
        with pytest.raises(OracleError, match="later one"):
            register.add(said[number])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("stolen", "a signature is not"), ("twice", "two values in one round"), ("absurd", "a value is absurd")],
)
def test_the_forgeries_of_the_lesson_are_refused(name, reason):
    names = lesson_names("def refused", "stolen = ")
    with pytest.raises(OracleError, match=reason):
        aggregation.report(names[name], bounds=TEETH["price/"])


# The exercises.


def test_the_keys_are_those_of_the_lessons_own_functions():
    names = lesson_names("def tampered", "def price_lie")
    mine = names["paid"](names["price_lie"](8))
    assert mine.equals(paid(priced_day(8)))
    assert gainers().answer == int((gain(8) > 0).sum()) == 116


def test_six_equivocating_providers_stop_the_network_and_five_do_not():
    assert not stops(5)
    assert stops(6)


def test_the_cheapest_attack_silences_as_many_as_may_be():
    key = cheapest_attack()
    assert (int(key.answer), key.facts["liars"], key.facts["silent"]) == (300_000, 5, 5)
    assert len({int(value) for value in (key.answer, *key.mistakes.values())}) == 4


def test_a_price_that_is_not_there_settles_nothing():
    with pytest.raises(ValueError, match="no stages"):
        paid(gl.Lab.thailand(prosumers=20, seed=0).day(hours=1))


def test_signs_of_the_text_hold_for_other_seeds():
    for seed in (1, 2):
        run = Oracle(liars=4).run(world(), seed=seed, sign=False)
        assert np.abs(off(run).to_numpy()).max() < 0.5
