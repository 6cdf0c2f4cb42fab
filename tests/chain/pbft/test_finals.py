"""What a trace tells for pictures: who held which block when, whose signatures made it final, who a twin is."""

from __future__ import annotations

import polars as pl
import pytest

from gridlab.chain import pbft
from gridlab.chain.pbft.finals import FINALS
from gridlab.chain.pbft.message_log import MESSAGE_LOG, OUTSIDERS

SIX = dict.fromkeys(range(6), "collude")


@pytest.fixture(scope="module")
def fork():
    return pbft.simulate(blocks=1, byzantine=SIX, quorum=13, message_log=1)


def test_finals_are_the_blocks_that_each_validator_committed(fork):
    assert dict(fork.finals.schema) == FINALS
    for trace in (fork, pbft.simulate(n=7, blocks=3, crashed=[2])):
        held = {validator: [] for validator in trace.committed}
        for row in trace.finals.sort("height").to_dicts():
            held[row["validator"]].append(row["hash"])
        assert held == trace.committed
        assert trace.finals["final_ms"].max() <= trace.clock_ms


def test_finality_follows_from_the_finals():
    trace = pbft.simulate(n=7, blocks=3)
    for height, told in enumerate(trace.finality_ms, start=1):
        times = trace.finals.filter(height=height)["final_ms"].sort()
        proposed = trace.blocks.filter(height=height)["proposed_ms"].item()
        assert told == times[trace.quorum - 1] - proposed


def test_each_of_two_final_blocks_has_a_certificate_and_they_share_liars_alone(fork):
    first, second = (set(signers) for signers in fork.signers.values())
    assert min(len(first), len(second)) >= fork.quorum
    assert first & second <= set(SIX)


def test_the_log_tells_what_was_voted_for_in_whose_name_and_whether_it_holds():
    trace = pbft.simulate(n=7, blocks=1, byzantine={3: "forge"}, message_log=1)
    log = trace.message_log
    assert dict(log.schema) == MESSAGE_LOG
    votes = log.filter(pl.col("kind") == "commit").filter("valid")
    assert set(votes["digest"]) == set(trace.signers)
    forged = log.filter((pl.col("sender") == 3) & (pl.col("signer") != 3) & (pl.col("signer") < OUTSIDERS))
    assert forged.height
    assert not forged["valid"].fill_null(value=False).any()


def test_second_instances_are_known_by_their_numbers():
    trace = pbft.simulate(n=7, blocks=1, byzantine={1: "twins", 4: "twins"}, message_log=1)
    assert sorted(trace.instances.values()) == [1, 4]
    assert min(trace.instances) >= OUTSIDERS
    assert pbft.simulate(n=4, blocks=1).instances == {}


def test_those_that_are_down_for_good_are_told():
    assert pbft.simulate(n=7, blocks=2, crashed=[5], crashes=[(3, 100.0, None), (2, 100.0, 500.0)]).crashed == (5, 3)


def test_a_cluster_goes_on_when_some_that_hold_the_last_block_begin_to_lie(make_cluster, application):
    cluster = make_cluster()
    cluster.partition([range(14)])
    application.execute(cluster.decide(1))
    cluster.heal()
    for validator in range(6):
        cluster.corrupt(validator, "collude")
    assert cluster.height == 0  # of the honest ones, fewer than a quorum hold the first block yet
    assert cluster.decide(2).height == 2


def test_a_cut_is_told_by_sides(make_cluster):
    cluster = make_cluster(4)
    assert cluster.sides is None
    cluster.partition([[0, 1], [2]])
    assert cluster.sides == {0: 1, 1: 1, 2: 2}
    cluster.heal()
    assert cluster.sides is None
