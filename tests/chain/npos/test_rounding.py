"""Shares, normalising and scores: Substrate's published cases, and the arrays against single numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.npos import Score
from gridlab.chain.npos.normalising import normalise
from gridlab.chain.npos.perbill import portions, share, shares
from gridlab.chain.perbill import BILLION, part_of
from gridlab.errors import ArgumentError, ArgumentTypeError
from tests.chain.npos import reference

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "npos.json").read_text())

# paritytech/polkadot-sdk, substrate/primitives/arithmetic/src/lib.rs, mod normalize_tests, by the names of its tests
NORMALISED = [
    ("work_for_all_types", [8, 9, 7, 10], 40, [10, 10, 10, 10]),
    ("does_not_fail_on_subtraction_overflow", [1, 100, 100], 10, [1, 9, 0]),
    ("does_not_fail_on_subtraction_overflow", [1, 8, 9], 1, [0, 1, 0]),
    ("works_for_per_thing", [330_000_000] * 3, BILLION, [333333334, 333333333, 333333333]),
    ("works_for_per_thing", [200_000_000, 150_000_000, 300_000_000], BILLION, [316666668, 383333332, 300000000]),
    ("can_work_for_peru16", [26214] * 3, 65535, [21845, 21845, 21845]),
    ("normalize_works_all_le", [7, 7, 7, 7], 40, [10, 10, 10, 10]),
    ("normalize_works_all_le", [7, 7, 7, 10], 40, [11, 11, 8, 10]),
    ("normalize_works_all_le", [7, 8, 7, 10], 40, [11, 8, 11, 10]),
    ("normalize_works_all_le", [7, 7, 8, 10], 40, [11, 11, 8, 10]),
    ("normalize_works_some_ge", [8, 11, 9, 10], 40, [10, 11, 9, 10]),
    ("always_inc_min", [10, 7, 10, 10], 40, [10, 10, 10, 10]),
    ("always_inc_min", [10, 10, 7, 10], 40, [10, 10, 10, 10]),
    ("always_inc_min", [10, 10, 10, 7], 40, [10, 10, 10, 10]),
    ("normalize_works_all_ge", [12, 11, 13, 10], 40, [10, 10, 10, 10]),
    ("normalize_works_all_ge", [13, 13, 13, 13], 40, [10, 10, 10, 10]),
    ("normalize_works_all_ge", [13, 13, 13, 10], 40, [12, 9, 9, 10]),
    ("normalize_works_all_ge", [13, 12, 13, 10], 40, [9, 12, 9, 10]),
    ("normalize_works_all_ge", [13, 13, 12, 10], 40, [9, 9, 12, 10]),
    # npos-elections/src/tests.rs
    ("voter_normalize_ops_works", [30, 33, 30], 100, [34, 33, 33]),
    ("voter_normalize_ops_works", [33, 30], 100, [34, 66]),
    ("assignment_can_normalize", [330_000_000, 660_000_000], BILLION, [340_000_000, 660_000_000]),
    ("staked_assignment_can_normalize", [33, 66], 100, [34, 66]),
]


@pytest.mark.parametrize(("name", "parts", "total", "expected"), NORMALISED)
def test_substrate_normalize(name, parts, total, expected):
    assert normalise(parts, total) == expected


def test_substrate_normalize_vectors():
    for case in VECTORS["normalize"]:
        assert normalise(case["edges"], case["budget"]) == case["expected"]


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 200))
def test_normalised_parts_sum_to_the_total_and_equal_the_reference(parts, total):
    found = normalise(parts, total)
    assert found == reference.normalise(parts, total)
    assert not parts or sum(found) == total
    assert all(part >= 0 for part in found)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**75)), min_size=1, max_size=8))
def test_shares_of_python_integers_equal_single_ones(pairs):
    part, whole = (np.array(values, dtype=object) for values in zip(*pairs, strict=True))
    assert shares(part, whole).tolist() == [share(*pair) for pair in pairs]


@st.composite
def near_a_step(draw):
    """A pair whose share lies on, just under or just over a whole part per billion, where floats go wrong."""
    whole = draw(st.integers(1, 2**62 - 1))
    step = draw(st.integers(0, BILLION))
    return max(0, min(whole, -(-step * whole // BILLION) + draw(st.integers(-1, 1)))), whole


@given(st.lists(st.one_of(near_a_step(), st.tuples(*[st.integers(0, 2**62 - 1)] * 2)), min_size=1, max_size=8))
def test_shares_of_64_bits_equal_single_ones(pairs):
    part, whole = (np.array(values, dtype=np.int64) for values in zip(*pairs, strict=True))
    assert shares(part, whole).tolist() == [share(*pair) for pair in pairs]


@given(st.integers(0, BILLION), st.integers(0, 2**62 - 1))
def test_portions_equal_single_ones(part, amount):
    for kind in (np.int64, object):
        assert portions(np.array([part], dtype=kind), np.array([amount], dtype=kind)).tolist() == [
            part_of(part, amount)
        ]


def test_a_share_of_an_amount_is_rounded_to_the_nearest_unit_halves_down():
    assert [part_of(500_000_000, amount) for amount in (1, 2, 3, 4)] == [0, 1, 1, 2]
    assert [part_of(500_000_001, amount) for amount in (1, 3)] == [1, 2]


def test_shares_of_nothing_and_of_less_are_one():
    assert [share(0, 0), share(5, 0), share(6, 5), share(5, 5), share(0, 5)] == [BILLION] * 4 + [0]


# npos-elections/src/tests.rs, mod score, by the names of its tests
KUSAMA = (12488167277027543, 5559266368032409496)
SCORES = [
    ("score_comparison_is_lexicographical_no_epsilon", (12, 10, 35), (10, 20, 30), 0, True),
    ("score_comparison_is_lexicographical_no_epsilon", (9, 30, 10), (10, 20, 30), 0, False),
    ("score_comparison_is_lexicographical_no_epsilon", (10, 25, 40), (10, 20, 30), 0, True),
    ("score_comparison_is_lexicographical_no_epsilon", (10, 20, 40), (10, 20, 30), 0, False),
    *(
        ("score_comparison_with_epsilon", this, (1000, 5000, 100000), 10_000_000, better)
        for this, better in [
            ((1009, 5000, 100000), False), ((1010, 5000, 100000), False), ((1011, 5000, 100000), True),
            ((999, 6000, 100000), False), ((1005, 5000, 100000), False), ((1005, 5050, 100000), False),
            ((1005, 5051, 100000), True), ((1005, 5025, 100000), False), ((1005, 5025, 99_000), False),
            ((1005, 5025, 98_999), True),
        ]
    ),
    *(
        ("score_comparison_large_value", (*KUSAMA, 118700736389524721358337889258988054),
         (*KUSAMA, 118749283262079244270992278287436446), tens * 100_000, tens < 5)
        for tens in (1, 2, 3, 4, 5)
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "this", "that", "threshold", "better"), SCORES)
def test_substrate_score(name, this, that, threshold, better):
    assert Score(*this).better_than(Score(*that), threshold) is better


def test_a_margin_is_rounded_up():
    assert not Score(1001, 0, 0).better_than(Score(1000, 0, 0), 500_000)  # half a unit counts as one
    assert Score(1002, 0, 0).better_than(Score(1000, 0, 0), 500_000)


def test_substrate_score_ord_works():
    base = Score(10, 5, 15)
    assert base == Score(10, 5, 15)
    assert base not in {Score(9, 5, 15), Score(10, 5, 14)}
    assert all(base > Score(*less) for less in [(8, 5, 25), (9, 20, 5), (10, 4, 25), (10, 4, 5), (10, 5, 16)])


def test_a_threshold_beyond_a_billion_parts_is_refused():
    with pytest.raises(ArgumentError, match="at most 1000000000"):
        Score(1, 1, 1).better_than(Score(1, 1, 1), BILLION + 1)
    with pytest.raises(ArgumentTypeError):
        Score(1, 1, 1).better_than(Score(1, 1, 1), 0.01)
    with pytest.raises(TypeError):
        assert Score(1, 1, 1) < (1, 1, 1)
