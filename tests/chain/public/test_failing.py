"""Faults that begin while a chain runs: what they stop, what they leave, and when they are over."""

from __future__ import annotations

import pytest

from gridlab.chain.public import PublicChain, PublicTerms
from gridlab.chain.public.faults import Faults
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError


@pytest.fixture
def chain():
    made = PublicChain(terms=PublicTerms(validators=9))
    made.run(6)
    return made


@pytest.mark.parametrize("fault", ["offline", "cut"])
def test_a_third_that_fails_stops_finality_until_it_is_back(chain, fault):
    chain.run(4)
    chain.fail(**{fault: [0, 1, 2]}, slots=12)
    chain.run(3)  # what was on its way may still become final
    stood = chain.height
    chain.run(9)
    assert chain.height == stood
    assert chain.head.height > stood
    chain.run(6)
    assert chain.height > stood + 6
    assert chain.replay().state_root == chain.state_root


def test_seats_say_how_validators_stand_in_the_next_slot(chain):
    chain.fail(offline=[3], cut=[7, 8], slots=2)
    chain.fail(equivocators=[1])
    seats = chain.seats
    assert seats.filter(~seats["online"])["seat"].to_list() == [3]
    assert seats.filter("lies")["seat"].to_list() == [1]
    assert seats["side"].to_list() == [0] * 7 + [1, 1]
    chain.run(2)
    seats = chain.seats
    assert seats["online"].all()
    assert seats["side"].null_count() == 9
    assert seats["lies"].sum() == 1


def test_two_that_begin_to_lie_are_caught_and_nothing_conflicts(chain):
    assert chain.trace.evidence == ()
    chain.fail(equivocators=[0, 5])
    chain.run(20)
    trace = chain.trace
    assert {each.seat for each in trace.evidence} == {0, 5}
    assert not trace.forked
    assert chain.height > 15


def test_a_validator_that_is_down_writes_nothing_until_it_is_back():
    chain = PublicChain(terms=PublicTerms(validators=6), seed=3)
    chain.fail(offline=[2], slots=20)
    chain.run(60)
    slots = chain.trace.blocks.filter(seat=2)["slot"]
    assert slots.min() > 20
    assert chain.height > 50


def test_the_trace_of_a_chain_is_what_happened_to_it(chain):
    trace = chain.trace
    assert trace.slots == chain.slot == 6
    assert trace.final_height == chain.height
    best = trace.blocks.filter("best")
    assert best["slot"].to_list() == chain.blocks["slot"][1:].to_list()


def test_joined_faults_hold_spans_in_the_order_of_their_begin():
    first, second = Faults.of(5, {1: [(60, 90)]}, equivocators=[4]), Faults.of(5, {0: [(10, 20)]}, equivocators=[2])
    both = first.joined(second)
    assert both.down_from.tolist() == [10_000, 60_000]
    assert both.down_node.tolist() == [0, 1]
    assert both.liars.tolist() == [False, False, True, False, True]


def test_bad_faults_are_refused_and_change_nothing(chain):
    with pytest.raises(ArgumentError, match="seat"):
        chain.fail(offline=[9])
    with pytest.raises(ArgumentError, match="slots"):
        chain.fail(offline=[0], slots=0)
    with pytest.raises(ArgumentTypeError):
        chain.fail(equivocators=3)
    assert chain.seats["online"].all()
    assert not chain.seats["lies"].any()


def test_a_chain_read_from_bytes_has_no_network(chain):
    read = PublicChain.from_bytes(chain.to_bytes())
    assert (chain.runs, read.runs) == (True, False)
    for ask in (lambda: read.fail(offline=[0]), lambda: read.seats, lambda: read.trace):
        with pytest.raises(ChainError, match="read from bytes"):
            ask()
