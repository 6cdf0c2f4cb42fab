"""The cluster that the lab's chain runs on: decisions, faults, stop and resume, change of members."""

from __future__ import annotations

import random

import pytest

from gridlab.chain import keys, pbft
from gridlab.chain.encoding import text, u64
from gridlab.chain.hashing import ZERO_HASH
from gridlab.chain.pbft.messages import Message
from gridlab.chain.pbft.motions import STOP
from gridlab.errors import ArgumentError, ArgumentTypeError


def test_a_decision_has_a_certificate_that_an_outsider_accepts(make_cluster, decide):
    cluster = make_cluster()
    decision = decide(cluster, 1)
    sealed = decision.header + u64(decision.view)
    assert decision.sealed == sealed
    assert decision.validators == cluster.validators
    assert pbft.verify_certificate(sealed, decision.signatures, cluster.validators)
    assert len(decision.signatures) == 14
    assert not pbft.verify_certificate(decision.header + u64(1), decision.signatures, cluster.validators)
    assert (decision.height, decision.view, decision.body, decision.view_changes) == (1, 0, b"body of A", 0)


def test_a_fault_free_block_costs_840_messages(make_cluster, decide):
    cluster = make_cluster()
    decide(cluster, 1, 2, 3, 4, 5)
    decide(cluster, 6)  # brings the last votes of block 5 with it
    cluster._engine.run(cluster.clock_ms + 500.0, lambda: False)
    counts = cluster.messages
    assert (counts["pre_prepare"], counts["prepare"], counts["commit"]) == (6 * 20, 6 * 400, 6 * 420)
    assert set(counts) == {"pre_prepare", "prepare", "commit"}


def test_finality_is_from_the_proposal_to_the_quorum(make_cluster, decide):
    cluster = make_cluster(latency_ms=10.0, interval_ms=500.0)
    one, two = decide(cluster, 1, 2)
    assert two.proposed_ms - one.proposed_ms == 500.0
    assert one.finality_ms == pytest.approx(30.0)  # three hops of 10 ms
    assert sorted(one.final_ms) == list(range(21)) or len(one.final_ms) >= 14


def test_the_application_is_asked_once_for_each_proposal(make_cluster, decide, application, monkeypatch):
    checked = []
    check = application.check
    monkeypatch.setattr(application, "check", lambda proposal: checked.append(proposal.height) or check(proposal))
    decide(make_cluster(), 1, 2, 3)
    assert checked == [1, 2, 3]


def test_a_refused_proposal_is_never_final(make_cluster, application, monkeypatch):
    cluster = make_cluster(4)
    monkeypatch.setattr(application, "propose", lambda height: application.block(height, b"C"))
    assert cluster.decide(1, limit_ms=20_000.0) is None
    assert cluster.view > 0


def test_nothing_to_order_ends_at_the_limit_and_goes_on_later(make_cluster, application, monkeypatch, decide):
    cluster = make_cluster(4)
    with monkeypatch.context() as patch:
        patch.setattr(application, "propose", lambda height: None)
        assert cluster.decide(1, limit_ms=5_000.0) is None
    assert cluster.clock_ms == 5_000.0
    assert decide(cluster, 1) is not None


def test_six_silent_primaries_cost_six_views(make_cluster, decide):
    cluster = make_cluster()
    for validator in range(6):
        cluster.corrupt(validator, "silent")
    decision = decide(cluster, 1, limit_ms=300_000.0)
    assert (decision.view, decision.view_changes) == (6, 6)
    assert set(decision.final_ms) <= set(range(6, 21))
    assert cluster.corrupted == dict.fromkeys(range(6), "silent")
    for validator in range(6):
        cluster.corrupt(validator, None)
    assert cluster.corrupted == {}
    assert decide(cluster, 2).view == 6


def test_seven_down_is_live_and_eight_down_stops_until_they_return(make_cluster, decide):
    cluster = make_cluster()
    decide(cluster, 1)
    for validator in range(14, 21):
        cluster.crash(validator)
    assert decide(cluster, 2) is not None
    cluster.crash(13)
    assert cluster.crashed == tuple(range(13, 21))
    assert cluster.decide(3, limit_ms=60_000.0) is None
    for validator in range(13, 21):
        cluster.restart(validator)
    assert decide(cluster, 3, limit_ms=600_000.0) is not None
    assert cluster.height == 3
    assert not cluster.forked


def test_a_replica_that_was_away_fetches_the_chain(make_cluster, decide):
    cluster = make_cluster(checkpoint_every=5)
    cluster.crash(20)
    decide(cluster, *range(1, 33))
    cluster.restart(20)
    decide(cluster, 33, 34)
    cluster._engine.run(cluster.clock_ms + 10_000.0, lambda: False)
    blocks = cluster._engine.validators[20].durable.blocks
    assert [block.height for block in blocks] == list(range(1, 35))
    assert cluster._engine.validators[20].replica.low == 30
    assert cluster.messages["block"] > 0


def test_a_cut_network_is_safe_and_goes_on_when_it_is_mended(make_cluster, decide):
    cluster = make_cluster()
    decide(cluster, 1)
    cluster.partition([range(10), range(10, 21)])
    assert cluster.decide(2, limit_ms=60_000.0) is None
    cluster.heal()
    assert decide(cluster, 2, limit_ms=600_000.0) is not None
    cluster.partition([range(8)], until_ms=cluster.clock_ms + 30_000.0)
    assert cluster.decide(3, limit_ms=10_000.0) is None
    assert decide(cluster, 3, limit_ms=600_000.0) is not None
    assert not cluster.forked


def test_a_stopped_cluster_orders_nothing_and_resumes_where_it_stopped(make_cluster, decide):
    cluster = make_cluster()
    decide(cluster, 1)
    assert cluster.stop()
    assert cluster.stopped
    assert cluster.decide(2, limit_ms=60_000.0) is None
    assert cluster.height == 1
    assert cluster.view == 0  # nobody blames the primary for standing still
    assert cluster.resume()
    assert not cluster.stopped
    assert decide(cluster, 2).view == 0


def test_a_stop_needs_a_quorum(make_cluster, decide):
    cluster = make_cluster()
    for validator in range(8):
        cluster.crash(validator)
    assert not cluster.stop(limit_ms=5_000.0)
    assert not cluster.stopped
    for validator in range(8):
        cluster.restart(validator)
    assert cluster.stop()
    assert cluster.resume()
    assert decide(cluster, 1, limit_ms=600_000.0) is not None


def test_an_old_vote_for_a_stop_cannot_be_played_again(make_cluster, decide):
    cluster = make_cluster()
    cluster.stop()
    votes = [message for node in cluster._engine.validators for message in node.durable.motion]
    cluster.resume()
    for node in cluster._engine.validators:
        for vote in votes:
            node.replica.receive(vote)
    assert not cluster.stopped
    assert decide(cluster, 1) is not None


def test_a_replica_that_missed_the_stop_hears_of_it(make_cluster, decide):
    cluster = make_cluster()
    decide(cluster, 1)
    cluster.crash(0)
    assert cluster.stop()
    cluster.restart(0)
    cluster._engine.run(cluster.clock_ms + 10_000.0, lambda: False)
    assert cluster._engine.validators[0].durable.stopped
    cluster.crash(0)
    assert cluster.resume()
    cluster.restart(0)
    assert decide(cluster, 2, limit_ms=120_000.0) is not None


def test_members_change_at_a_checkpoint_and_the_quorum_with_them(make_cluster, decide, pairs):
    cluster = make_cluster(7, checkpoint_every=3)
    decide(cluster, 1)
    old = cluster.validators
    assert cluster.change_members(pairs[2:12], at_height=4)
    decisions = decide(cluster, 2, 3, 4, 5, 6)
    assert [bool(decision.handover) for decision in decisions] == [True, False, False, False, False]
    assert [len(decision.signatures) for decision in decisions] == [5] * 5
    assert all(decision.validators == old for decision in decisions)
    new = decide(cluster, 7, limit_ms=120_000.0)
    assert new.validators == tuple(pair.public_key for pair in pairs[2:12])
    assert len(new.signatures) == 7
    assert pbft.verify_certificate(new.sealed, new.signatures, new.validators)
    assert not pbft.verify_certificate(new.sealed, new.signatures, old)
    assert decide(cluster, 8).validators == new.validators
    assert cluster.validators_at(6) == old
    assert cluster.validators_at(7) == new.validators


def test_the_hand_over_is_under_the_old_sets_certificate(make_cluster, decide, pairs):
    cluster = make_cluster(4, checkpoint_every=2)
    cluster.change_members(pairs[1:6], at_height=2)
    decision = decide(cluster, 1)
    assert decision.handover
    assert all(pair.public_key in decision.handover for pair in pairs[1:6])
    assert pbft.verify_certificate(decision.sealed, decision.signatures, decision.validators)
    stripped = decision.header + u64(decision.view)
    assert not pbft.verify_certificate(stripped, decision.signatures, decision.validators)


def test_a_primary_cannot_change_the_members_alone(make_cluster, decide, application):
    from gridlab.chain.pbft.handover import handover_bytes

    cluster = make_cluster(4)
    own = cluster.validators[0]
    block = application.block(1)
    cluster._application.propose = lambda height: pbft.Proposal(block.header, block.body, handover_bytes(1, 0, [own]))
    assert cluster.decide(1, limit_ms=10_000.0) is None
    assert cluster.validators_at(1_000) == cluster.validators


def test_a_fork_with_quorum_13_and_none_with_14(make_cluster):
    for quorum, forks in ((13, True), (None, False)):
        cluster = make_cluster(quorum=quorum)
        for validator in range(6):
            cluster.corrupt(validator, "collude")
        cluster.decide(1, limit_ms=300_000.0)
        cluster._engine.run(cluster.clock_ms + 5_000.0, lambda: False)
        assert cluster.forked is forks
        assert {each.validator for each in cluster.evidence} <= set(range(6))
        assert cluster.evidence


def test_the_same_seed_gives_the_same_run(make_cluster, decide, application):
    runs = []
    for _ in range(2):
        application.parent = ZERO_HASH
        cluster = make_cluster(7, seed=5, loss=0.1, jitter=3.0)
        decisions = decide(cluster, 1, 2, 3, limit_ms=300_000.0)
        runs.append(([decision.final_ms for decision in decisions], cluster.messages))
    assert runs[0] == runs[1]


def test_a_chain_is_continued_from_its_height(pairs, application, decide):
    application.parent = b"\x07" * 32
    cluster = pbft.Cluster(
        pairs[:4], chain_id="pbft-test", application=application, height=500, parent=application.parent
    )
    assert [decision.height for decision in decide(cluster, 501, 502)] == [501, 502]
    other = pbft.Cluster(pairs[:4], chain_id="pbft-test", application=application, height=502, parent=b"\x08" * 32)
    assert other.decide(503, limit_ms=5_000.0) is None


def test_the_messages_of_a_height_can_be_looked_at(make_cluster, decide):
    cluster = make_cluster(4, message_log=2)
    decide(cluster, 1, 2, 3)
    log = cluster.message_log
    assert set(log["height"]) == {2}
    assert log.filter(kind="pre_prepare").height == 3
    assert log["delivered"].all()
    assert (log["arrival_ms"] >= log["time_ms"]).all()


def test_a_cluster_of_one_decides_at_once(make_cluster, decide):
    assert decide(make_cluster(1), 1).finality_ms == 0.0


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"loss": 1.0}, ArgumentError, "loss < 1"),
        ({"latency_ms": (5.0, 1.0)}, ArgumentError, "low <= high"),
        ({"latency_ms": [[1.0]]}, ArgumentError, r"\(4, 4\)"),
        ({"latency_ms": "fast"}, ArgumentTypeError, "4 x 4 matrix"),
        ({"quorum": 5}, ArgumentError, "at most 4"),
        ({"seed": -1}, ArgumentTypeError, "seed"),
        ({"timeout_ms": 0.0}, ArgumentError, "timeout_ms"),
        ({"parent": b"short"}, ArgumentError, "exactly 32"),
    ],
)
def test_bad_options_are_named(make_cluster, options, error, says):
    with pytest.raises(error, match=says):
        make_cluster(4, **options)


def test_bad_calls_are_named(make_cluster, decide, pairs, application):
    cluster = make_cluster(4)
    with pytest.raises(ArgumentError, match="allowed: at least 1 and at most 1"):
        cluster.decide(2)
    with pytest.raises(ArgumentError, match="at most 3"):
        cluster.crash(4)
    with pytest.raises(ArgumentError, match="did you mean 'collude'"):
        cluster.corrupt(0, "colude")
    with pytest.raises(ArgumentTypeError, match="'equivocate'"):
        cluster.corrupt(0, 1)
    with pytest.raises(ArgumentError, match="twice"):
        cluster.partition([[0, 1], [1, 2]])
    with pytest.raises(ArgumentTypeError, match=r"\[\[0, 1, 2\], \[3, 4\]\]"):
        cluster.partition(3)
    with pytest.raises(ArgumentError, match="a key twice"):
        pbft.Cluster([pairs[0]] * 4, chain_id="c", application=application)
    with pytest.raises(ArgumentTypeError, match="propose, rival and check"):
        pbft.Cluster(pairs[:4], chain_id="c", application=object())
    with pytest.raises(ArgumentTypeError, match="KeyPair"):
        pbft.Cluster([keys.sandbox(0, "a").public_key], chain_id="c", application=application)
    assert decide(cluster, 1) is not None


def test_a_proposal_that_is_none_is_named(make_cluster, application, monkeypatch):
    monkeypatch.setattr(application, "propose", lambda height: text("block"))
    with pytest.raises(ArgumentTypeError, match=r"application.propose\(1\) returned a bytes"):
        make_cluster(4).decide(1)


@pytest.mark.parametrize("seed", range(12))
def test_members_change_while_others_lie_crash_and_lose_messages(make_cluster, decide, pairs, seed):
    chance = random.Random(seed)
    cluster = make_cluster(7, seed=seed, loss=0.1, jitter=10.0, checkpoint_every=2, interval_ms=100.0, timeout_ms=500.0)
    cluster.corrupt(0, chance.choice(["equivocate", "collude", "twins", "forge", "stale_view"]))
    decide(cluster, 1, limit_ms=300_000.0)
    cluster.crash(chance.randrange(1, 7))
    chosen = chance.sample(pairs[:10], chance.randrange(4, 9))
    if pairs[0] in chosen and len(chosen) < 4:
        chosen.remove(pairs[0])
    assert cluster.change_members(chosen, at_height=chance.randrange(6))
    decisions = decide(cluster, *range(2, 7), limit_ms=600_000.0)
    for down in cluster.crashed:
        cluster.restart(down)
    decisions += decide(cluster, *range(7, 12), limit_ms=600_000.0)
    assert all(decision is not None for decision in decisions)
    assert all(pbft.verify_certificate(each.sealed, each.signatures, each.validators) for each in decisions)
    assert decisions[-1].validators == tuple(pair.public_key for pair in chosen)
    assert not cluster.forked
    assert {each.validator for each in cluster.evidence} <= {0}


def test_a_stop_is_heard_through_a_bad_network_and_over_crashes(make_cluster, decide):
    cluster = make_cluster(loss=0.5, seed=3)
    for node in cluster._engine.validators[:10]:
        node.replica.vote(1, STOP)
    for validator in range(10):
        cluster.crash(validator)
        cluster.restart(validator)
    assert cluster.stop()  # the ten have voted in epoch 1 and vote again in epoch 2
    assert cluster.resume()
    assert decide(cluster, 1, limit_ms=600_000.0) is not None


def test_a_certificate_of_another_chain_with_the_same_validators_proves_nothing_here(pairs, decide, application):
    there = pbft.Cluster(pairs[:4], chain_id="pbft-test", application=application)
    decide(there, 1)
    here = pbft.Cluster(pairs[:4], chain_id="another", application=application)
    block = there._engine.validators[0].durable.blocks[0]
    replica = here._engine.validators[0].replica
    replica.receive(Message("block", 1, 0, 1, bytes(32), block))
    assert replica.height == 0
