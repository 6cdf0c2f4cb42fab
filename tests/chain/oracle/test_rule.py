"""What is signed, how many must sign, which value that makes, and what is refused."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.encoding import blob, i64, text, u64
from gridlab.chain.oracle import (
    NETWORK,
    OBSERVATIONS,
    ProviderSet,
    Report,
    check_observations,
    find_equivocations,
    observation_message,
    read_report_payload,
    report_payload,
    reports_of,
    require_equivocation,
    upper_median,
)
from gridlab.chain.oracle.observations import messages_of
from gridlab.chain.pbft.quorums import max_faulty, quorum
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError, OracleError

PROVIDERS = ProviderSet.sandbox(15, seed=7)
INT64 = st.integers(-(2**63), 2**63 - 1)
HONEST = range(3_000, 3_010)


@pytest.fixture
def said(make):
    return make.observations(dict(enumerate(HONEST)))


def one_report(observations, providers=PROVIDERS):
    (report,) = reports_of(check_observations(observations, providers), providers)
    return report


def test_a_signature_covers_tag_network_feed_epoch_round_moment_and_value(said):
    first = messages_of(said, NETWORK)[0]
    moment = said["observed"].to_physical()[0]
    head = text("gridlab/oracle-observation/1") + text("gridlab-oracle") + text("price/MAC")
    assert first == head + u64(1) + u64(1) + u64(moment) + i64(3_000)
    assert first == observation_message(NETWORK, "price/MAC", 1, 1, moment, 3_000)


@pytest.mark.parametrize("n", range(1, 101))
def test_the_demands_are_those_of_byzantine_quorums(n):
    providers = ProviderSet(tuple(bytes([place // 256, place % 256]) * 16 for place in range(n)))
    f = max_faulty(n)
    assert (providers.max_faulty, providers.least_observations) == (f, 2 * f + 1)
    assert providers.least_signatures == quorum(n) == -(-(n + f + 1) // 2)
    # Two reports of one round share an honest signer, and the honest ones alone can make one.
    assert 2 * providers.least_signatures - n > f
    assert providers.least_signatures <= n - f


def test_of_fifteen_nine_signatures_are_not_enough_and_ten_are(said):
    assert (PROVIDERS.least_observations, PROVIDERS.least_signatures) == (9, 10)
    with pytest.raises(OracleError, match=r"at least 9 observations .* at least 10 signatures .* of 15 providers"):
        one_report(said.head(9))
    assert one_report(said).value == 3_005


@given(st.lists(INT64, min_size=1, max_size=40))
def test_the_upper_median_is_the_middle_of_the_sorted_values(values):
    middle = upper_median(values)
    assert sum(value < middle for value in values) <= len(values) // 2 < sum(value <= middle for value in values)


@given(
    st.lists(INT64, min_size=11, max_size=11),
    st.lists(INT64, min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=15, max_size=15),
)
def test_four_liars_of_fifteen_never_move_the_value_out_of_the_honest_range(honest, lies, chosen):
    seen = [value for value, taken in zip(honest, chosen, strict=False) if taken]
    told = [value for value, taken in zip(lies, chosen[11:], strict=True) if taken]
    if len(seen) + len(told) >= PROVIDERS.least_observations:
        assert min(seen) <= upper_median(seen + told) <= max(seen)


@given(st.integers(1, 10**6), st.sampled_from([-1, 1]))
def test_five_liars_break_a_report_of_nine_observations_or_of_ten(lie, direction):
    for observations in (9, 10):
        seen = [3_000 + place for place in range(observations - 5)]
        value = upper_median([*seen, *[(direction * lie) + (3_010 if direction > 0 else 2_990)] * 5])
        # Of ten, five low lies leave the upper median at the lowest honest value: only high ones get through.
        assert (min(seen) <= value <= max(seen)) == (observations == 10 and direction < 0)


def test_a_report_comes_back_from_its_bytes_and_proves_itself(said):
    report = one_report(said.sample(fraction=1.0, shuffle=True, seed=1))
    data = report.to_bytes()
    assert Report.from_bytes(data) == report
    assert Report.from_bytes(data).require(PROVIDERS).value == 3_005
    assert report.observations.equals(said)
    assert report.signers == tuple(range(10))
    assert len(data) < 1_000
    for end in range(len(data)):
        with pytest.raises(GridlabError):
            Report.from_bytes(data[:end])


def test_no_byte_of_a_report_can_change(said):
    data = one_report(said).to_bytes()
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(GridlabError):
            Report.from_bytes(changed).require(PROVIDERS)


def test_a_report_does_not_stand_before_other_providers(said):
    report = one_report(said)
    others = [
        ProviderSet.sandbox(15, seed=8),
        ProviderSet.sandbox(15, seed=7, epoch=2),
        ProviderSet.sandbox(15, seed=7, network="elsewhere"),
        PROVIDERS.strike(3),
        ProviderSet.sandbox(19, seed=7),  # 12 of 19 must sign
    ]
    for providers in others:
        with pytest.raises(OracleError):
            report.require(providers)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": pl.col("value") + 1}, "a signature is not the provider's"),
        ({"round": pl.lit(2, pl.UInt64)}, "a signature is not the provider's"),
        ({"feed": pl.lit("price/NEA")}, "a signature is not the provider's"),
        ({"observed": pl.col("observed").dt.offset_by("1us")}, "a signature is not the provider's"),
        ({"provider": pl.col("provider").reverse()}, "a signature is not the provider's"),
        ({"signature": pl.lit(b"")}, "a signature is not the provider's"),
        ({"signature": pl.lit(bytes(64))}, "a signature is not the provider's"),
        ({"provider": pl.col("provider") + 10}, "a provider is not in the set, allowed: 0 … 14"),
        ({"provider": pl.lit(0, pl.UInt32)}, "two values in one round"),
        ({"epoch": pl.lit(2, pl.UInt64)}, "an epoch is not that of the providers, 1"),
        ({"feed": pl.lit("")}, "no name of 1 to 64 bytes"),
        ({"feed": pl.lit("x" * 65)}, "no name of 1 to 64 bytes"),
        ({"value": pl.lit(None, pl.Int64)}, "nulls"),
        ({"value": pl.lit(0.5)}, "dtype Float64"),
        ({"observed": pl.lit(2**62).cast(OBSERVATIONS.columns[5].dtype)}, "a moment is outside"),
        ({"observed": pl.lit(-1).cast(OBSERVATIONS.columns[5].dtype)}, "a moment is outside"),
    ],
)
def test_what_may_not_count_is_refused_with_its_rows(said, changes, reason):
    with pytest.raises(OracleError, match=reason) as caught:
        check_observations(said.with_columns(**changes), PROVIDERS)
    assert "oracle_observations" in str(caught.value)


def test_twice_the_same_observation_counts_once_and_is_refused(said):
    with pytest.raises(OracleError, match=r"(?s)a provider stands in one round twice.*│ 10 "):
        check_observations(pl.concat([said, said.head(1)]), PROVIDERS)


def test_absurd_values_are_named(said):
    with pytest.raises(OracleError, match=r"(?s)a value is absurd, allowed: 0 … 3008.*3009"):
        check_observations(said, PROVIDERS, bounds=(0, 3_008))


def test_two_values_in_a_round_convict_whoever_signed_them(make):
    pair = pl.concat([make.observations({4: 3_000}), make.observations({4: 9_000})])
    assert require_equivocation(pair, PROVIDERS) == 4
    crowd = pl.concat([make.observations(dict(enumerate(HONEST))), make.observations({4: 9_000, 5: 1, 6: 3_006})])
    found = find_equivocations(crowd)
    assert found["provider"].to_list() == [4, 4, 5, 5]
    assert found["value"].to_list() == [3_004, 9_000, 3_005, 1]
    assert require_equivocation(found.head(2), PROVIDERS) == 4


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"values": {4: 3_000}}, "the same value twice is no offence"),
        ({"values": {5: 9_000}}, "provider is"),
        ({"values": {4: 9_000}, "number": 2}, "round is"),
        ({"values": {4: 9_000}, "feed": "fx/usd"}, "feed is"),
        ({"values": {4: 9_000}, "network": "elsewhere"}, "a signature is not the provider's"),
    ],
)
def test_what_proves_nothing_convicts_nobody(make, second, reason):
    values = second.pop("values")
    pair = pl.concat([make.observations({4: 3_000}), make.observations(values, **second)])
    with pytest.raises(OracleError, match=reason):
        require_equivocation(pair, PROVIDERS)
    with pytest.raises(OracleError, match="1 observations, allowed: the two"):
        require_equivocation(pair.head(1), PROVIDERS)


def test_foreign_or_old_evidence_convicts_nobody(make):
    pair = pl.concat([make.observations({20: 3_000}), make.observations({20: 9_000})])
    with pytest.raises(OracleError, match="a provider is not in the set"):
        require_equivocation(pair, PROVIDERS)
    pair = pl.concat([make.observations({4: 3_000}), make.observations({4: 9_000})])
    with pytest.raises(OracleError, match="an epoch is not that of the providers, 2"):
        require_equivocation(pair, ProviderSet.sandbox(15, seed=7, epoch=2))


def test_a_packet_carries_a_report_with_its_proof(said):
    report = one_report(said)
    payload = report_payload(report)
    assert read_report_payload(payload, PROVIDERS) == report
    for damaged in (payload[:-1], payload + b"\0", text("gridlab/other/1") + blob(report.to_bytes())):
        with pytest.raises(ChainError):
            read_report_payload(damaged, PROVIDERS)
    with pytest.raises(OracleError, match="a signature is not the provider's"):
        read_report_payload(payload, ProviderSet.sandbox(15, seed=8))
    with pytest.raises(ArgumentTypeError, match="allowed: a Report"):
        report_payload(payload)


def test_a_report_of_wrong_parts_is_refused(said):
    report = one_report(said)
    for changes, error in (
        ({"feed": 5}, ArgumentTypeError),
        ({"epoch": -1}, ArgumentError),
        ({"signed": [1]}, ArgumentTypeError),
        ({"signed": ()}, OracleError),
        ({"signed": report.signed[::-1]}, OracleError),
        ({"signed": report.signed[:1] * 2}, OracleError),
    ):
        with pytest.raises(error):
            replace(report, **changes)


def test_a_set_of_providers_comes_back_from_its_bytes():
    providers = ProviderSet(PROVIDERS.keys, 3, "a network", tuple(range(20, 35)), 500_000_000, (2, 7))
    assert ProviderSet.from_bytes(providers.to_bytes()) == providers
    for end in range(len(providers.to_bytes())):
        with pytest.raises(GridlabError):
            ProviderSet.from_bytes(providers.to_bytes()[:end])


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"keys": ()}, ArgumentError),
        ({"keys": (b"short",)}, ArgumentError),
        ({"keys": "text"}, ArgumentTypeError),
        ({"keys": PROVIDERS.keys[:1] * 2}, OracleError),
        ({"accounts": (1,)}, OracleError),
        ({"accounts": (1,) * 15}, OracleError),
        ({"network": ""}, ArgumentError),
        ({"epoch": -1}, ArgumentError),
        ({"slash": 10**9 + 1}, ArgumentError),
        ({"struck": (3, 1)}, ArgumentError),
        ({"struck": (15,)}, ArgumentError),
    ],
)
def test_a_set_that_makes_no_sense_is_refused(parts, error):
    with pytest.raises(error):
        ProviderSet(**({"keys": PROVIDERS.keys} | parts))
    with pytest.raises(ArgumentTypeError, match="allowed: a ProviderSet"):
        check_observations(pl.DataFrame(), 15)
