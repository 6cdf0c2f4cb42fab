"""Block production and finality under faults: safe always, live with less than a third of them."""

from __future__ import annotations

import itertools

import polars as pl
import pytest

from gridlab.chain.public import PublicTerms, simulate_public
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError


def require_sound(trace):
    """What holds of every run: one tree, one final branch, nothing final before it was written."""
    blocks = trace.blocks
    by_number = {0: (0, 0, 0)} | {
        b: (h, s, w) for b, h, s, w in blocks.select("block", "height", "slot", "written_ms").iter_rows()
    }
    for block, parent in blocks.select("block", "parent").iter_rows():
        assert by_number[block][0] == by_number[parent][0] + 1
        assert by_number[block][1] > by_number[parent][1]
    final = blocks.filter("final").sort("height")
    assert final["height"].to_list() == list(range(1, final.height + 1))
    assert final["parent"].to_list() == [0, *final["block"].to_list()[:-1]][: final.height]
    assert not trace.forked
    assert all(lag > 0 for lag in trace.finality_ms)


def test_without_faults_everything_is_final_within_twelve_seconds():
    trace = simulate_public(10, slots=100, seed=2569)
    require_sound(trace)
    assert trace.final_height >= trace.slots - 2
    assert trace.missed_slots == 0
    assert trace.finality_p99 < 12
    assert not trace.evidence
    # Forks before finality are real: several authors in a slot, heads that move, branches that lose.
    assert trace.blocks.filter(~pl.col("best")).height > 10
    assert trace.reorganisation_depth >= 1


def test_a_hundred_validators_are_final_within_twelve_seconds():
    trace = simulate_public(100, slots=30, seed=1)
    require_sound(trace)
    assert trace.finality_p99 < 12
    assert trace.final_height >= 28


def test_secondary_blocks_lose_to_primary_ones():
    """BABE's order: of two chains the one with more primary blocks wins, whatever their length."""
    trace = simulate_public(7, slots=120, seed=5)
    slots = trace.blocks.filter("final").group_by("slot").agg(pl.col("primary").any().alias("won"))
    offered = trace.blocks.filter(pl.col("slot") <= trace.final_height).group_by("slot").agg(pl.col("primary").any())
    both = offered.join(slots, on="slot")
    # A primary block loses only to another branch of as many; with one slot's latency to spare that is rare.
    assert both.filter(pl.col("primary") & ~pl.col("won")).height <= both.filter("primary").height // 10


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("validators", [4, 7, 10])
def test_hunt_for_two_final_branches_with_a_third_less_one_lying(validators, seed):
    """120 runs; liars of both kinds of seats, a network cut in two between them while they lie, and late messages."""
    liars = [(seed + 2 * step) % validators for step in range((validators - 1) // 3)]
    even = [seat for seat in range(validators) if seat % 2 == 0]
    odd = [seat for seat in range(validators) if seat % 2]
    trace = simulate_public(
        validators,
        slots=14,
        latency=0.2 + 0.4 * (seed % 5),
        equivocators=liars,
        partitions=[(6 + seed % 7, 24 + seed % 9, [even, odd])] if seed % 3 else [],
        seed=seed,
    )
    require_sound(trace)
    assert {each.seat for each in trace.evidence} <= set(liars)
    # Live as well: the last cut heals after 33 s, and the run lasts 84 s.
    assert trace.final_height >= 2


@pytest.mark.parametrize("seed", range(30))
def test_hunt_for_two_final_branches_while_stake_is_missing_or_cut_off(seed):
    """30 runs with unequal stakes, crashes that come and go, and cuts into three."""
    stakes = [1 + (seed * 7 + seat * seat) % 11 for seat in range(8)]
    trace = simulate_public(
        8,
        stakes,
        slots=14,
        offline={seed % 8: [(5, 30)], (seed + 3) % 8: [(20, 50)]},
        partitions=[(10 + seed % 5, 40, [[0, 1, 2], [3, 4], [5, 6, 7]])],
        seed=seed,
    )
    require_sound(trace)


@pytest.mark.parametrize("seed", range(6))
def test_liars_below_a_third_are_caught_and_cannot_stop_finality(seed):
    trace = simulate_public(10, slots=40, equivocators=[0, 3, 7], seed=seed)
    require_sound(trace)
    assert trace.final_height >= 36
    assert trace.finality_p99 < 15
    assert {each.seat for each in trace.evidence} == {0, 3, 7}
    assert {each.what for each in trace.evidence} == {"block", "prevote", "precommit"}
    for each in trace.evidence:
        assert each.first != each.second


def test_late_votes_of_the_round_before_move_its_estimate():
    """Two liars of nine on a slow network: with estimates frozen at the start of a round this run stood still."""
    trace = simulate_public(9, slots=18, latency=1.68, equivocators=[4, 0], seed=30)
    require_sound(trace)
    assert trace.final_height >= 14


@pytest.mark.parametrize(("stakes", "offline"), [(None, [0, 1, 2]), ([5, 1, 1, 1, 1, 1, 1, 1, 3], [0])])
def test_with_a_third_of_stake_missing_nothing_is_final(stakes, offline):
    """One third exactly is enough to stop finality: what is left is two thirds and not more."""
    trace = simulate_public(9, stakes, slots=60, offline=offline, seed=3)
    require_sound(trace)
    assert trace.final_height == 0
    assert trace.finality_p50 is trace.finality_p99 is None
    assert trace.blocks["height"].max() > 30


def test_one_unit_of_stake_more_makes_it_final_again():
    trace = simulate_public(9, [5, 1, 1, 1, 1, 1, 1, 2, 3], slots=40, offline=[0], seed=3)
    require_sound(trace)
    assert trace.final_height > 20


def test_a_cut_in_half_stops_finality_and_healing_brings_it_back():
    trace = simulate_public(10, slots=60, partitions=[(60, 180, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])], seed=4)
    require_sound(trace)
    final = trace.blocks.filter("final").with_columns(at=pl.col("written_ms") + pl.col("finality_ms"))
    # A round that was nearly through when the cut came may still end in it.
    during = final.filter(pl.col("at").is_between(68_000, 179_999))
    assert during.height == 0
    assert final.filter(pl.col("at") >= 180_000).height > 20
    assert trace.reorganisation_depth >= 5


def test_a_cut_that_leaves_more_than_two_thirds_together_goes_on():
    trace = simulate_public(10, slots=40, partitions=[(60, 180, [[0, 1, 2, 3, 4, 5, 6], [7, 8, 9]])], seed=4)
    require_sound(trace)
    final = trace.blocks.filter("final").with_columns(at=pl.col("written_ms") + pl.col("finality_ms"))
    assert final.filter(pl.col("at").is_between(70_000, 179_999)).height > 8
    assert trace.finalised[9] == trace.finalised[0]


def test_who_was_down_catches_up():
    trace = simulate_public(7, slots=40, offline={6: [(30, 120)], 5: [(100, 130)]}, seed=8)
    require_sound(trace)
    assert trace.final_height >= 36
    assert len(set(trace.finalised.values())) <= 2


def test_the_hunt_has_teeth_liars_above_two_thirds_of_the_quorum_are_caught_forking():
    """With 5 of 9 lying and the honest cut in two, two branches get more than two thirds each, and it is seen."""
    even, odd = [0, 2, 4, 6, 8], [1, 3, 5, 7]
    runs = [
        simulate_public(9, slots=20, equivocators=[0, 1, 2, 3, 4], partitions=[(12, 90, [even, odd])], seed=seed)
        for seed in range(3)
    ]
    assert any(trace.forked for trace in runs)
    for trace in runs:
        if trace.forked:
            # Accountable safety: at least a third of the stake is caught voting twice.
            assert len({each.seat for each in trace.evidence if each.what == "precommit"}) >= 3


def test_same_arguments_same_run_and_another_seed_another():
    first, again, other = (simulate_public(5, slots=15, equivocators=[1], seed=seed).fingerprint for seed in (7, 7, 8))
    assert first == again != other


def test_slow_messages_make_finality_slow_and_forks_many():
    traces = [simulate_public(7, slots=40, latency=latency, seed=2) for latency in (0.1, 1.0, 3.0)]
    medians = [trace.finality_p50 for trace in traces]
    assert medians == sorted(medians)
    assert traces[2].finality_p50 > 2 * traces[0].finality_p50
    for trace in traces:
        require_sound(trace)


def test_terms_are_followed():
    trace = simulate_public(4, slots=30, terms=PublicTerms(slot_time=3, gossip_time=0.3, latency=0.1), seed=1)
    require_sound(trace)
    assert trace.blocks["written_ms"].to_list() == (trace.blocks["slot"] * 3_000).to_list()
    assert trace.finality_p50 < 4


def test_figures_are_those_of_the_frames():
    trace = simulate_public(4, slots=20, seed=3)
    kpis = dict(trace.kpis().select("kpi", "value").iter_rows())
    assert kpis["blocks written"] == trace.blocks.height == trace.messages["block"]
    assert kpis["final height"] == trace.final_height
    assert kpis["lost blocks"] == trace.blocks.height - trace.blocks["best"].sum()
    assert "PublicTrace(20 slots" in repr(trace)
    assert set(trace.heads) == {0, 1, 2, 3, -1}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"validators": 0}, ArgumentError, "validators is 0"),
        ({"validators": 4.0}, ArgumentTypeError, "whole number"),
        ({"slots": 0}, ArgumentError, "slots is 0"),
        ({"stakes": [1, 1]}, ArgumentError, "one for each"),
        ({"stakes": [1, 1, 0, 1]}, ArgumentError, r"stakes\[2\] is 0"),
        ({"stakes": [2**53, 1, 1, 1]}, ArgumentError, "at most"),
        ({"offline": [4]}, ArgumentError, "at most 3"),
        ({"offline": {1: [(5, 5)]}}, ArgumentError, "the end after the start"),
        ({"offline": {1: [5]}}, ArgumentTypeError, "pairs of seconds"),
        ({"partitions": [(1, 2)]}, ArgumentTypeError, "from_s, until_s"),
        ({"partitions": [(1, 2, [[0], [0]])]}, ArgumentError, "stands there twice"),
        ({"equivocators": "0"}, ArgumentTypeError, "list or tuple"),
        ({"terms": 6}, ArgumentTypeError, "PublicTerms"),
        ({"seed": -1}, ArgumentTypeError, "seed"),
        ({"latency": 11.0}, LeverError, "latency"),
    ],
)
def test_bad_arguments_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        simulate_public(**({"validators": 4, "slots": 2} | options))


def test_evidence_is_sorted_and_unique():
    trace = simulate_public(7, slots=20, equivocators=[2, 5], seed=6)
    places = [(each.seat, each.what, each.number) for each in trace.evidence]
    assert all(first < second for first, second in itertools.pairwise(places))
