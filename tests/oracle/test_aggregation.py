"""The names of the contract: observe, report, due."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.oracle import ProviderSet
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError, OracleError
from gridlab.oracle import aggregation

INT64 = st.integers(-(2**63), 2**63 - 1)


def observed(count=15, **options):
    return aggregation.observe({provider: 3_000 + provider for provider in range(count)}, **options)


def test_a_report_is_the_upper_median_of_what_ten_or_more_have_signed():
    for count, value in ((10, 3_005), (11, 3_005), (12, 3_006), (15, 3_007)):
        report = aggregation.report(observed(count))
        assert report.value == value
        assert report.signers == tuple(range(count))
        assert report.require(ProviderSet.sandbox(15)) is report


@pytest.mark.parametrize("n", range(4, 31))
def test_the_demand_follows_from_the_number_of_providers(n):
    least = -(-(n + (n - 1) // 3 + 1) // 2)
    assert aggregation.report(observed(least), providers=n).value == 3_000 + least // 2
    with pytest.raises(OracleError, match="too few"):
        aggregation.report(observed(least - 1), providers=n)


def test_a_registry_serves_as_well_as_a_number_and_the_seed_counts():
    observations = observed(seed=5, network="elsewhere", epoch=3)
    keys = ProviderSet.sandbox(15, seed=5, network="elsewhere", epoch=3)
    assert aggregation.report(observations, providers=keys).value == 3_007
    assert aggregation.report(observations, seed=5, network="elsewhere").value == 3_007
    for options in ({}, {"seed": 5}, {"network": "elsewhere"}):
        with pytest.raises(OracleError, match="a signature is not the provider's"):
            aggregation.report(observations, **options)


def test_epoch_and_moment_may_be_left_out_where_they_are_the_usual_ones():
    assert aggregation.report(observed().drop("epoch", "observed").lazy()).value == 3_007


@settings(max_examples=40)
@given(st.lists(INT64, min_size=6, max_size=11), st.lists(INT64, min_size=4, max_size=4), st.randoms())
def test_with_four_liars_of_fifteen_the_value_stays_within_the_honest_range(honest, lies, random):
    values = [*honest, *lies]
    seats = random.sample(range(15), len(values))
    report = aggregation.report(aggregation.observe(dict(zip(seats, values, strict=True))))
    assert min(honest) <= report.value <= max(honest)


def test_with_five_liars_of_fifteen_ten_observations_no_longer_hold():
    honest = [3_000, 3_001, 3_002, 3_003, 3_004]
    values = dict(enumerate([*honest, *[9_000] * 5]))
    assert aggregation.report(aggregation.observe(values)).value == 9_000
    # Nine are refused, and would have been bent both ways.
    for lie in (9_000, 0):
        assert aggregation.upper_median([*honest[:4], *[lie] * 5]) == lie
    # If all fifteen are heard, five liars are still too few.
    heard = aggregation.observe(dict(enumerate([*range(3_000, 3_010), *[9_000] * 5])))
    assert aggregation.report(heard).value == 3_007


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frame: frame.head(9), "too few"),
        (lambda frame: frame.clear(), "there are none"),
        (lambda frame: pl.concat([frame, frame.head(1)]), "a provider stands in one round twice"),
        (lambda frame: pl.concat([frame, aggregation.observe({0: 1})]), "two values in one round"),
        (lambda frame: pl.concat([frame, aggregation.observe({15: 1})]), "a provider is not in the set"),
        (lambda frame: pl.concat([frame, aggregation.observe({0: 1}, feed="fx")]), "feeds, epochs or rounds are mixed"),
        (lambda frame: pl.concat([frame, aggregation.observe({0: 1}, round=2)]), "feeds, epochs or rounds are mixed"),
        (lambda frame: frame.with_columns(pl.col("value") + 1), "a signature is not the provider's"),
        (lambda frame: frame.with_columns(pl.col("signature").reverse()), "a signature is not"),
        (lambda frame: frame.with_columns(round=pl.lit(-1)), "not allowed"),
        (lambda frame: frame.drop("signature"), "'signature' is missing"),
    ],
)
def test_bad_observations_are_refused_with_the_reason(change, reason):
    with pytest.raises(OracleError, match=reason):
        aggregation.report(change(observed()))


def test_absurd_values_are_refused_where_bounds_are_given():
    with pytest.raises(OracleError, match=r"(?s)a value is absurd, allowed: 0 … 3013.*3014"):
        aggregation.report(observed(), bounds=(0, 3_013))
    assert aggregation.report(observed(), bounds=(0, 3_014)).value == 3_007


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: aggregation.observe([1, 2]), ArgumentTypeError),
        (lambda: aggregation.observe({"a": 1}), ArgumentTypeError),
        (lambda: aggregation.observe({0: 1.5}), ArgumentTypeError),
        (lambda: aggregation.observe({0: True}), ArgumentTypeError),
        (lambda: aggregation.observe({0: 2**63}), ArgumentError),
        (lambda: aggregation.observe({-1: 0}), ArgumentError),
        (lambda: aggregation.observe({0: 0}, round=-1), ArgumentError),
        (lambda: aggregation.observe({0: 0}, feed=""), ArgumentError),
        (lambda: aggregation.observe({0: 0}, feed="x" * 65), ArgumentError),
        (lambda: aggregation.observe({0: 0}, feed=5), ArgumentTypeError),
        (lambda: aggregation.observe({0: 0}, observed="noon"), ArgumentTypeError),
        (lambda: aggregation.observe({0: 0}, seed=-1), ArgumentTypeError),
        (lambda: aggregation.report([1]), ArgumentTypeError),
        (lambda: aggregation.report(observed(), providers="15"), ArgumentTypeError),
        (lambda: aggregation.report(observed(), providers=True), ArgumentTypeError),
        (lambda: aggregation.report(observed(), providers=0), ArgumentError),
        (lambda: aggregation.report(observed(), bounds=5), ArgumentTypeError),
        (lambda: aggregation.report(observed(), bounds=(5, 4)), ArgumentError),
        (lambda: aggregation.report(observed(), bounds=(0.0, 4)), ArgumentTypeError),
        (lambda: aggregation.due(1.0, 2, age_s=0, deviation_ppb=0, heartbeat_s=1), ArgumentTypeError),
        (lambda: aggregation.due(1, 2, age_s=-1.0, deviation_ppb=0, heartbeat_s=1), ArgumentError),
        (lambda: aggregation.due(1, 2, age_s=float("nan"), deviation_ppb=0, heartbeat_s=1), ArgumentError),
        (lambda: aggregation.due(1, 2, age_s="1", deviation_ppb=0, heartbeat_s=1), ArgumentTypeError),
        (lambda: aggregation.due(1, 2, age_s=1, deviation_ppb=-1, heartbeat_s=1), ArgumentError),
    ],
)
def test_wrong_arguments_raise_house_errors(call, error):
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, GridlabError)


def test_due_as_libocr_deviates_or_when_the_heartbeat_is_over():
    def due(old, new, age=0.0):
        return aggregation.due(old, new, age_s=age, deviation_ppb=5_000_000, heartbeat_s=60.0)

    assert due(1_000, 1_005)  # exactly at the threshold
    assert due(1_000, 995)
    assert not due(1_000, 1_004)
    assert due(-1_000, -995)
    assert not due(-1_000, -1_004)
    assert due(0, 1)  # any step away from 0
    assert due(0, -1)
    assert not due(0, 0)
    assert due(1, 0)
    assert due(0, 0, age=60.0)
    assert due(1_000, 1_000, age=60.0)
    assert not due(1_000, 1_000, age=59.999)


@given(INT64, INT64, st.integers(0, 2 * 10**9))
def test_due_is_exact_arithmetic(old, new, deviation):
    expected = (new != 0) if old == 0 else abs(new - old) * 10**9 >= deviation * abs(old)
    assert aggregation.due(old, new, age_s=0, deviation_ppb=deviation, heartbeat_s=1.0) is expected
