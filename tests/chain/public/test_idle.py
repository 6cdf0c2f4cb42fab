"""Slots without blocks, and time that is jumped over: the same to the byte as walking through every tick."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.public import PublicChain, PublicTerms, simulate_public
from gridlab.chain.public import network as networks
from gridlab.chain.public.network import Network
from gridlab.errors import ArgumentTypeError, ChainError, LeverError


@pytest.fixture(scope="module")
def walked():
    """Run a simulation tick by tick."""

    class Walking(Network):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.walks = True

    def run(**options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gridlab.chain.public.simulation.Network", Walking)
            return simulate_public(**options)

    return run


@st.composite
def runs(draw):
    seats = draw(st.integers(1, 8))
    seat = st.integers(0, seats - 1)
    slots = draw(st.integers(3, 14))
    options = {
        "validators": seats,
        "slots": slots,
        "seed": draw(st.integers(0, 99)),
        "latency": draw(st.sampled_from([0.0, 0.1, 0.4, 2.0])),
        "stakes": draw(st.lists(st.integers(1, 50), min_size=seats, max_size=seats)),
        "equivocators": draw(st.lists(seat, max_size=seats // 2, unique=True)),
        "terms": PublicTerms(
            gossip_time=draw(st.sampled_from([0.1, 0.5, 1.0])), idle_slots=draw(st.sampled_from([0, 0, 1, 4, 9]))
        ),
    }
    span = st.tuples(st.floats(0, 60), st.floats(1, 40)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    options["offline"] = draw(st.dictionaries(seat, st.lists(span, min_size=1, max_size=2), max_size=seats // 2))
    cuts = st.tuples(span, st.lists(seat, unique=True)).map(lambda cut: (*cut[0], [[], cut[1]]))
    options["partitions"] = draw(st.lists(cuts, max_size=2))
    return options


@given(runs())
@settings(max_examples=20)
def test_jumping_over_quiet_ticks_changes_nothing(walked, options):
    slow, fast = walked(**options), simulate_public(**options)
    assert slow.fingerprint == fast.fingerprint
    assert slow.messages == fast.messages
    assert slow.evidence == fast.evidence
    assert slow.conflicts == fast.conflicts
    assert slow.reorganisations.equals(fast.reorganisations)


@given(
    idle=st.sampled_from([0, 3, 50]),
    steps=st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from(["pay", "fail", "cut", "lie", "nothing"]), st.integers(0, 4)),
        min_size=2,
        max_size=5,
    ),
)
@settings(max_examples=8)
def test_a_chain_that_jumps_has_the_bytes_of_one_that_walks(block, idle, steps):
    chains = []
    for walks in (True, False):
        chain = PublicChain(block.people(), terms=PublicTerms(validators=5, idle_slots=idle), seed=2)
        chain._network.walks = walks
        for slots, what, seat in steps:
            if what == "pay":
                chain.pay(block.pair("alice"), block.pair("bob"), 1_000 + seat)
            elif what == "fail":
                chain.fail(offline=[seat], slots=3)
            elif what == "cut":
                chain.fail(cut=[seat], slots=5)
            elif what == "lie" and not chain._network.faults.liars.any():
                chain.fail(equivocators=[seat], slots=1)
            chain.run(slots)
        chains.append(chain)
    walking, jumping = chains
    assert jumping.to_bytes() == walking.to_bytes()
    assert jumping.head.hash == walking.head.hash
    assert jumping.trace.fingerprint == walking.trace.fingerprint
    assert jumping.replay().state_root == jumping.state_root


def test_a_block_is_written_when_something_waits_or_enough_slots_have_passed(make_chain, key):
    chain = make_chain(terms=PublicTerms(validators=4, idle_slots=20))
    chain.run(7)
    assert chain.head.height == 0
    chain.pay(key("alice"), key("bob"), 5)
    chain.run(2)
    assert [chain.head.height, chain.head.header.slot] == [1, 8]
    assert chain.transactions.height == 1
    chain.run(51)
    slots = chain.blocks.filter("final")["slot"].to_list()
    assert slots[:4] == [0, 8, 28, 48]


def test_what_waits_and_fits_in_no_block_wakes_nobody(make_chain, key):
    chain = make_chain(terms=PublicTerms(validators=4, idle_slots=30))
    late = chain.sign(key("alice"), "transfer", _payment(chain, key))
    chain.submit(late)
    chain.pay(key("alice"), key("bob"), 5)
    ahead = chain.pay(key("alice"), key("bob"), 6)
    chain.run(3)
    assert chain.transactions.height == 3
    other = make_chain(terms=PublicTerms(validators=4, idle_slots=30))
    other.submit(ahead)
    other.run(20)
    assert (len(other.waiting), other.head.height) == (1, 0)


def _payment(chain, key):
    first, second = chain.account(key("alice")), chain.account(key("bob"))
    return pl.DataFrame(
        {
            "transfer_id": [0], "debit_account": [first], "credit_account": [second], "asset": ["GRID"],
            "amount": [3], "code": ["transfer"],
        }
    )  # fmt: skip


def test_blocks_go_on_until_the_last_one_is_final():
    # Two primary authors of one slot split the votes, and without a further block nothing would decide.
    for seed in range(12):
        trace = simulate_public(4, slots=130, terms=PublicTerms(idle_slots=40, primary_share=90), seed=seed)
        assert trace.blocks.filter("best")["final"].all()
        assert trace.final_height >= 3
        assert not trace.conflicts


def test_after_liars_and_absence_all_is_final_and_the_chain_rests():
    trace = simulate_public(
        9, slots=200, equivocators=[2, 5], offline={0: [(60, 400)]}, partitions=[(200, 500, [[], [1, 2, 3, 4]])],
        terms=PublicTerms(idle_slots=25), seed=3,
    )  # fmt: skip
    assert not trace.conflicts
    assert trace.blocks.filter("best")["final"].all()
    assert set(trace.finalised.values()) == {trace.finalised[-1]}


def test_a_night_without_transactions_looks_at_few_ticks(monkeypatch):
    looked = []
    step = networks.Network._step
    monkeypatch.setattr(networks.Network, "_step", lambda self: (looked.append(self.now), step(self))[1])
    chain = PublicChain(terms=PublicTerms(validators=4, idle_slots=600))
    chain.run(4_800)
    assert chain.height >= 7
    assert len(looked) < 100 * chain.height
    assert chain.slot == 4_800


def test_run_until_a_moment(make_chain):
    chain = make_chain(genesis_time=datetime(2026, 4, 1))
    chain.run_until(datetime(2026, 4, 1, 0, 1))
    assert chain.slot == 10
    start = chain.header(0).timestamp
    chain.run_until(start + 15 * 6_000_000 - 1)
    assert chain.slot == 14
    assert chain.run_until(start).is_empty()
    assert chain.slot == 14
    final = chain.run_until(start + 20 * 6_000_000)
    assert (chain.slot, final["final"].all(), final.height > 0) == (20, True, True)
    with pytest.raises(ChainError, match="slot 0 begins at"):
        chain.run_until(start - 1)
    with pytest.raises(ArgumentTypeError, match="timestamp"):
        chain.run_until("noon")
    with pytest.raises(ChainError, match="read from bytes"):
        PublicChain.from_bytes(chain.to_bytes()).run_until(start + 10**9)


def test_the_lever_has_bounds():
    with pytest.raises(LeverError, match="idle_slots"):
        PublicTerms(idle_slots=-1)
