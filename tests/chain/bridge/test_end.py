"""One act after another between two small chains: what each needs, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import merkle
from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.inclusion import Inclusion, ProofSpec, inclusion_of
from gridlab.chain.bridge.log import Log
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.chain.bridge.proofs import StateLayout
from gridlab.chain.bridge.proving import prove_unreceived
from gridlab.chain.bridge.ranges import Ranges, require_absent
from gridlab.chain.bridge.relaying import relay, relays_due
from gridlab.chain.encoding import Reader
from gridlab.errors import ArgumentError, ChainError, GridlabError

HASH = "blake2b-256"


def know(chains):
    for chain, other in (chains, chains[::-1]):
        other.seal()
        chain.update("client", other.signed(other.height))


def only(origin, destination, act):
    (due,) = relays_due(origin, destination, "to-b")
    assert due.act == act
    return due


def test_a_packet_is_executed_once_and_its_answer_settles_it_once(pair, tools):
    a, b = pair
    a.send_tokens("to-b", b.now + 9, tools.move())
    assert (a.balance(tools.ALICE, "WATT"), a.balance(tools.VAULTS[0], "WATT")) == (900, 100)
    know(pair)
    due = only(a, b, "receive")
    due.perform(b)
    assert b.balance(tools.BOB, "WATT") == 100
    with pytest.raises(ChainError, match="received before"):
        due.perform(b)
    know(pair)
    answer = only(a, b, "acknowledge")
    with pytest.raises(ChainError, match="does not say 1"):
        replace(answer, code=1).perform(a)
    answer.perform(a)
    with pytest.raises(ChainError, match="answered already"):
        answer.perform(a)
    with pytest.raises(ChainError, match="answered already"):
        replace(answer, act="time_out").perform(a)


def test_after_its_timeout_a_packet_is_not_executed_and_paid_back_once(pair, tools):
    a, b = pair
    a.send_tokens("to-b", b.now + 60, tools.move())
    know(pair)
    late = only(a, b, "receive")
    b.seal(b.now + 60)
    with pytest.raises(ChainError, match="timed out at"):
        late.perform(b)
    a.seal(a.now + 60)
    know(pair)
    back = only(a, b, "time_out")
    back.perform(a)
    assert a.balance(tools.ALICE, "WATT") == 1_000
    with pytest.raises(ChainError, match="paid back already"):
        back.perform(a)


def test_who_was_executed_is_not_paid_back_after_the_timeout(pair, tools):
    a, b = pair
    a.send_tokens("to-b", b.now + 60, tools.move())
    know(pair)
    absent = only(a, b, "receive")
    early_height, early = a.end.client("client").newest.height, b.at(b.height)
    absent.perform(b)
    b.seal(b.now + 60)
    a.seal(a.now + 60)
    know(pair)
    packet = a.end.channel("to-b").open_packets[0]
    stale = prove_unreceived(*early, "to-a", 0)
    with pytest.raises(ChainError, match="not before the timeout"):
        a.time_out(packet, early_height, stale)
    with pytest.raises(GridlabError):
        a.time_out(packet, a.end.client("client").newest.height, stale)
    with pytest.raises(ArgumentError, match="is in the ranges"):
        prove_unreceived(*b.at(b.height), "to-a", 0)


def test_an_ordered_channel_keeps_the_order_and_closes_when_a_packet_times_out(tools):
    chains = a, b = tools.world(ordered=True)
    for _ in range(2):
        a.send_tokens("to-b", b.now + 60, tools.move())
    know(chains)
    first, second = relays_due(a, b, "to-b")
    with pytest.raises(ChainError, match="expects packet 0, not 1"):
        second.perform(b)
    for chain in chains:
        chain.seal(chain.now + 60)
    know(chains)
    assert [each.act for each in relay(a, b, "to-b")] == ["time_out", "time_out"]
    assert a.balance(tools.ALICE, "WATT") == 1_000
    with pytest.raises(ChainError, match="is closed"):
        a.send_tokens("to-b", b.now + 60, tools.move())
    with pytest.raises(ChainError, match="timed out"):
        first.perform(b)


def test_a_counterpart_that_lies_gets_no_more_than_was_locked(pair, tools):
    a, b = pair
    a.send_tokens("to-b", b.now + 9, tools.move(amount=100))
    know(pair)
    only(a, b, "receive").perform(b)
    # All of b's authorities agree to wrap 10,000 WATT out of nothing and to send them home.
    channel = b.end.channel("to-a")
    b.end = replace(b.end, channels={"to-a": replace(channel, held={"WATT": 10_000})})
    b.balances[tools.BOB, "WATT"] = 10_000
    b.send_tokens("to-a", a.now + 9, TokenMove("WATT", 10_000, tools.BOB, tools.ALICE))
    know(pair)
    (due,) = [each for each in relays_due(b, a, "to-a") if each.act == "receive"]
    step = due.perform(a)
    assert (step.code, a.balance(tools.VAULTS[0], "WATT")) == (1, 100)
    assert "holds 100 of WATT" in step.reason


def test_nonsense_of_a_counterpart_is_answered_and_blocks_nothing(pair, tools):
    a, b = pair
    channel = a.end.channel("to-b")
    broken = Packet("to-b", "to-a", 0, b.now + 9, tools.move().to_bytes()[:-1])
    a.end = replace(a.end, channels={"to-b": replace(channel, sent=channel.sent.append(broken.leaf))})
    know(pair)
    assert only(a, b, "receive").perform(b).code == 1


def test_other_data_goes_over_a_channel_and_may_not_look_like_tokens(pair, tools):
    a, b = pair
    step = a.end.send_data("to-b", b.now + 9, b"hello")
    a.end = step.end
    know(pair)
    assert only(a, b, "receive").perform(b).payments == ()
    for payload in (tools.move().to_bytes(), tools.move().to_bytes()[:-1]):
        with pytest.raises(ChainError, match="moves tokens"):
            a.end.send_data("to-b", b.now + 9, payload)


def test_channels_that_do_not_mean_each_other_are_refused(pair, tools):
    a, b = pair
    a.end = a.end.with_channel(replace(a.end.channel("to-b"), name="side"))
    a.send_tokens("side", b.now + 9, tools.move())
    know(pair)
    with pytest.raises(ChainError, match="leads to 'to-b'"):
        next(relays_due(a, b, "side")).perform(b)


def test_what_cannot_be_sent(pair, tools):
    a, b = pair
    cases = [
        (("nowhere", b.now + 9, tools.move()), "no channel"),
        (("to-b", b.now + 9, tools.move(asset="THB")), "does not carry"),
        (("to-b", b.now + 9, tools.move(amount=1_001)), "holds 1000 WATT, not 1001"),
        (("to-b", 5, tools.move()), "is over on 'b'"),
        (("to-b", b.now + 9, tools.move(asset="GRID")), "holds 0 of GRID"),
    ]
    for arguments, reason in cases:
        before = a.end, dict(a.balances)
        with pytest.raises(ChainError, match=reason):
            a.send_tokens(*arguments)
        assert (a.end, a.balances) == before
    for amount in (0, 2**63):
        with pytest.raises(ArgumentError):
            tools.move(amount=amount)
    with pytest.raises(ArgumentError):
        tools.move(recipient=b"\x01")


def test_a_client_that_expired_lets_nothing_leave(pair, tools):
    a, b = pair
    a.seal(a.now + 11 * tools.DAY)
    with pytest.raises(ChainError, match="has expired"):
        a.send_tokens("to-b", b.now + 9, tools.move())


def test_channels_are_opened_with_sense():
    with pytest.raises(ChainError, match="one home"):
        Channel("x", vault=bytes(32), native=("WATT",), foreign=("WATT",))
    with pytest.raises(ChainError, match="has no vault"):
        Channel("x", native=("WATT",))
    with pytest.raises(ChainError, match="no name"):
        Channel("")
    with pytest.raises(ChainError, match="already"):
        BridgeEnd().with_channel(Channel("x")).with_channel(Channel("x"))
    with pytest.raises(ChainError, match="no client"):
        BridgeEnd().with_channel(Channel("x", "c", counterpart="y"))
    with pytest.raises(ChainError, match="no prefix"):
        StateLayout(b"")


SPEC = ProofSpec("leaves", b"leaf", 1, 2, 3)
LEAVES = [b"leaf" + bytes([number]) for number in range(5)]


def test_a_proof_is_checked_against_its_spec_and_not_a_root_alone():
    """As ICS-23 asks: prefix, length, depth, and the size that is committed to."""
    root = merkle.root(LEAVES, hash=HASH)
    good = inclusion_of(LEAVES, 2)
    assert SPEC.require(good, root, size=5) == b"\x02"
    deep = [b"leaf" + bytes([number]) for number in range(9)]
    odd = [b"node\x01", b"leaf", b"leaf123"]
    cases = [
        (good, merkle.root(LEAVES[:4], hash=HASH), None, "another tree"),
        (good, root, 6, "the register has 6"),
        (replace(good, index=1), root, 5, "does not lead to the root"),
        (replace(good, size=4, index=5), root, None, "does not exist"),
        (replace(good, path=good.path[:-1]), root, 5, "does not lead to the root"),
        (replace(good, path=(*good.path, bytes(32))), root, 5, "at most 3|does not lead"),
        (inclusion_of(deep, 0), merkle.root(deep, hash=HASH), 9, "at most 3"),
        (inclusion_of(odd, 0), merkle.root(odd, hash=HASH), 3, "does not begin"),
        (inclusion_of(odd, 1), merkle.root(odd, hash=HASH), 3, "0 bytes after its prefix"),
        (inclusion_of(odd, 2), merkle.root(odd, hash=HASH), 3, "3 bytes after its prefix"),
    ]
    for proof, against, size, reason in cases:
        with pytest.raises(ChainError, match=reason):
            SPEC.require(proof, against, size=size)
    assert Inclusion.read(Reader(good.to_bytes(), "proof")) == good


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_the_root_of_a_log_is_that_of_the_whole_tree(leaves):
    log = Log()
    for count, leaf in enumerate(leaves):
        assert log.root == merkle.root(leaves[:count], hash=HASH)
        older, log = log, log.append(leaf)
        assert older.append(b"fork").leaves == [*leaves[:count], b"fork"]
    assert log.root == merkle.root(leaves, hash=HASH)
    assert Log.read(Reader(log.to_bytes(), "log")) == log


@given(st.sets(st.integers(0, 30)), st.randoms(use_true_random=False), st.integers(0, 30))
def test_ranges_are_the_set_and_prove_what_is_not_in_it(numbers, random, asked):
    order = sorted(numbers)
    random.shuffle(order)
    ranges = Ranges()
    for number in order:
        ranges = ranges.add(number)
    assert [number for number in range(32) if number in ranges] == sorted(numbers)
    assert len(ranges) == len(numbers)
    assert Ranges.read(Reader(ranges.to_bytes(), "ranges")) == ranges
    committed = {"root": ranges.root, "size": len(ranges.bounds), "past_last": ranges.past_last}
    if asked in numbers:
        with pytest.raises(ArgumentError):
            ranges.prove_absent(asked)
    else:
        require_absent(asked, ranges.prove_absent(asked), **committed)
    # No proof of anything that is absent shows that something else is absent which is there.
    for absent in set(range(32)) - numbers:
        proof = ranges.prove_absent(absent)
        for present in sorted(numbers):
            with pytest.raises(ChainError):
                require_absent(present, proof, **committed)


def test_two_ranges_that_are_no_neighbours_do_not_enclose_what_is_between():
    ranges = Ranges(((0, 1), (5, 6), (9, 10)))
    leaves = ranges.leaves
    forged = inclusion_of(leaves, 0), inclusion_of(leaves, 2)
    committed = {"root": ranges.root, "size": 3, "past_last": 10}
    for proof in (forged, forged[:1], forged[1:], (), (*forged, forged[0])):
        with pytest.raises(ChainError):
            require_absent(5, proof, **committed)
    with pytest.raises(ChainError, match="takes no neighbours"):
        require_absent(10, forged, **committed)
    for bounds in (((1, 1),), ((0, 2), (2, 3)), ((3, 4), (0, 1))):
        with pytest.raises(ChainError, match="does not rise"):
            Ranges(bounds)
