"""Evidence: found by honest replicas, checked by outsiders, and never against somebody honest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridlab.chain import keys, pbft
from gridlab.chain.pbft.messages import Message
from gridlab.chain.pbft.simulation import CHAIN_ID
from gridlab.errors import ArgumentTypeError


@pytest.fixture(scope="module")
def trace():
    return pbft.simulate(byzantine=dict.fromkeys(range(6), "equivocate"), blocks=2)


@pytest.fixture(scope="module")
def validators():
    return [keys.sandbox(0, f"validator {number}").public_key for number in range(21)]


def test_evidence_is_found_and_an_outsider_accepts_it(trace, validators):
    assert trace.evidence
    for each in trace.evidence:
        assert each.validator in range(6)
        assert each.public_key == validators[each.validator]
        assert pbft.verify_evidence(each, validators, chain_id=CHAIN_ID)
        assert repr(each) == (
            f"Evidence(validator {each.validator} signed two {each.kind} at view {each.view}, height {each.height})"
        )


def test_a_primary_that_shows_two_blocks_is_found_out_by_crossing_prepares(trace):
    assert "pre_prepare" in {each.kind for each in trace.evidence}


def test_evidence_for_another_chain_or_against_a_stranger_proves_nothing(trace, validators):
    each = trace.evidence[0]
    if each.kind != "commit":
        assert not pbft.verify_evidence(each, validators, chain_id="another chain")
    assert not pbft.verify_evidence(each, validators[6:], chain_id=CHAIN_ID)
    assert not pbft.verify_evidence(replace(each, public_key=validators[20]), validators, chain_id=CHAIN_ID)


def test_two_votes_that_do_not_contradict_each_other_prove_nothing(trace, validators):
    each = trace.evidence[0]
    assert not pbft.verify_evidence(replace(each, second=each.first), validators, chain_id=CHAIN_ID)
    assert not pbft.verify_evidence(replace(each, view=each.view + 1), validators, chain_id=CHAIN_ID)
    assert not pbft.verify_evidence(replace(each, kind="reply"), validators, chain_id=CHAIN_ID)
    first = each.first
    forged = Message(first.kind, first.signer, first.view, first.height, b"x" * 32, first.body, first.signature)
    assert not pbft.verify_evidence(replace(each, first=forged), validators, chain_id=CHAIN_ID)


def test_a_verdict_that_a_message_carries_is_not_believed(trace, validators):
    first = trace.evidence[0].first
    forged = Message(first.kind, first.signer, first.view, first.height, b"x" * 32, first.body, bytes(64))
    forged.verdict = True
    assert not pbft.verify_evidence(replace(trace.evidence[0], first=forged), validators, chain_id=CHAIN_ID)


def test_all_of_it_is_named_in_a_fork(validators):
    trace = pbft.simulate(byzantine=dict.fromkeys(range(5), "collude"), quorum=13, blocks=1)
    commits = [each for each in trace.evidence if each.kind == "commit"]
    assert [each.validator for each in commits] == list(range(5))
    assert all(pbft.verify_evidence(each, validators, chain_id=CHAIN_ID) for each in commits)


@pytest.mark.parametrize("kind", ["forge", "silent", "delay"])
def test_liars_that_sign_nothing_twice_leave_no_evidence_and_frame_nobody(kind):
    assert pbft.simulate(byzantine=dict.fromkeys(range(6), kind), blocks=2).evidence == []


def test_wrong_types_are_named(trace, validators):
    with pytest.raises(ArgumentTypeError, match="Evidence"):
        pbft.verify_evidence("he did it", validators, chain_id=CHAIN_ID)
    with pytest.raises(ArgumentTypeError, match="validators"):
        pbft.verify_evidence(trace.evidence[0], "all", chain_id=CHAIN_ID)
