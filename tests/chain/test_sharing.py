"""Largest remainders: a slow reference with fractions, and what sums to what."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.sharing import PPB, apportion, pairwise, shares_of

AMOUNTS = st.integers(0, 50) | st.integers(0, 10**13)
WEIGHTS = st.integers(0, 9) | st.integers(0, 10**12)
TABLES = st.integers(1, 6).flatmap(
    lambda members: st.lists(
        st.tuples(AMOUNTS, st.lists(WEIGHTS, min_size=members, max_size=members)), min_size=1, max_size=5
    )
)


def slow_apportion(amount, weights):
    weights = list(weights) if any(weights) else [1] * len(weights)
    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    parts = [int(part) for part in exact]
    for place in sorted(range(len(parts)), key=lambda each: (parts[each] - exact[each], each))[: amount - sum(parts)]:
        parts[place] += 1
    return parts


@settings(max_examples=200, deadline=None)
@given(table=TABLES)
def test_apportion_equals_the_slow_reference_and_loses_nothing(table):
    amounts = np.array([amount for amount, _ in table], np.int64)
    weights = np.array([row for _, row in table], np.int64)
    got = apportion(amounts, weights)
    assert got.tolist() == [slow_apportion(amount, row) for amount, row in table]
    assert (got.sum(axis=1) == amounts).all()


@settings(max_examples=100, deadline=None)
@given(table=TABLES)
def test_nobody_gets_more_than_its_weight_where_there_is_enough(table):
    weights = np.array([row for _, row in table], np.int64)
    amounts = np.minimum(np.array([amount for amount, _ in table], np.int64), weights.sum(axis=1))
    assert (apportion(amounts, weights) <= weights).all() or not weights.any(axis=1).all()


@settings(max_examples=100, deadline=None)
@given(table=TABLES)
def test_shares_sum_to_one_in_parts_per_billion(table):
    shares = shares_of(np.array([row for _, row in table], np.int64))
    assert (shares.sum(axis=1) == PPB).all()
    assert (shares >= 0).all()


def test_thirds_leave_the_unit_to_the_first():
    assert shares_of(np.array([[1, 1, 1]])).tolist() == [[333_333_334, 333_333_333, 333_333_333]]


@settings(max_examples=100, deadline=None)
@given(
    given_=st.lists(st.integers(0, 40), min_size=1, max_size=5),
    weights=st.lists(st.integers(0, 9), min_size=1, max_size=5),
)
def test_pairs_add_up_on_both_sides(given_, weights):
    gives = np.array([given_], np.int64)
    takes = apportion(gives.sum(axis=1), np.array([weights], np.int64))
    pairs = pairwise(gives, takes)
    assert (pairs.sum(axis=2) == gives).all()
    assert (pairs.sum(axis=1) == takes).all()
    assert (pairs >= 0).all()
