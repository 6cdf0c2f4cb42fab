"""`pbft.simulate`: what a run costs, what it survives, and that its seed repeats it."""

from __future__ import annotations

import numpy as np
import pytest

from gridlab.chain import pbft
from gridlab.errors import ArgumentError, ArgumentTypeError

SIX = range(6)


def agree(trace):
    """Say whether all honest validators hold the same blocks, one of them perhaps fewer."""
    longest = max(trace.committed.values(), key=len)
    return all(longest[: len(held)] == held for held in trace.committed.values())


def test_castro_liskov_1999_a_fault_free_block_costs_2n_n_minus_1_messages():
    trace = pbft.simulate(blocks=10)
    assert trace.messages["pre-prepare"] == trace.messages["pre_prepare"] == 10 * 20
    assert trace.messages["prepare"] == 10 * 400
    assert trace.messages["commit"] == 10 * 420
    assert trace.messages["checkpoint"] == 420
    assert (trace.messages["request"], trace.messages["reply"]) == (10, 210)
    assert "view_change" not in trace.messages
    assert len(trace.messages) == 6
    with pytest.raises(KeyError):
        trace.messages["view-change"]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 7, 10, 13])
def test_a_fault_free_block_costs_2n_n_minus_1_messages_at_every_size(n):
    trace = pbft.simulate(n=n, blocks=3)
    three_phases = sum(trace.messages.get(kind, 0) for kind in ("pre_prepare", "prepare", "commit"))
    assert three_phases == 3 * 2 * n * (n - 1)
    assert trace.complete
    assert [len(held) for held in trace.committed.values()] == [3] * n


def test_finality_takes_three_hops():
    trace = pbft.simulate(latency_ms=10.0, blocks=4)
    assert trace.finality_ms == pytest.approx([30.0] * 4)
    assert trace.blocks["view"].to_list() == [0] * 4
    assert trace.blocks["holders"].to_list() == [21] * 4


@pytest.mark.parametrize(
    "arguments",
    [{}, {"byzantine": 6, "loss": 0.1}, {"n": 7, "byzantine": {0: "twins", 3: "forge"}, "jitter": 5.0, "reorder": 0.1}],
)
def test_the_same_arguments_give_the_same_run_and_another_seed_another(arguments):
    one, two, other = (pbft.simulate(**arguments, blocks=3, seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == two.fingerprint
    assert one.committed == two.committed
    assert dict(one.messages) == dict(two.messages)
    assert one.fingerprint != other.fingerprint


def test_seven_down_are_survived_and_eight_are_not():
    alive = pbft.simulate(crashed=range(7), blocks=3)
    assert alive.complete
    assert sorted(alive.committed) == list(range(7, 21))
    assert alive.views == 7
    dead = pbft.simulate(crashed=range(13, 21), blocks=3)
    assert not dead.complete
    assert not dead.forked
    assert all(held == [] for held in dead.committed.values())
    assert dead.finality_ms == []


def test_eight_down_stop_the_chain_safely_and_it_goes_on_when_they_return():
    back = pbft.simulate(crashes=[(who, 1_500.0, 60_000.0) for who in range(8)], blocks=5)
    assert back.complete
    assert agree(back)
    assert sorted(back.committed) == list(range(21))
    waited = max(back.blocks["proposed_ms"].to_list()) - 60_000.0
    assert 0.0 < waited < 60_000.0


@pytest.mark.parametrize("kind", ["equivocate", "silent", "delay", "forge", "stale_view", "collude", "twins"])
def test_six_of_every_kind_neither_fork_nor_stop_the_chain(kind):
    trace = pbft.simulate(byzantine=dict.fromkeys(SIX, kind), blocks=3)
    assert trace.complete
    assert not trace.forked
    assert agree(trace)
    assert sorted(trace.committed) == list(range(6, 21))
    assert {each.validator for each in trace.evidence} <= set(SIX)


def test_a_quorum_of_13_forks_and_the_two_certificates_name_the_five_liars():
    liars = dict.fromkeys(range(5), "collude")
    trace = pbft.simulate(byzantine=liars, quorum=13, blocks=3)
    assert trace.forked
    assert len({held[0] for held in trace.committed.values() if held}) == 2
    assert {each.validator for each in trace.evidence if each.kind == "commit"} == set(range(5))
    assert not pbft.simulate(byzantine=liars, blocks=3).forked


def test_a_number_of_liars_is_dealt_out_by_the_seed():
    first, second = (pbft.simulate(byzantine=6, blocks=1, seed=seed).byzantine for seed in (1, 2))
    assert len(first) == len(second) == 6
    assert first != second
    assert pbft.simulate(byzantine=2, crashed=[0, 1], n=7, blocks=0).byzantine.keys().isdisjoint({0, 1})


def test_a_minority_that_is_cut_off_catches_up():
    trace = pbft.simulate(blocks=8, partitions=[(1_500.0, 5_500.0, [range(16, 21)])])
    assert trace.complete
    assert agree(trace)
    assert trace.messages["block"] > 0


def test_clocks_and_frames_of_a_trace():
    trace = pbft.simulate(n=4, blocks=3, message_log=2, loss=0.2, seed=3)
    assert trace.message_log["height"].unique().to_list() == [2]
    assert not trace.message_log["delivered"].all()
    assert trace.blocks["height"].to_list() == [1, 2, 3]
    assert repr(trace).startswith("Trace(4 validators, quorum 3, 0 lie: 3 blocks, complete")
    assert trace.finality_ms == trace.blocks["finality_ms"].to_list()


def test_every_run_ends():
    trace = pbft.simulate(n=4, crashed=[0, 1, 2, 3], blocks=2)
    assert (trace.complete, trace.forked, trace.committed) == (False, False, {})
    assert pbft.simulate(n=4, blocks=0).complete
    assert pbft.simulate(n=4, byzantine=dict.fromkeys(range(4), "silent"), blocks=1).committed == {}
    assert not pbft.simulate(n=4, loss=0.99, blocks=3, limit_ms=30_000.0).forked


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"n": 0}, ArgumentError, "at least 1"),
        ({"n": 2.0}, ArgumentTypeError, "whole number"),
        ({"blocks": -1}, ArgumentError, "at least 0"),
        ({"byzantine": {21: "silent"}}, ArgumentError, "at most 20"),
        ({"byzantine": {0: "lie"}}, ArgumentError, "allowed: 'equivocate'"),
        ({"byzantine": {0: None}}, ArgumentTypeError, r"byzantine\[0\]"),
        ({"byzantine": 22}, ArgumentError, "at most 21"),
        ({"byzantine": [0, 1]}, ArgumentTypeError, "how many lie"),
        ({"byzantine": {1: "silent"}, "crashed": [1]}, ArgumentError, "in one of them"),
        ({"crashed": [21]}, ArgumentError, "at most 20"),
        ({"crashed": [1, 1]}, ArgumentError, "each validator once"),
        ({"crashed": 3}, ArgumentTypeError, "list or range"),
        ({"quorum": 22}, ArgumentError, "at most 21"),
        ({"quorum": 0}, ArgumentError, "at least 1"),
        ({"loss": 1}, ArgumentError, "loss < 1"),
        ({"loss": -0.1}, ArgumentError, "0 <= loss"),
        ({"loss": float("nan")}, ArgumentError, "0 <= loss"),
        ({"loss": "0.1"}, ArgumentTypeError, "a number"),
        ({"latency_ms": -1.0}, ArgumentError, "0 <= latency_ms"),
        ({"latency_ms": (1.0, 2.0, 3.0)}, ArgumentError, "pair"),
        ({"latency_ms": None}, ArgumentTypeError, "21 x 21 matrix"),
        ({"latency_ms": [["a"] * 21] * 21}, ArgumentTypeError, "no number"),
        ({"partitions": [(0.0, 1.0)]}, ArgumentTypeError, "start_ms, end_ms, groups"),
        ({"partitions": [(2.0, 1.0, [[0], [1]])]}, ArgumentError, "end_ms"),
        ({"partitions": [(0.0, 1.0, [[0], [21]])]}, ArgumentError, "at most 20"),
        ({"crashes": [(0, 5.0)]}, ArgumentTypeError, "end_ms or None"),
        ({"seed": -1}, ArgumentTypeError, "seed"),
        ({"message_log": 0}, ArgumentError, "at least 1"),
        ({"interval_ms": -1.0}, ArgumentError, "interval_ms"),
        ({"clients": 0}, ArgumentError, "at least 1"),
    ],
)
def test_bad_arguments_are_named_with_what_is_allowed(arguments, error, says):
    with pytest.raises(error, match=says):
        pbft.simulate(**arguments)


def test_validators_that_are_down_may_be_named_by_an_array():
    listed, array = (pbft.simulate(n=4, blocks=1, crashed=down) for down in ([1], np.array([1])))
    assert listed.fingerprint == array.fingerprint
    with pytest.raises(ArgumentTypeError, match=r"crashed\[0\] is \[1\]"):
        pbft.simulate(n=4, blocks=1, crashed=np.array([[1]]))


def test_looking_at_the_messages_of_a_block_changes_nothing():
    for changes in ({}, {"byzantine": 2, "seed": 3}, {"loss": 0.05}):
        seen = pbft.simulate(n=7, blocks=3, message_log=2, **changes)
        assert seen.message_log.height > 0
        assert seen.fingerprint == pbft.simulate(n=7, blocks=3, **changes).fingerprint
