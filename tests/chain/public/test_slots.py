"""Who may write a block: thresholds, draws, claims."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.chain.public.slots import (
    Claim,
    Draws,
    claim_message,
    draw_of,
    epoch_randomness,
    primary_threshold,
    secondary_author,
)
from gridlab.errors import ArgumentError, ArgumentTypeError

PAIRS = [keys.sandbox(0, f"validator {seat}") for seat in range(7)]
KEYS = [pair.public_key for pair in PAIRS]
DRAWS = Draws(bytes(32), 10, 250_000_000)


@given(st.integers(1, 1000), st.integers(1, 999_999_999))
def test_threshold_is_that_of_babe_in_floating_point(validators, share):
    """BABE: p = 1 - (1 - c)^(1/n), polkadot-sdk authorship.rs calculate_primary_threshold, equal weights."""
    probability = 1 - (1 - share / 1e9) ** (1 / validators)
    assert primary_threshold(validators, share) / 2**128 == pytest.approx(probability, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("validators", [1, 2, 3, 100])
def test_the_slot_has_a_primary_with_the_wanted_chance(validators):
    """All of n miss with (1 - p)^n = 1 - c, in exact integers up to the rounding of the threshold."""
    miss = 2**128 - primary_threshold(validators, 250_000_000)
    assert abs(miss**validators * 4 - 3 * 2 ** (128 * validators)) <= validators * 4 * 2 ** (128 * (validators - 1))


def test_share_of_one_makes_everybody_a_primary():
    assert primary_threshold(5, 10**9) == 2**128


def test_claims_are_drawn_as_the_threshold_says():
    """Over 4,000 slots the share of slots with a primary is within five standard deviations of c."""
    slots = 4_000
    found = sum(any(c.primary for c in DRAWS.claims(slot, PAIRS[:2])) for slot in range(1, slots + 1))
    assert abs(found - slots / 4) < 5 * math.sqrt(slots * 0.25 * 0.75)


def test_every_slot_has_an_author_and_one_secondary_at_most():
    for slot in range(1, 200):
        claims = DRAWS.claims(slot, PAIRS)
        assert claims
        assert [c.primary for c in claims] == sorted((c.primary for c in claims), reverse=True)
        assert sum(not c.primary for c in claims) <= 1
        assert len({c.seat for c in claims}) == len(claims)
        due = secondary_author(DRAWS.randomness(slot), slot, len(PAIRS))
        assert due in [c.seat for c in claims]


@given(st.integers(1, 500))
def test_claims_prove_themselves_and_nothing_else(slot):
    for claim in DRAWS.claims(slot, PAIRS):
        assert DRAWS.why_not(claim, slot, KEYS) is None
        assert "not signed" in DRAWS.why_not(claim, slot + 1, KEYS)
        assert "not signed" in DRAWS.why_not(Claim((claim.seat + 1) % 7, claim.primary, claim.signature), slot, KEYS)
        assert "none of" in DRAWS.why_not(Claim(7, claim.primary, claim.signature), slot, KEYS)
        turned = DRAWS.why_not(Claim(claim.seat, not claim.primary, claim.signature), slot, KEYS)
        won = draw_of(claim.signature) < primary_threshold(7, 250_000_000)
        due = secondary_author(DRAWS.randomness(slot), slot, 7) == claim.seat
        assert (turned is None) == (won and due)


def test_an_epoch_shares_one_randomness():
    assert DRAWS.randomness(10) == DRAWS.randomness(19) == epoch_randomness(bytes(32), 1)
    assert DRAWS.randomness(20) != DRAWS.randomness(19)
    assert claim_message(DRAWS.randomness(10), 10) != claim_message(DRAWS.randomness(10), 11)


def test_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match="at least 1"):
        primary_threshold(0, 1)
    with pytest.raises(ArgumentTypeError, match="whole number"):
        primary_threshold(1.0, 1)
    with pytest.raises(ArgumentError, match="at most 1000000000"):
        primary_threshold(1, 10**9 + 1)
