"""Curves: published values of pallet-referenda, its arithmetic in integers beside ours, what every curve keeps."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError
from gridlab.governance.voting import Linear, Reciprocal, Stepped

BILLION = 10**9
EPSILON = Fraction(1, BILLION)


def percent(number):
    return Fraction(number, 100)


STAIRS = Stepped(begin=percent(80), end=percent(30), step=percent(10), period=percent(15))
# (delay, period, level, floor, ceil) in days of 28 and per cent, as types.rs has them.
RECIPROCALS = {
    "TIP_SUP": (1, 28, 4, 0, 50),
    "ROOT_APP": (4, 28, 80, 50, 100),
    "WHITE_APP": (16, 28 * 24, 96, 50, 100),
    "WHITE_SUP": (1, 28, 20, 10, 50),
    "SMALL_SUP": (8, 28, 1, 0, 50),
    "MID_SUP": (12, 28, 1, 0, 50),
    "BIG_SUP": (16, 28, 1, 0, 50),
    "HUGE_SUP": (20, 28, 1, 0, 50),
    "PARAM_SUP": (7, 28, 10, 0, 50),
}


def through(name):
    delay, period, *levels = RECIPROCALS[name]
    return Reciprocal.through(delay, *map(percent, levels), period)


@pytest.mark.parametrize(
    ("x", "y"), [(0, 80), (15, 70), (30, 60), (45, 50), (60, 40), (75, 30), (100, 30)]
)
def test_stepped_threshold_as_in_pallet_referenda_types_rs_stepped_decreasing_works(x, y):
    assert STAIRS.threshold(percent(x)) == percent(y)
    if 0 < x < 100:
        assert STAIRS.threshold(percent(x) - EPSILON) == percent(y + 10)


@pytest.mark.parametrize(
    ("y", "x"), [(100, 0), (80, 0), (70, 15), (60, 30), (50, 45), (40, 60), (30, 75), (0, 100)]
)
def test_stepped_delay_as_in_pallet_referenda_types_rs_stepped_decreasing_works(y, x):
    assert STAIRS.delay(percent(y)) == percent(x)


@pytest.mark.parametrize(("y", "x"), [(80, 15), (70, 30), (60, 45), (50, 60), (40, 75), (30, 100)])
def test_stepped_delay_just_below_a_step_as_in_pallet_referenda_types_rs(y, x):
    assert STAIRS.delay(percent(y) - EPSILON) == percent(x)


def test_linear_as_in_pallet_referenda_tests_rs_curve_handles_all_inputs():
    line = Linear(length=1, floor=0, ceil=1)
    assert line.delay(0) == 1
    assert line.threshold(1) == 0


def test_reciprocal_as_in_pallet_referenda_types_rs_translated_reciprocal_works():
    curve = Reciprocal(0.03125, 0.0363306838226, 0.139845532427)
    for i in range(0, 9_696_969, 96_969):
        query = Fraction(i, 9_696_969)
        needed = curve.delay(query)
        assert needed == 1 or curve.threshold(needed) <= query


# The pallet's arithmetic in whole numbers of 10^-9, rounded where it rounds.


def pallet_linear(length, floor, ceil, x):
    ratio = min(x, length) * BILLION // length
    return ceil - (ratio * (ceil - floor) + BILLION // 2) // BILLION


def pallet_reciprocal(factor, x_offset, y_offset, x):
    return min(max(factor * BILLION // (x + x_offset) + y_offset, 0), BILLION)


def pallet_parts(factor, floor, ceil):
    delta = ceil - floor
    root = math.isqrt(delta * delta + 4 * delta * factor)
    x_offset = (root - delta) * BILLION // (2 * delta)
    return factor, x_offset, floor - factor * BILLION // (BILLION + x_offset)


def pallet_through(delay, period, level, floor, ceil):
    """Halve the interval of factors until two neighbours are left, as `make_reciprocal` does."""
    x, (level, floor, ceil) = delay * BILLION // period, (10**7 * each for each in (level, floor, ceil))
    low, high = 1, BILLION
    while high - low > 1:
        middle = (low + high) // 2
        if pallet_reciprocal(*pallet_parts(middle, floor, ceil), x) > level:
            high = middle
        else:
            low = middle
    return pallet_parts(low, floor, ceil)


@pytest.mark.parametrize("name", RECIPROCALS)
def test_reciprocal_agrees_with_the_pallets_fixed_point(name):
    parts = pallet_through(*RECIPROCALS[name])
    curve = through(name)
    for x in range(0, BILLION + 1, BILLION // 40):
        ours = curve.threshold(Fraction(x, BILLION)) * BILLION
        assert abs(ours - pallet_reciprocal(*parts, x)) < 100


@pytest.mark.parametrize(("days", "floor"), [(10, 50), (17, 50), (23, 50), (28, 0)])
def test_linear_agrees_with_the_pallets_fixed_point(days, floor):
    length = days * BILLION // 28
    line = Linear(Fraction(days, 28), percent(floor), 1)
    for x in range(0, BILLION + 1, BILLION // 40):
        theirs = pallet_linear(length, floor * 10**7, BILLION, x)
        assert abs(line.threshold(Fraction(x, BILLION)) * BILLION - theirs) <= 5


shares = st.fractions(0, 1, max_denominator=10**6)
positive = st.fractions(Fraction(1, 1000), 1, max_denominator=10**6)


@st.composite
def curves(draw):
    low, high = sorted((draw(shares), draw(shares)))
    kind = draw(st.sampled_from(["linear", "stepped", "reciprocal"]))
    if kind == "linear":
        return Linear(draw(positive), low, high)
    if kind == "stepped":
        return Stepped(high, low, draw(positive), draw(positive))
    return Reciprocal(draw(positive), draw(positive), draw(st.fractions(-1, 1, max_denominator=10**6)))


@given(curves(), shares, shares)
def test_a_curve_never_rises(curve, one, other):
    early, late = sorted((one, other))
    assert 0 <= curve.threshold(late) <= curve.threshold(early) <= 1


@given(curves(), shares, shares)
def test_delay_is_the_earliest_moment_that_passes(curve, y, earlier):
    x = curve.delay(y)
    assert x == 1 or curve.threshold(x) <= y
    if earlier < x:
        assert curve.threshold(earlier) > y


@given(positive, shares, shares, shares)
def test_reciprocal_through_three_points_meets_them_exactly(delay, one, two, three):
    floor, level, ceil = sorted((one, two, three))
    line = ceil - (ceil - floor) * delay
    if delay < 1 and floor < level < line:
        curve = Reciprocal.through(delay, level, floor, ceil)
        assert [curve.threshold(x) for x in (0, delay, 1)] == [ceil, level, floor]
    else:
        with pytest.raises(GovernanceError):
            Reciprocal.through(delay, level, floor, ceil)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Linear(0, 0, 1),
        lambda: Linear(1, 0.6, 0.5),
        lambda: Linear(1.1, 0, 1),
        lambda: Linear(1, -0.1, 1),
        lambda: Stepped(0.5, 0.6, 0.1, 0.1),
        lambda: Stepped(0.5, 0.1, 0, 0.1),
        lambda: Stepped(0.5, 0.1, 0.1, 0),
        lambda: Reciprocal(0, 1, 0),
        lambda: Reciprocal(1, 0, 0),
        lambda: Reciprocal.through(0.5, 0.9, 0.5, 1),
        lambda: Reciprocal.through(0, 0.7, 0.5, 1),
        lambda: Reciprocal.through(28, 0.7, 0.5, 1, 28),
        lambda: Reciprocal.through(1, 0.7, 0.5, 1, 0),
        lambda: Linear(1, 0, 1).threshold(1.5),
        lambda: Linear(1, 0, 1).delay(-1),
    ],
)
def test_what_is_no_curve_or_no_share_is_refused(make):
    with pytest.raises(GovernanceError, match=r"allowed|swap"):
        make()


def test_wrong_types_are_refused():
    with pytest.raises(ArgumentTypeError):
        Linear("1", 0, 1)
    with pytest.raises(ArgumentError):
        Linear(1, 0, 1).threshold(math.nan)
