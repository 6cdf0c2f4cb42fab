"""What a light client takes, what it refuses and why, and what freezes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, SingleSequencer, keys
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.finality import FINALITY, PbftFinality, PublicFinality, WeightedFinality
from gridlab.chain.bridge.proofs import CONSORTIUM_LAYOUT
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.bridge.small_chain import SmallChain
from gridlab.chain.public.authorities import AuthoritySet, Justification, finality_message
from gridlab.chain.public.blocks import PublicHeader
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError

LIMITS = {"trusting_period": 10_000, "clock_drift": 5, "longest_skip": 4}


@pytest.fixture
def far():
    return SmallChain("far", now=100)


@pytest.fixture
def client(far):
    return LightClient.trusting("weighted", far.head.to_bytes(), far.layout, **LIMITS)


def grown(chain, blocks):
    for _ in range(blocks):
        chain.seal(chain.now + 1)
    return chain.signed(chain.height)


def test_adjacent_headers_and_such_that_skip_are_taken(far, client):
    client = client.update(grown(far, 1), 110)
    client = client.update(grown(far, 4), 110)
    assert [each.height for each in client.anchors] == [0, 1, 5]
    assert client.frame["height"].to_list() == [0, 1, 5]


def test_why_a_header_is_refused(far, client):
    signed = [grown(far, 1) for _ in range(6)]
    other = SmallChain("other", now=100)
    known = client.update(signed[0], 110)
    rival = far.certify(replace(far._kept[1][0], state_root=bytes(32)))
    cases = [
        (client, grown(other, 1), 110, "follows 'far'"),
        (client, signed[4], 110, "skips from 0"),
        (known, signed[0], 110, "anchored already"),
        (known, rival, 110, "misbehaviour, report both"),
        (client.update(signed[2], 110), signed[1], 110, "not newer"),
        (client, far.certify(replace(far._kept[1][0], parent=bytes(32))), 110, "its parent is"),
        (client, far.certify(far.header(height=2, timestamp=99)), 110, "before header 0"),
        (client, far.certify(far.header(height=2, timestamp=116)), 110, "in the future"),
        (client, signed[0], 10_101, "has expired"),
        (client, replace(signed[0], proof=signed[1].proof), 110, "signature of seat 0"),
        (client, far.certify(far._kept[1][0], far.authority_pairs[1:]), 110, "stake of 60 signed, 67 of 100"),
        (client, replace(signed[0], header=signed[0].header[:-1]), 110, "cut short"),
        (client, replace(signed[0], authority=grown(other, 1).authority), 110, "hands over to it first"),
    ]
    for before, header, now, reason in cases:
        with pytest.raises(ChainError, match=reason):
            before.update(header, now)


def test_weighted_finality_needs_strictly_more_than_two_thirds():
    for stakes, enough in (((1, 1, 1), False), ((1, 1, 1, 1), True), ((4, 3, 2), True), ((34, 33, 33), True)):
        chain = SmallChain("far", stakes=stakes, now=1)
        signers = chain.authority_pairs[:-1]
        signed = chain.certify(chain.header(), signers)
        reason = WeightedFinality().why_not_final(signed.header, signed.proof, signed.authority)
        assert (reason is None) is enough, (stakes, reason)


def test_a_signer_that_stands_there_twice_is_refused():
    chain = SmallChain("far", stakes=(1, 1, 1), now=1)
    header = chain.header()
    good = chain.certify(header, chain.authority_pairs[:2]).proof
    twice = good[:8] + bytes([3 << 2]) + good[9:] + good[9 : 9 + 68]
    reason = WeightedFinality().why_not_final(header.to_bytes(), twice, chain.authority.to_bytes())
    assert reason is not None
    assert "each signs once" in reason


def test_a_new_set_is_proved_by_the_old_one_and_its_block_cannot_be_skipped(far, client):
    far.appoint((5, 5, 5))
    handover, after = grown(far, 1), grown(far, 1)
    with pytest.raises(ChainError, match="hands over to it first"):
        client.update(after, 110)
    client = client.update(handover, 110).update(after, 110)
    assert client.newest.height == 2
    # The old set is out of office.
    with pytest.raises(ChainError, match="hands over to it first"):
        client.update(replace(after, header=far.header(height=3).to_bytes(), authority=handover.authority), 110)


def conflicts(far):
    first = far.certify(far.header())
    second = far.certify(far.header(state_root=bytes(32)))
    far.seal(far.now + 1)
    orphan = far.certify(far.header(parent=bytes(32)))
    older = far.certify(far.header(timestamp=far.head.timestamp - 1, height=far.height + 5))
    return {
        "two final headers at height": (first, second),
        "no child of the final header": (far.signed(far.height), orphan),
        "is older than header": (far.signed(far.height), older),
    }


def test_two_final_headers_that_contradict_each_other_freeze_the_client_for_ever(far, client):
    for reason, pair in conflicts(far).items():
        for first, second in (pair, pair[::-1]):
            frozen = client.misbehaved(first, second, 110)
            assert reason in frozen.frozen
            with pytest.raises(ChainError, match="is frozen"):
                frozen.update(grown(far, 1), 110)
            with pytest.raises(ChainError, match="frozen already"):
                frozen.misbehaved(first, second, 110)
            with pytest.raises(ChainError, match="is frozen"):
                frozen.at(0, 110)


def test_a_set_that_goes_on_after_handing_over_freezes_the_client(far, client):
    pairs, office = far.authority_pairs, far.authority
    far.appoint((5, 5, 5))
    handover = grown(far, 1)
    header = far.header(height=3).to_bytes()
    message = finality_message(header, office.number)
    late = Justification(office.number, {seat: pair.sign(message) for seat, pair in enumerate(pairs)})
    signed = SignedHeader(header, late.to_bytes(), office.to_bytes())
    assert "handed over at height 1 signed header 3" in client.misbehaved(handover, signed, 110).frozen


def test_honest_headers_and_such_of_strangers_freeze_nothing(far, client):
    first, second = grown(far, 1), grown(far, 2)
    good, bad = conflicts(far)["two final headers at height"]
    weak = replace(bad, proof=far.certify(far.header(), far.authority_pairs[1:]).proof)
    stranger = grown(SmallChain("far", now=100, seed=1), 1)
    cases = [
        ((first, second), 110, "do not contradict"),
        ((first, first), 110, "do not contradict"),
        ((good, weak), 110, "signature|stake"),
        ((first, stranger), 110, "names its authority"),
        ((good, bad), 10_200, "names its authority"),
    ]
    for pair, now, reason in cases:
        with pytest.raises(ChainError, match=reason):
            client.misbehaved(*pair, now)


def test_governance_replaces_a_frozen_client_and_no_other_by_an_older_one(far, client):
    end = BridgeEnd().with_client("c", client.update(grown(far, 2), 110))
    with pytest.raises(ChainError, match="only a frozen client"):
        end.with_client("c", client)
    with pytest.raises(ChainError, match="follows 'far'"):
        end.with_client("c", LightClient.trusting("weighted", SmallChain("x").head.to_bytes(), far.layout, **LIMITS))
    frozen = BridgeEnd().with_client("c", replace(end.client("c"), frozen="because"))
    assert frozen.with_client("c", client).client("c").frozen == ""


def test_proofs_at_a_header_past_the_trusting_period_are_refused(far, client):
    far.seal(9_000)
    far.seal(9_000)
    client = client.update(far.signed(1), 9_000).update(far.signed(2), 9_000)
    assert client.at(1, 10_000).height == 1
    with pytest.raises(ChainError, match="not anchored"):
        client.at(7, 10_000)
    # The newest header is of 9,000; that of block 1 is of 100.
    client.require_active(11_000)
    with pytest.raises(ChainError, match="past the trusting period"):
        client.at(1, 11_000)


def test_a_client_of_the_consortium_checks_pbft_certificates(members, pairs):
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4))
    blocks = [chain.seal(moment) for moment in (1_000, 2_000)]
    authority = chain.genesis.ordering_authority
    client = LightClient.trusting("pbft", chain.block(0).header.to_bytes(), CONSORTIUM_LAYOUT, **LIMITS)
    signed = [SignedHeader(each.header.to_bytes(), each.certificate, authority) for each in blocks]
    assert client.update(signed[0], 2_000).update(signed[1], 2_000).newest.hash == chain.head.hash
    for damaged in (signed[0].proof[:-1], signed[1].proof, b"", signed[0].proof[:8] + b"\x00\x00"):
        assert PbftFinality().why_not_final(signed[0].header, damaged, authority)
        with pytest.raises(GridlabError):
            client.update(replace(signed[0], proof=damaged), 2_000)


def test_a_client_of_a_single_sequencer(members):
    chain = ConsortiumChain(members, ordering=SingleSequencer(keys.sandbox(0, "sequencer")))
    block = chain.seal(1_000)
    rule = FINALITY["single-sequencer"]
    header, authority = block.header.to_bytes(), chain.genesis.ordering_authority
    assert rule.why_not_final(header, block.certificate, authority) is None
    assert rule.why_not_final(header, bytes(64), authority) is not None
    assert rule.why_not_final(header, block.certificate, b"short") is not None


def test_a_client_of_the_public_chain_reads_its_headers():
    pairs = [keys.sandbox(0, f"seat {seat}") for seat in range(4)]
    office = AuthoritySet(3, tuple(pair.public_key for pair in pairs), (4, 3, 2, 1))
    roots = dict.fromkeys(("transactions_root", "receipts_root", "state_root"), bytes(32))
    claim = {"slot": 1, "seat": 0, "author": pairs[0].public_key, "primary": True, "claim": bytes(64)}
    sets = {"authority": office.hash, "next_authority": office.hash, "rules_version": 1}
    first = PublicHeader("public", 0, bytes(32), timestamp=1, **claim, **roots, **sets)
    second = PublicHeader("public", 1, first.hash, timestamp=2, **claim, **roots, **sets)
    client = LightClient.trusting("public", first.to_bytes(), CONSORTIUM_LAYOUT, **LIMITS)
    message = finality_message(second.to_bytes(), office.number)
    for seats, final in (((0, 1), True), ((0, 2), False), ((1, 2, 3), False)):
        proof = Justification(office.number, {seat: pairs[seat].sign(message) for seat in seats})
        signed = SignedHeader(second.to_bytes(), proof.to_bytes(), office.to_bytes())
        reason = PublicFinality().why_not_final(signed.header, signed.proof, signed.authority)
        assert (reason is None) is final
        if final:
            assert client.update(signed, 2).newest.hash == second.hash


def test_wrong_types_are_refused():
    with pytest.raises(ArgumentTypeError):
        SignedHeader(b"", "proof", b"")
    with pytest.raises(ChainError, match="not known"):
        LightClient.trusting("trust me", b"", CONSORTIUM_LAYOUT, **LIMITS)


def test_bytes_come_back_and_damaged_ones_do_not(far, client):
    end = BridgeEnd().with_client("c", client.update(grown(far, 1), 110))
    data = end.to_bytes()
    assert BridgeEnd.from_bytes(data) == end
    for place in range(len(data)):
        with pytest.raises(GridlabError):
            BridgeEnd.from_bytes(data[:place])
        flipped = bytearray(data)
        flipped[place] ^= 1
        try:
            assert BridgeEnd.from_bytes(bytes(flipped)).root != end.root
        except GridlabError:
            continue
