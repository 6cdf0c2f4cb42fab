"""Many rounds at once equal one round after another."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, OracleError
from gridlab.oracle.medians import distances_of, medians

INT64 = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 2), st.integers(0, 5), INT64), max_size=60)


def frame_of(rows):
    schema = {"feed": pl.String, "epoch": pl.UInt64, "round": pl.UInt64, "value": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def slow(rows, floor):
    """One round after another, one observation after another."""
    rounds = {}
    for *name, value in rows:
        rounds.setdefault(tuple(name), []).append(value)
    found = {}
    for name, values in rounds.items():
        middle = sorted(values)[len(values) // 2]
        mad = sorted(abs(value - middle) for value in values)[len(values) // 2]
        found[name] = (len(values), middle, mad)
    distances = []
    for *name, value in rows:
        _, middle, mad = found[tuple(name)]
        distances.append(float(np.uint64(abs(value - middle)) / np.uint64(max(mad, floor))))
    return found, distances


@given(ROWS, st.sampled_from([1, 7, 10**12]))
def test_every_round_is_what_the_slow_reference_says(rows, floor):
    found, distances = slow(rows, floor)
    fast = medians(frame_of(rows), floor=floor)
    assert list(fast.rounds.columns) == ["feed", "epoch", "round", "count", "value", "mad"]
    assert fast.rounds.rows() == [(*name, *values) for name, values in found.items()]
    assert fast.distance.to_list() == distances


@given(st.lists(st.lists(st.tuples(INT64, st.booleans()), min_size=5, max_size=5), min_size=1, max_size=8))
def test_what_is_not_present_does_not_count(table):
    values = np.array([[value for value, _ in row] for row in table], np.int64)
    present = np.array([[here for _, here in row] for row in table])
    middle, mads, _ = distances_of(values, 1, present)
    for row, here, found, mad in zip(values, present, middle, mads, strict=True):
        if here.any():
            expected, spread, _ = distances_of(row[here][None, :], 1)
            assert (found, mad) == (expected[0], spread[0])


def test_other_columns_and_other_dtypes_of_feeds_do_not_matter():
    frame = frame_of([("b", 1, 1, 5), ("a", 1, 1, 7), ("b", 1, 1, 9)]).with_columns(more=pl.lit("x"))
    first = medians(frame)
    second = medians(frame.with_columns(pl.col("feed").cast(pl.Enum(["a", "b"]))).lazy())
    assert first.rounds.equals(second.rounds)
    assert first.rounds["value"].to_list() == [9, 7]


def test_equal_observations_are_no_outliers_of_each_other():
    fast = medians(frame_of([("a", 1, 1, value) for value in (5, 5, 5, 6)]), floor=2)
    assert fast.distance.to_list() == [0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("frame", "options", "error"),
    [
        ([1], {}, ArgumentTypeError),
        (frame_of([]).drop("round"), {}, OracleError),
        (frame_of([("a", 1, 1, None)]), {}, OracleError),
        (frame_of([]), {"floor": 0}, ArgumentError),
        (frame_of([]), {"floor": 1.5}, ArgumentTypeError),
    ],
)
def test_what_does_not_fit_is_refused(frame, options, error):
    with pytest.raises(error):
        medians(frame, **options)
