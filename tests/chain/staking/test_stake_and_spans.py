"""A stake with its unlocking chunks, and slashing spans, against Substrate's own tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.staking.spans import Span, SpanRecord, Spans
from gridlab.chain.staking.stake import Chunk, Stake

LARGEST = 2 * (2**64 - 1)


def stake(active, *chunks):
    return Stake(active, tuple(Chunk(amount, era) for era, amount in chunks))


# Of `proportional_ledger_slash_works`, polkadot-sdk substrate/frame/staking/src/tests.rs, bonding duration 3:
# before, amount, minimum balance, era of the offence, taken, after.
LEDGER_SLASHES = {
    "no chunks": (stake(10), 5, 1, 0, 5, stake(5)),
    "more than there is": (stake(5), 11, 1, 0, 5, stake(0)),
    "all chunks": (stake(0, (4, 10), (5, 10)), 20, 0, 0, 20, stake(0)),
    "first two chunks not at stake": (
        stake(0, (4, 100), (5, 100), (6, 100), (7, 100)),
        140,
        0,
        3,
        140,
        stake(0, (4, 100), (5, 100), (6, 30), (7, 30)),
    ),
    "rounded up": (
        stake(0, (4, 100), (5, 100), (6, 100), (7, 100)),
        15,
        0,
        3,
        15,
        stake(0, (4, 100), (5, 100), (6, 92), (7, 93)),
    ),
    "half of all": (
        stake(500, (4, 40), (5, 100), (6, 10), (7, 250)),
        450,
        0,
        0,
        450,
        stake(250, (4, 20), (5, 50), (6, 5), (7, 125)),
    ),
    "a quarter without chunks": (stake(500), 125, 0, 0, 125, stake(375)),
    "dust is taken too": (
        stake(500, (4, 40), (5, 100), (6, 10), (7, 250)),
        450,
        25,
        0,
        450,
        stake(250, (5, 50), (7, 150)),
    ),
    "older chunks last": (
        stake(500, (4, 40), (5, 100), (6, 10), (7, 250)),
        810,
        0,
        3,
        810,
        stake(0, (4, 40), (5, 50)),
    ),
    "dust beyond the amount": (stake(100, (4, 100), (5, 100), (6, 100), (7, 100)), 351, 50, 3, 400, stake(0, (4, 100))),
    "beyond 2^64": (
        stake(100, (4, 100), (5, LARGEST), (6, 100), (7, 100)),
        LARGEST,
        0,
        0,
        LARGEST,
        stake(0, (5, 368), (7, 32)),
    ),
    "not affected": (stake(20, (1, 10), (2, 10)), 18, 1, 0, 18, stake(2, (1, 10), (2, 10))),
}


@pytest.mark.parametrize("name", LEDGER_SLASHES)
def test_substrate_proportional_ledger_slash_works(name):
    before, amount, minimum, era, taken, after = LEDGER_SLASHES[name]
    assert before.slashed(amount, era, 3, minimum) == (after, taken)


stakes = st.builds(
    lambda active, amounts: stake(active, *enumerate(amounts, start=3)),
    st.integers(0, 10**6),
    st.lists(st.integers(1, 10**6), max_size=5),
)


@given(stakes, st.integers(0, 10**7), st.integers(0, 6))
def test_slash_takes_exactly_what_is_asked_or_all_there_is(before, amount, era):
    after, taken = before.slashed(amount, era, 3)
    assert taken == min(amount, before.total) == before.total - after.total
    assert after.active <= before.active
    left = {chunk.era: chunk.amount for chunk in after.unlocking}
    assert all(left.get(chunk.era, 0) <= chunk.amount for chunk in before.unlocking)


@given(stakes, st.integers(0, 10**7))
def test_rebonding_and_withdrawing_lose_nothing(before, wanted):
    amount = min(wanted, before.total - before.active)
    again = before.rebonded(amount)
    assert again.total == before.total
    assert again.active == before.active + amount
    left, out = again.withdrawn(4)
    assert left.total + out == before.total
    assert all(chunk.era > 4 for chunk in left.unlocking)


def test_rebonding_takes_the_latest_chunk_first():
    assert stake(1, (4, 10), (5, 10)).rebonded(15) == stake(16, (4, 5))


def test_unbonding_twice_in_an_era_makes_one_chunk():
    assert stake(100).unbonded(10, 4).unbonded(5, 4).unbonded(1, 5) == stake(84, (4, 15), (5, 1))


def test_substrate_span_contains_era():
    assert [Span(0, 1000, None).contains(era) for era in (0, 999, 1000, 1001, 10000)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert [Span(0, 1000, 1010).contains(era) for era in (999, 1000, 1009, 1010)] == [False, True, True, False]


def test_substrate_single_slashing_span():
    assert list(Spans(0, 1000)) == [Span(0, 1000, None)]


PRIOR = Spans(10, 1000, lengths=(10, 9, 8, 10))


def test_substrate_many_prior_spans():
    assert list(PRIOR) == [
        Span(10, 1000, None),
        Span(9, 990, 1000),
        Span(8, 981, 990),
        Span(7, 973, 981),
        Span(6, 963, 973),
    ]


def test_substrate_pruning_spans():
    spans = PRIOR
    for first, kept in ((981, 3), (982, 3), (989, 3), (1000, 1)):
        spans = spans.pruned(first)
        assert list(spans) == list(PRIOR)[:kept]
    assert list(spans.pruned(2000)) == list(PRIOR.pruned(2000)) == [Span(10, 2000, None)]


def test_pruning_forgets_the_records_of_the_spans_that_go():
    spans = Spans(1, 20, lengths=(10,), records=((0, SpanRecord(5)), (1, SpanRecord(7))))
    assert spans.pruned(20).records == ((1, SpanRecord(7)),)


def test_substrate_ending_span():
    spans = Spans(1, 10).ended(10)
    assert list(spans) == [Span(2, 11, None), Span(1, 10, 11)]
    spans = spans.ended(15)
    assert list(spans) == [Span(3, 16, None), Span(2, 11, 16), Span(1, 10, 11)]
    assert spans.ended(15) == spans


def test_within_a_span_only_what_is_above_the_highest_counts():
    share, half = 10**8, 5 * 10**8
    first = Spans(0, 0).compared(0, 600, share, half)
    assert (first.difference, first.reward) == (600, 30)
    lower = first.spans.compared(1, 400, share, half)
    assert (lower.difference, lower.reward, lower.spans) == (0, 0, first.spans)
    higher = first.spans.compared(1, 1000, share, half)
    assert (higher.difference, higher.reward) == (400, 35)  # half of 100 - 30
    after = higher.spans.ended(1).compared(2, 100, share, half)
    assert (after.span.index, after.difference) == (1, 100)


def test_era_older_than_all_spans_costs_nothing():
    assert Spans(0, 5).compared(4, 100, 10**8, 10**8).span is None
