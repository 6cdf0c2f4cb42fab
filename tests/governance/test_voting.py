"""Weights, locks and adaptive quorum: published values, and the pallet's comparison beside ours."""

from __future__ import annotations

import json
from fractions import Fraction
from math import isqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError
from gridlab.governance import voting

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "staking.json").read_text(encoding="utf-8"))
CONVICTION = VECTORS["conviction"]
RULES = ("super_majority_approve", "super_majority_against", "simple_majority")


def conviction_of(name):
    return 0.1 if name == "None" else int(name.removesuffix("x"))


@pytest.mark.parametrize(("name", "factor"), CONVICTION["votes_multiplier"].items())
def test_votes_as_in_pallet_democracy_conviction_rs(name, factor):
    assert voting.conviction_votes(1_234_567, conviction_of(name)) == int(1_234_567 * Fraction(str(factor)))


@pytest.mark.parametrize(("name", "periods"), CONVICTION["lock_periods"].items())
def test_lock_periods_as_in_pallet_democracy_conviction_rs(name, periods):
    assert voting.lock_periods(conviction_of(name)) == periods


@pytest.mark.parametrize(("ayes", "nays", "turnout", "passes"), [(60, 50, 110, False), (100, 50, 150, True)])
def test_super_majority_approve_as_in_pallet_democracy_vote_threshold_rs(ayes, nays, turnout, passes):
    assert voting.adaptive_quorum("super_majority_approve", ayes, nays, turnout, 210) is passes


def less(n1, d1, n2, d2):
    """Compare n1 / d1 < n2 / d2 by continued fractions, as the pallet does."""
    while True:
        (q1, r1), (q2, r2) = divmod(n1, d1), divmod(n2, d2)
        if q1 != q2:
            return q1 < q2
        if not r2:
            return False
        if not r1:
            return True
        n1, n2, d1, d2 = d2, d1, r2, r1


amounts = st.integers(0, 10**20)


@given(st.sampled_from(RULES), amounts, amounts, amounts, st.integers(1, 10**21))
def test_adaptive_quorum_equals_the_pallets_comparison(rule, ayes, nays, turnout, electorate):
    voted, could = isqrt(turnout), isqrt(electorate)
    expected = bool(voted) and {
        "super_majority_approve": lambda: less(nays, voted, ayes, could),
        "super_majority_against": lambda: less(nays, could, ayes, voted),
        "simple_majority": lambda: ayes > nays,
    }[rule]()
    assert voting.adaptive_quorum(rule, ayes, nays, turnout, electorate) is expected


@given(amounts, amounts, st.integers(1, 10**12))
def test_at_full_turnout_all_rules_are_a_simple_majority(ayes, nays, electorate):
    verdicts = {voting.adaptive_quorum(rule, ayes, nays, electorate, electorate) for rule in RULES}
    assert verdicts == {ayes > nays}


@pytest.mark.parametrize("conviction", [0, 0.2, 7, -1, 1.5, 10**9])
def test_conviction_out_of_range_is_refused(conviction):
    with pytest.raises(GovernanceError, match=r"allowed: 0\.1"):
        voting.conviction_votes(1, conviction)
    with pytest.raises(GovernanceError, match=r"allowed: 0\.1"):
        voting.lock_periods(conviction)


def test_wrong_arguments_are_refused():
    with pytest.raises(ArgumentTypeError):
        voting.conviction_votes(1.0, 1)
    with pytest.raises(ArgumentError):
        voting.conviction_votes(-1, 1)
    with pytest.raises(ArgumentTypeError):
        voting.conviction_votes(1, "1")
    with pytest.raises(ArgumentTypeError):
        voting.conviction_votes(1, True)
    with pytest.raises(ArgumentError):
        voting.lock_periods(float("nan"))
    with pytest.raises(GovernanceError, match="did you mean 'simple_majority'"):
        voting.adaptive_quorum("simple_mayority", 1, 0, 1, 1)
    with pytest.raises(ArgumentTypeError):
        voting.adaptive_quorum(1, 1, 0, 1, 1)
    with pytest.raises(ArgumentError):
        voting.adaptive_quorum("simple_majority", 1, -1, 1, 1)
