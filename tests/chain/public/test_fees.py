"""Prices, the multiplier against the formula in fractions, and the split."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.encoding import Reader
from gridlab.chain.public.fees import BILLION, ONE, FeeRules
from gridlab.errors import ArgumentError

RULES = FeeRules()


def next_multiplier_in_fractions(rules, previous, weight):
    """m (1 + v d + v^2 d^2 / 2), exactly: polkadot-sdk, frame/transaction-payment, TargetedFeeAdjustment."""
    used = Fraction(min(weight, rules.block_weight), rules.block_weight)
    moved = Fraction(rules.adjustment, BILLION) * (used - Fraction(rules.target_fullness, BILLION))
    return Fraction(previous) * (1 + moved + moved**2 / 2)


@given(
    st.integers(ONE // 10, 100 * ONE),
    st.integers(0, 2 * RULES.block_weight),
    st.integers(0, 10_000_000),
)
def test_multiplier_follows_the_formula_of_targeted_fee_adjustment(previous, weight, adjustment):
    rules = FeeRules(adjustment=adjustment)
    wanted = next_multiplier_in_fractions(rules, previous, weight)
    wanted = max(wanted, Fraction(rules.least_multiplier))
    # Each of the six products rounds down by less than 10^-18, of which the last is scaled by the multiplier.
    assert abs(rules.next_multiplier(previous, weight) - wanted) <= 8 + 8 * previous // ONE


def test_multiplier_stands_still_at_the_target_and_recovers_from_its_least():
    """polkadot-sdk, polkadot/runtime tests: multiplier_can_grow_from_zero."""
    assert RULES.next_multiplier(3 * ONE, RULES.block_weight // 4) == 3 * ONE
    least = RULES.least_multiplier
    assert RULES.next_multiplier(least, 0) == least
    assert RULES.next_multiplier(least, RULES.block_weight) > least
    assert RULES.next_multiplier(0, RULES.block_weight) > least


def test_a_day_of_full_blocks_multiplies_fees_as_polkadot_says():
    """v k (1 - s*) = 0.000075 x 14,400 x 0.75 = 0.81: e^0.81 = 2.248 times in a day of full blocks."""
    multiplier = ONE
    for _ in range(14_400):
        multiplier = RULES.next_multiplier(multiplier, RULES.block_weight)
    assert multiplier / ONE == pytest.approx(2.248, abs=0.001)


@given(st.integers(0, 10**15), st.integers(0, BILLION))
def test_the_split_loses_nothing_and_rounds_for_the_author(fee, share):
    rules = FeeRules(treasury_share=share)
    treasury = rules.treasury_part(fee)
    assert 0 <= treasury <= fee
    assert treasury == Fraction(fee * share, BILLION).__floor__()


def test_fee_counts_base_bytes_and_weight():
    rules = FeeRules(base_fee=7, byte_fee=3, weight_fee=2)
    assert rules.fee(100, 10, ONE) == 7 + 30 + 200
    assert rules.fee(100, 10, ONE * 3 // 2) == 7 + 30 + 300
    assert rules.fee(1, 0, ONE // 3) == 7


def test_rules_survive_their_bytes_and_refuse_nonsense():
    reader = Reader(RULES.to_bytes(), "fees")
    assert FeeRules.read(reader) == RULES
    reader.finish()
    for bad in ({"base_fee": 0}, {"treasury_share": BILLION + 1}, {"least_multiplier": 0}, {"block_weight": 0}):
        with pytest.raises(ArgumentError, match="allowed"):
            FeeRules(**bad)
