"""The network at work: what each kind of provider does to the reports, and what it earns and loses."""

import pickle
from copy import deepcopy
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.oracle import OBSERVATIONS, check_observations, find_equivocations, require_equivocation
from gridlab.chain.reports import REPORTS, OracleReports
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError, OracleError
from gridlab.frames import SLOT
from gridlab.oracle.alerts import ALERTS
from gridlab.oracle.oracle import Oracle
from gridlab.oracle.roster import KINDS
from gridlab.oracle.scores import share_fee, straying

LIES = [kind for kind in KINDS if kind != "honest"]


def joined(run, truth):
    """Rounds beside the truth."""
    real = truth.select(
        "feed", pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone("Asia/Bangkok"), truth="value"
    )
    return run.rounds.join(real, on=["feed", "time"], maintain_order="left")


@pytest.mark.parametrize("lie", LIES)
def test_four_of_fifteen_of_any_kind_do_not_bend_a_report(world, lie):
    truth = world()
    honest = Oracle(noise=0.05).run(truth, sign=False)
    run = Oracle(noise=0.05, liars=4, lie=lie).run(truth, sign=False)
    assert run.reports.height == honest.reports.height == 80
    error = joined(run, truth).select((pl.col("value") - pl.col("truth")).abs().max()).item()
    assert error <= 3_200 * 0.05 / 100 * 4


@settings(max_examples=25)
@given(
    st.dictionaries(st.integers(0, 14), st.tuples(st.sampled_from(LIES), st.integers(-1000, 1000)), max_size=4),
    st.integers(0, 3),
)
def test_whatever_four_providers_are_bribed_to_do_values_stay_within_the_honest_range(bribes, seed):
    times = pl.datetime_range(pl.datetime(2026, 4, 1), pl.datetime(2026, 4, 1, 3), interval="15m", eager=True)
    truth = pl.DataFrame({"feed": "load/NE", "time": times, "value": range(500, 500 + 40 * len(times), 40)})
    oracle = Oracle(window=5_000.0, jump_limit=1_000.0)
    for provider, (kind, bias) in bribes.items():
        oracle.bribe(provider, kind, bias=bias)
    run = oracle.run(truth, seed=seed, sign=False)
    others = run.observations.filter(~pl.col("provider").is_in(list(bribes)))
    span = others.group_by("round").agg(low=pl.col("value").min(), high=pl.col("value").max())
    values = run.rounds.join(span, on="round")
    assert values.height == len(times)
    assert values.select(pl.col("value").is_between("low", "high").all()).item()


def test_eight_colluding_providers_set_the_value(world):
    truth = world(rounds=20)
    run = Oracle(noise=0.0, liars=8, lie="colluding", bias=20.0).run(truth, sign=False)
    assert (
        joined(run, truth).select((pl.col("value") - pl.col("truth") == (pl.col("truth") * 0.2).round()).all()).item()
    )


def test_lies_earn_nothing_and_cost_reputation(world):
    run = Oracle(liars=4).run(world(), sign=False)
    liars, honest = run.scores.head(4), run.scores.tail(11)
    assert liars["accepted"].sum() == liars["fees"].sum() == 0
    assert liars["reputation"].to_list() == [0] * 4
    assert honest["reputation"].to_list() == [100] * 11
    assert honest["outliers"].sum() == 0
    told = run.alerts.filter(pl.col("alert") == "outlier")
    assert told.select("provider", "feed").n_unique() == told.height == 8
    assert told["severity"].unique().to_list() == ["warning"]


def test_fees_are_shared_to_the_last_micro_baht(world):
    run = Oracle(liars=4, data_fee=0.123457).run(world(), sign=False)
    assert run.scores["fees"].sum() == run.reports.height * 123_457


@given(st.lists(st.lists(st.booleans(), min_size=15, max_size=15).filter(any), max_size=10), st.integers(0, 10**9))
def test_a_fee_is_shared_exactly_and_evenly(rows, fee):
    accepted = np.array(rows, np.bool_).reshape(-1, 15)
    shares = share_fee(accepted, fee)
    assert shares.sum(axis=1).tolist() == [fee] * len(rows)
    assert not shares[~accepted].any()
    for row, here in zip(shares, accepted, strict=True):
        parts = row[here]
        # Whoever has one micro-baht more stands before whoever has not.
        assert parts.max() - parts.min() <= 1
        assert sorted(parts.tolist(), reverse=True) == parts.tolist()


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5), st.integers(1, 8))
def test_m_of_w_is_counted_as_one_would_by_hand(flags, outliers, window):
    found = straying(np.array(flags, np.bool_).reshape(-1, 1), outliers=outliers, window=window)[:, 0].tolist()
    assert found == [sum(flags[max(0, i + 1 - window) : i + 1]) >= outliers for i in range(len(flags))]


def test_two_values_are_seen_struck_off_and_slashed_with_evidence_that_stands_alone(world):
    oracle = Oracle(slash=50.0, stake=1_000.0).bribe(3, "equivocating").bribe(7, "equivocating", bias=0)
    run = oracle.run(world(), seed=5)
    assert run.scores["slashed"].to_list() == [500_000_000 if n in (3, 7) else 0 for n in range(15)]
    assert run.scores["stake"].sum() == 15 * 10**9 - 10**9
    assert [require_equivocation(run.evidence[place : place + 2], run.providers) for place in (0, 2)] == [3, 7]
    assert find_equivocations(run.evidence).equals(run.evidence)
    assert run.alerts.filter(pl.col("alert") == "two values")["provider"].to_list() == [3, 7]
    assert not run.observations.filter(pl.col("provider").is_in([3, 7]))["counted"].any()
    assert run.reports["observations"].max() == 13


def test_who_was_struck_off_before_does_not_count_and_is_not_convicted_again(world):
    oracle = Oracle().bribe(3, "equivocating")
    run = oracle.run(world(rounds=4), struck=[3, 5])
    assert run.evidence.is_empty()
    assert run.scores["slashed"].sum() == 0
    assert run.report("price/MAC").signers == (0, 1, 2, 4, *range(6, 15))
    assert run.providers.struck == (3, 5)
    with pytest.raises(OracleError, match="struck off"):
        oracle.run(world(rounds=4), struck=[3, 3])
    with pytest.raises(ArgumentError):
        oracle.run(world(rounds=4), struck=[15])


def test_an_oracle_travels_to_another_process_with_its_bribes_and_cuts(world, start):
    oracle = Oracle(liars=1).bribe(9, "silent").cut("price/MAC", start, start + timedelta(minutes=20))
    for twin in (pickle.loads(pickle.dumps(oracle)), deepcopy(oracle)):
        assert twin.run(world(), sign=False).observations.equals(oracle.run(world(), sign=False).observations)
        twin.mend()
    assert repr(oracle) == "Oracle(15 providers, 1 lying, 1 bribed, 1 cuts)"


def test_six_that_say_nothing_stop_the_network(world):
    run = Oracle(liars=6, lie="silent").run(world(), sign=False)
    assert run.reports.is_empty()
    assert run.rounds["status"].unique().to_list() == ["no quorum"]
    assert run.rounds["value"].null_count() == run.rounds.height
    assert run.scores["fees"].sum() == 0
    assert run.scores.head(6)["missed"].to_list() == [80] * 6
    assert run.alerts.filter(pl.col("alert") == "no quorum").height == 2
    with pytest.raises(OracleError, match="no report yet"):
        run.read("price/MAC", run.rounds["time"][-1])


def test_a_feed_that_is_cut_goes_stale_and_comes_back(world, start):
    truth = world(rounds=24)
    oracle = Oracle().cut("price/MAC", start + timedelta(hours=1), start + timedelta(hours=3))
    run = oracle.run(truth)
    assert run.alerts.select("feed", "alert", "severity").rows() == [
        ("price/MAC", "no quorum", "critical"),
        ("price/MAC", "stale", "warning"),
    ]
    fresh = run.read("price/MAC", start + timedelta(minutes=59))
    assert (fresh.stale, fresh.age_s) == (False, 14 * 60.0)
    with pytest.raises(
        OracleError, match=r"is stale: its newest report is of 2026-04-01 00:45:00\+07:00, 6300 s before"
    ):
        run.read("price/MAC", start + timedelta(hours=2, minutes=30))
    stale = run.read("price/MAC", start + timedelta(hours=2, minutes=30), on_stale="flag")
    assert (stale.stale, stale.value) == (True, fresh.value)
    assert not run.read("price/MAC", start + timedelta(hours=3, minutes=1)).stale
    assert oracle.mend().run(truth).alerts.is_empty()


def test_many_readers_have_what_each_would_read_alone(world, start):
    run = Oracle(on_stale="flag", heartbeat=3_600.0, staleness=3_600.0).run(world(rounds=12), sign=False)
    feeds = ["price/MAC", "weather/Khon Kaen"] * 8
    times = [start + timedelta(minutes=21 * place) for place in range(16)]
    many = run.read_many(pl.DataFrame({"feed": feeds, "time": times}))
    assert many["stale"][0]
    assert many["value"][0] is None
    for feed, time, row in list(zip(feeds, times, many.to_dicts(), strict=True))[1:]:
        alone = run.read(feed, time)
        assert (alone.value, alone.age_s, alone.stale) == (row["value"], row["age_s"], row["stale"])
    with pytest.raises(OracleError, match="'feed' is missing"):
        run.read_many(many.drop("feed"))


def test_absurd_values_and_jumps_are_refused_and_told(world):
    truth = world(feeds=("price/MAC",), rounds=12).with_row_index("n")
    wild = truth.with_columns(
        value=pl.when(pl.col("n") == 5).then(2_000).when(pl.col("n") == 8).then(90_000).otherwise("value")
    )
    run = Oracle(bounds={"price/": (0, 4_000), "price/M": (0, 1)}).run(wild.drop("n"), sign=False)
    assert run.rounds["status"].to_list()[4:9] == ["reported", "reported", "reported", "reported", "absurd"]
    tight = Oracle(bounds={"price/": (0, 4_000)}, jump_limit=20.0).run(wild.drop("n"), sign=False)
    assert tight.rounds["status"].to_list()[4:9] == ["reported", "jump", "reported", "reported", "absurd"]
    assert tight.alerts["alert"].to_list() == ["jump", "absurd"]
    first = Oracle(bounds={"price/MAC": (0, 1_000)}).run(truth.drop("n"), sign=False)
    assert first.reports.is_empty()
    assert first.alerts.height > 0


def test_updates_are_faster_than_a_second(world):
    truth = world(every="250ms", rounds=400)
    run = Oracle(deviation=0.0).run(truth, sign=False)
    assert run.reports.height == 800
    assert run.reports.select((pl.col("published") - pl.col("observed")).max()).item() < timedelta(seconds=1)
    # However quickly rounds follow each other, they are published in their order.
    for feed in truth["feed"].unique():
        own = run.reports.filter(pl.col("feed") == feed)
        assert own["round"].is_sorted()
        assert own["published"].is_sorted()


def test_what_a_run_sends_the_chain_accepts_and_agrees_with(world, start):
    run = Oracle(liars=4, lie="stale").run(world(rounds=10), seed=3)
    register = OracleReports().appoint(run.providers)
    half = start + timedelta(hours=1)
    for part in (run.transactions(until=half), run.transactions(since=half)):
        register = register.add(part)
    newest = run.reports.group_by("feed").last().sort("feed")
    assert register.frame.equals(newest.select(column.name for column in REPORTS.columns))
    assert run.transactions(since=start + timedelta(days=1)).is_empty()
    check_observations(run.transactions(), run.providers)
    assert [column.name for column in OBSERVATIONS.columns] == run.transactions().columns


def test_a_run_goes_on_where_the_chain_stands(world, start):
    truth = world(rounds=20)
    early = truth.filter(pl.col("time") < start + timedelta(hours=2))
    late = truth.filter(pl.col("time") >= start + timedelta(hours=2))
    first = Oracle().run(early)
    register = OracleReports().appoint(first.providers).add(first.transactions())
    second = Oracle().run(late, previous=register.frame)
    assert second.rounds["round"].min() == 9
    again = register.add(second.transactions())
    assert again.frame["round"].to_list() == [20, 20]
    with pytest.raises(OracleError, match="time does not go backwards"):
        Oracle().run(early, previous=again.frame)
    with pytest.raises(OracleError, match="later epoch than 0"):
        Oracle().run(late, previous=register.frame, epoch=0)


def test_signing_changes_nothing_else_and_unsigned_runs_prove_nothing(world):
    signed, bare = (Oracle(liars=2, lie="equivocating").run(world(), sign=sign) for sign in (True, False))
    for name in ("rounds", "reports", "scores", "alerts"):
        assert getattr(signed, name).equals(getattr(bare, name)), name
    assert signed.observations.drop("signature").equals(bare.observations.drop("signature"))
    assert bare.observations["signature"].null_count() == bare.observations.height
    report = signed.report("price/MAC")
    assert report.require(signed.providers).value == signed.reports.filter(pl.col("feed") == "price/MAC")["value"][-1]
    assert signed.report("price/MAC", 3).round == 3
    for call in (bare.transactions, lambda: bare.report("price/MAC")):
        with pytest.raises(OracleError, match="sign=False"):
            call()


def test_equal_seeds_give_equal_runs_and_a_feed_does_not_depend_on_others(world):
    truth = world()
    one, other = (Oracle(liars=3, lie="noisy").run(truth, seed=7, sign=False) for _ in range(2))
    assert one.observations.equals(other.observations)
    alone = Oracle(liars=3, lie="noisy").run(truth.filter(pl.col("feed") == "price/MAC"), seed=7, sign=False)
    assert alone.rounds.equals(one.rounds.filter(pl.col("feed") == "price/MAC"))
    assert not Oracle(liars=3, lie="noisy").run(truth, seed=8, sign=False).rounds.equals(one.rounds)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda truth: truth.reverse(), "time goes backwards or stands still"),
        (lambda truth: pl.concat([truth, truth.tail(1)]), "time goes backwards or stands still"),
        (lambda truth: truth.with_columns(value=pl.lit(2 * 10**17)), "a value is absurd"),
        (lambda truth: truth.with_columns(value=pl.lit(1.5)), "dtype Float64"),
        (lambda truth: truth.with_columns(value=pl.lit(None, pl.Int64)), "nulls"),
        (lambda truth: truth.with_columns(feed=pl.lit("")), "no name of 1 to 64 bytes"),
        (lambda truth: truth.with_columns(time=pl.lit(-1).cast(SLOT)), "before 1970"),
        (lambda truth: truth.drop("value"), "'value' is missing"),
        (lambda truth: truth.clear(), "no row"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused(world, change, reason):
    with pytest.raises(OracleError, match=reason):
        Oracle().run(change(world(rounds=4)))


def test_the_column_observed_serves_as_time(world):
    truth = world(rounds=4)
    assert Oracle().run(truth.rename({"time": "observed"}).lazy(), sign=False).reports.height == 8


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: Oracle(providers=3), LeverError),
        (lambda: Oracle(liars=16), LeverError),
        (lambda: Oracle(outliers=11), LeverError),
        (lambda: Oracle(staleness=60.0), LeverError),
        (lambda: Oracle(lie="honest"), LeverError),
        (lambda: Oracle(bounds={"a": (1, 1)}), ArgumentError),
        (lambda: Oracle(bounds={"a": [0, 1]}), ArgumentTypeError),
        (lambda: Oracle(bounds=5), ArgumentTypeError),
        (lambda: Oracle().bribe(15), ArgumentError),
        (lambda: Oracle().bribe(0, "rude"), ArgumentError),
        (lambda: Oracle().bribe(0, bias=1_001), ArgumentError),
        (lambda: Oracle().bribe(0, bias="much"), ArgumentTypeError),
        (lambda: Oracle().cut("a", 5, 5), ArgumentError),
        (lambda: Oracle().cut(5, 5, 6), ArgumentTypeError),
        (lambda: Oracle().run([1]), ArgumentTypeError),
        (lambda: Oracle().roster("x"), ArgumentTypeError),
        (lambda: Oracle().appointment([1, 2]), ArgumentError),
        (lambda: Oracle().bribe(14).set({"providers": 10}).roster(), OracleError),
    ],
)
def test_wrong_arguments_raise_house_errors(call, error):
    with pytest.raises(error):
        call()


def test_reading_asks_for_a_feed_that_there_is(world):
    run = Oracle().run(world(rounds=4), sign=False)
    with pytest.raises(OracleError, match="did you mean 'price/MAC'"):
        run.read("price/MAX", 0)
    with pytest.raises(ArgumentError, match="on_stale is 'ignore'"):
        run.read("price/MAC", 0, on_stale="ignore")
    with pytest.raises(OracleError, match="no report of round 99"):
        Oracle().run(world(rounds=4)).report("price/MAC", 99)


def test_every_lever_has_its_labels_and_its_source():
    levers = Oracle().levers()
    assert levers.height == len(set(levers["path"])) >= 20
    for column in ("label", "label_th", "source", "governed_by"):
        assert levers[column].str.len_chars().min() > 0
    assert Oracle().run.__doc__


def test_frames_have_the_declared_columns(world):
    run = Oracle().run(world(rounds=4))
    assert run.alerts.schema == ALERTS
    assert repr(run) == "OracleRun(2 feeds, 8 rounds, 8 reports, 0 alerts)"
    assert repr(Oracle(liars=4).bribe(9)) == "Oracle(15 providers, 4 lying, 1 bribed, 0 cuts)"
    assert Oracle().bribe(2, "stale").roster().frame["kind"].to_list()[:4] == ["honest", "honest", "stale", "honest"]


def test_an_appointment_is_what_the_chain_takes():
    frame = Oracle(stake=2.0, slash=12.5).appointment(range(15), seed=4, epoch=2)
    assert frame.select(pl.col("stake", "slash", "epoch").unique()).row(0) == (2_000_000, 125_000_000, 2)
    assert frame["public_key"].to_list() == list(Oracle().provider_set(4).keys)
