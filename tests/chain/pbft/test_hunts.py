"""Hunts for forks, and proof that the hunters would find one: protocols broken on purpose are caught.

`make soak` looks at many more schedules; PBFT_SCHEDULES sets their number at n = 21, the other sizes get as many.
"""

from __future__ import annotations

import os

import polars as pl
import pytest

from gridlab.chain.pbft import hunt, schedule, simulate, view_change
from gridlab.chain.pbft.engine import Engine
from gridlab.chain.pbft.quorums import max_faulty
from gridlab.errors import ArgumentError, ArgumentTypeError

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SCHEDULES = int(os.environ.get("PBFT_SCHEDULES", "10000" if SOAK else "0"))


@pytest.mark.parametrize(("n", "schedules"), [(4, 300), (6, 150), (7, 150), (10, 120), (21, 200)])
def test_no_schedule_forks_and_every_request_is_executed_after_the_network_has_healed(n, schedules):
    found = hunt(SCHEDULES or schedules, n=n)
    broken = found.filter(pl.col("forked") | ~pl.col("complete"))
    assert broken.select("seed", "forked", "complete", "liars").rows() == []
    # The hunt is worth something: views change, liars are caught, and most schedules hold some misfortune.
    assert found["views"].mean() > 1.0
    assert found["evidence"].sum() > schedules / 10
    assert (found["liars"] != "").mean() > 0.6


def test_the_same_hunt_with_quorum_13_finds_forks():
    # The first test of this file runs these schedules, and more, with quorum 14.
    assert hunt(30, quorum=13)["forked"].sum() >= 3


def test_every_prefix_of_the_blocks_is_the_same_for_all_honest_validators():
    for seed in range(20):
        trace = simulate(**schedule(seed, n=7))
        assert len({tuple(held) for held in trace.committed.values()}) == 1


def forgetful(start, standings):
    """Choose a new view that proposes nothing again."""
    base, _ = view_change_choose(start, standings)
    return base, None


def near_sighted(start, standings):
    """Choose the lowest final block instead of the highest as the base."""
    shown = list(standings)
    base = min((each.block.height if each.block else start for each in shown), default=start)
    again = [each.prepared for each in shown if each.prepared and each.prepared.pre_prepare.height == base + 1]
    return base, max(again, key=lambda prepared: prepared.pre_prepare.view, default=None)


view_change_choose = view_change.choose


@pytest.mark.parametrize("mutant", [forgetful, near_sighted])
def test_a_new_view_that_loses_what_was_prepared_is_caught(mutant, monkeypatch):
    monkeypatch.setattr(view_change, "choose", mutant)
    assert hunt(600, n=4)["forked"].any()


def test_a_replica_that_forgets_its_votes_in_a_crash_is_caught(monkeypatch):
    restart = Engine.restart

    def forget(engine, node):
        node.durable.votes, node.durable.bodies, node.durable.prepared = {}, {}, None
        restart(engine, node)

    monkeypatch.setattr(Engine, "restart", forget)
    assert hunt(1000, n=4)["forked"].any()


def test_a_replica_that_believes_every_certificate_is_caught(monkeypatch):
    monkeypatch.setattr(view_change.ViewChange, "_proves_final", lambda replica, block: True)
    assert hunt(300, n=4)["forked"].any()


def test_schedules_are_made_from_their_seed_and_differ():
    assert schedule(3) == schedule(3)
    assert schedule(3) != schedule(4)
    for seed in range(30):
        arguments = schedule(seed, n=7)
        assert len(arguments["byzantine"]) <= max_faulty(7)
        assert {who for who, _, _ in arguments["crashes"]}.isdisjoint(arguments["byzantine"])


def test_bad_arguments_of_a_hunt_are_named():
    with pytest.raises(ArgumentError, match="at least 0"):
        hunt(-1)
    with pytest.raises(ArgumentTypeError):
        hunt(1.5)
    with pytest.raises(ArgumentError, match="at least 1"):
        schedule(0, n=0)
