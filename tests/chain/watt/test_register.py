"""The queue equals a list, shares are exact, and the register goes into bytes and back and nowhere else."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.chain.authority import Authority
from gridlab.chain.blocks import Header
from gridlab.chain.encoding import Reader
from gridlab.chain.members import Members
from gridlab.chain.snapshot import decode_state, encode_state
from gridlab.chain.state import State
from gridlab.chain.terms import ChainTerms
from gridlab.chain.watt import Bookings, RedemptionQueue, ReserveAttestation, WattRegister, WattRules, share_of
from gridlab.chain.watt.bookings import MOST_MOMENTS
from gridlab.chain.watt.queue import Redemption
from gridlab.chain.watt.wire import rules_frame
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError


@given(st.lists(st.integers(0, 2**63 - 1), max_size=5), st.integers(0, 10**9))
def test_shares_of_many_amounts_are_exact(amounts, parts):
    assert share_of(np.array(amounts, np.int64), parts).tolist() == [amount * parts // 10**9 for amount in amounts]


@given(st.lists(st.one_of(st.integers(1, 50).map(lambda n: ("add", n)), st.integers(1, 80).map(lambda n: ("pay", n)))))
def test_the_queue_is_a_list_from_whose_front_amounts_are_taken(steps):
    queue, plain, first = RedemptionQueue(), [], 0
    old = [(queue, [])]
    for number, (step, amount) in enumerate(steps):
        if step == "add":
            queue = queue.add(Redemption(number, amount, number))
            plain.append([number, amount, number])
        elif amount <= sum(each[1] for each in plain):
            front = queue.front(amount)
            paid, left = [], amount
            while left:
                part = min(left, plain[0][1])
                paid.append(part)
                left -= part
                if part == plain[0][1]:
                    plain.pop(0)
                    first += 1
                else:
                    plain[0] = [plain[0][0], plain[0][1] - part, 99]
            assert front.paid.tolist() == paid
            queue = queue.after(front, 99)
        else:
            with pytest.raises(ChainError, match="which is queued"):
                queue.front(amount)
        old.append((queue, [tuple(each) for each in plain]))
        assert (queue.first, queue.total) == (first, sum(each[1] for each in plain))
    # What came later has changed no earlier version.
    for version, entries in old:
        assert list(version.entries) == entries


def test_two_versions_grow_apart():
    trunk = RedemptionQueue().add(Redemption(1, 10, 0))
    left, right = trunk.add(Redemption(2, 20, 1)), trunk.add(Redemption(3, 30, 1))
    assert [each.account for each in left.entries] == [1, 2]
    assert [each.account for each in right.entries] == [1, 3]
    assert (len(trunk), trunk.total) == (1, 10)
    assert left != right
    assert hash(trunk) == hash(RedemptionQueue((Redemption(1, 10, 0),)))


@pytest.fixture
def register():
    queue = RedemptionQueue((Redemption(5, 10, 3), Redemption(6, 20, 4)), first=7)
    rules = WattRules(keys.sandbox(0, "auditor").public_key, 900, "haircut", gate=5, fee_ppb=6, least=7)
    return WattRegister(rules, ReserveAttestation(11, 12, 13), "drill", queue, 900, 4, Bookings(((12, 5), (13, 6))))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 50)), max_size=20), st.integers(0, 60))
def test_bookings_are_a_list_of_moments_and_amounts(steps, since):
    booked, plain, now = Bookings(), [], 0
    for wait, amount in steps:
        now += wait
        booked = booked.add(now, amount)
        plain.append((now, amount))
    assert booked.total == sum(amount for _, amount in plain)
    assert booked.after(since).total == sum(amount for moment, amount in plain if moment > since)


def test_of_too_many_bookings_the_oldest_count_as_later_ones_and_never_as_attested():
    booked = Bookings()
    for moment in range(2 * MOST_MOMENTS):
        booked = booked.add(moment, 2)
    assert (len(booked.entries), booked.total) == (MOST_MOMENTS, 4 * MOST_MOMENTS)
    assert booked.after(MOST_MOMENTS - 1).total == booked.total
    assert booked.after(MOST_MOMENTS).total == 2 * (MOST_MOMENTS - 1)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (((5, 1), (5, 1)), "do not grow"),
        (((5, 0),), "more than 0"),
        (tuple((moment, 1) for moment in range(MOST_MOMENTS + 1)), "at most 96"),
    ],
)
def test_bookings_that_cannot_be_are_not_read(entries, words):
    with pytest.raises(ChainError, match=words):
        Bookings.read(Reader(Bookings(entries).to_bytes()))


def test_the_register_goes_into_bytes_and_back(register):
    assert WattRegister.from_bytes(register.to_bytes()) == register
    assert WattRegister.from_bytes(WattRegister().to_bytes()) == WattRegister()


def test_every_field_of_the_register_is_under_its_hash(register):
    others = [
        replace(register, pause=""),
        replace(register, slot=901),
        replace(register, burned=5),
        replace(register, bookings=Bookings(((12, 5), (13, 7)))),
        replace(register, bookings=Bookings(((12, 5), (14, 6)))),
        replace(register, attestation=None),
        replace(register, attestation=ReserveAttestation(11, 13, 13)),
        replace(register, queue=RedemptionQueue(register.queue.entries, first=8)),
        *(replace(register, rules=replace(register.rules, **{name: 1})) for name in ("gate", "fee_ppb", "least")),
        replace(register, rules=replace(register.rules, gap_rule="par")),
    ]
    assert len({each.hash for each in (register, *others)}) == 1 + len(others)


def test_damaged_bytes_never_read_as_another_register(register):
    data, draws = register.to_bytes(), random.Random(0)
    for _ in range(300):
        broken = bytearray(data)
        broken[draws.randrange(len(data))] ^= 1 << draws.randrange(8)
        broken = bytes(broken[: draws.choice([len(data), draws.randrange(len(data))])])
        try:
            read = WattRegister.from_bytes(broken)
        except GridlabError:
            continue
        assert read != register
        assert read.to_bytes() == broken
    with pytest.raises(ChainError, match="without rules"):
        WattRegister.from_bytes(replace(register, rules=None).to_bytes())


def test_a_state_with_a_register_goes_through_a_snapshot(members, register):
    state = State.of(Members.of(members), ChainTerms(), Authority(b""), "a chain")
    plain = state.root
    state.watt = register
    assert state.root != plain
    header = Header("a chain", 5, bytes(32), 0, bytes(32), bytes(32), state.root, 1, bytes(32))
    assert decode_state(encode_state(state), header).watt == register
    state.watt = WattRegister()
    assert state.root == plain


def test_bad_arguments_say_what_is_allowed():
    with pytest.raises(ArgumentError, match="exactly 32"):
        WattRules(b"short", 1)
    with pytest.raises(ChainError, match="stop, haircut, par"):
        WattRules(bytes(32), 1, "magic")
    with pytest.raises(ArgumentTypeError, match="WattRules"):
        rules_frame("none")
    with pytest.raises(ArgumentError, match="at least 0"):
        ReserveAttestation(0, -1, 0)
    with pytest.raises(ArgumentTypeError, match="KeyPair"):
        ReserveAttestation(0, 0, 0).sign("auditor", "a chain")
