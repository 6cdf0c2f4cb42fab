"""A lab that reads the oracle: reports on the chain, forecasts of reported weather, and what a lie costs."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import LeverError, OracleError, StoreError
from gridlab.observed_day import PRICE_FEED, observe, weather_feeds
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.oracle import Oracle

READING = {
    "trade_on_forecasts": True,
    "read_oracle": True,
    "public.validators": 4,
    "consensus.validators": 4,
}
SLOTS = 40  # until ten in the morning


def make(**levers):
    return gl.Lab.thailand(prosumers=20, seed=6, start="2026-05-08").set(READING | levers)


@pytest.fixture(scope="module")
def run():
    return make(**{"oracle.liars": 2, "oracle.lie": "equivocating"}).run(slots=SLOTS, progress=False)


def test_every_report_stands_on_the_chain_and_is_what_the_network_said(run):
    newest = run.frames["oracle_reports"].group_by("feed", maintain_order=True).last().sort("feed")
    chain = run.chain.reports.sort("feed")
    assert chain.select("feed", "round", "value").equals(newest.select("feed", "round", "value"))
    assert set(chain["feed"]) == {PRICE_FEED, *weather_feeds()}
    assert run.chain.transactions["accepted"].all()


def test_who_signed_two_values_lost_a_share_of_the_stake(run):
    first = run.accounts.height + run.institutions.height
    stake = make().get("oracle.stake") * 1_000_000
    fees = run.frames["oracle_scores"]["fees"]
    held = [run.chain.ledger.balance(first + provider, "WATT") for provider in range(15)]
    liars = [place for place, kind in enumerate(run.frames["oracle_scores"]["kind"]) if kind == "equivocating"]
    assert len(liars) == 2
    for provider in range(15):
        lost = stake * 0.5 if provider in liars else 0
        assert held[provider] == stake - lost + fees[provider]


def test_data_fees_are_paid_to_the_micro_baht_and_counted(run):
    paid = run.settlement.filter(kind="oracle_fee")
    assert paid["amount"].sum() == run.frames["oracle_scores"]["fees"].sum() > 0
    assert run.kpi("oracle_fees") == paid["amount"].sum() / 1e6
    names = ("savings", "utilities_gain", "state_gain", "operator_gain", "oracle_fees")
    assert abs(sum(run.kpi(name) for name in names)) < 1e-6


def test_bills_are_the_ledgers_movement(run):
    paid = run.settlement.group_by(account="debit").agg(out=pl.col("amount").sum())
    got = run.settlement.group_by(account="credit").agg(into=pl.col("amount").sum())
    bills = run.balances.join(paid, on="account", how="left").join(got, on="account", how="left").fill_null(0)
    assert (bills["with_market"] == bills["out"] - bills["into"]).all()


def test_such_a_run_is_saved_stored_and_comes_again(run, tmp_path):
    assert gl.load(run.save(tmp_path / "day.gridlab")).fingerprint == run.fingerprint
    lab = make(**{"oracle.liars": 2, "oracle.lie": "equivocating"})
    lab.feeds.front("2026-05-08 06:00", origin="NEC", to="MAC")
    lab.oracle.bribe(3, "silent")
    path = tmp_path / "day.db"
    stored = lab.run(slots=8, progress=False, store=path)
    assert gl.open(path).run(progress=False).fingerprint == stored.fingerprint


def test_a_users_own_series_is_not_stored_and_the_error_says_so(tmp_path):
    lab = make()
    slots = gl.Lab.thailand(prosumers=1, start="2026-04-20").slots(slots=96 * 20)
    lab.feeds.replace(PRICE_FEED, pl.DataFrame({"slot": slots, "value": [3_000.0] * slots.len()}))
    with pytest.raises(StoreError, match="price/wholesale"):
        lab.run(slots=4, progress=False, store=tmp_path / "own.db")
    assert (lab.day(slots=4).observed.references["price"] - 3_000).abs().max() < 30


def test_forecasts_follow_what_was_reported_and_meters_the_truth():
    lab = make()
    honest = observe(lab.agents, lab.sequence, Feeds(6), Oracle(), lab.slots(), sign=False)
    lied = observe(lab.agents, lab.sequence, Feeds(6), Oracle(liars=8, bias=-60.0), lab.slots(), sign=False)
    assert lied.readings.equals(honest.readings)
    assert lied.forecasts["intraday"]["generation"].sum() < 0.7 * honest.forecasts["intraday"]["generation"].sum()
    missed = (honest.forecasts["intraday"]["generation"] - honest.readings["generation"]).abs().sum()
    assert missed < 0.4 * honest.readings["generation"].sum()


def test_no_forecast_reads_what_came_after_it():
    lab = make()
    slots = lab.slots()
    noon = slots[48]
    later = Feeds(6)
    # The same world until noon; a front comes in the afternoon, hours after the morning's forecasts were made.
    later.front(noon + timedelta(hours=6), origin="NEC", to="NAC", hours=2.0, width=40.0, depth=6.0)
    pair = [
        observe(lab.agents, lab.sequence, feeds, Oracle(noise=0.0), slots, sign=False)
        for feeds in (Feeds(6), later)
    ]
    early = [each.forecasts["day_ahead"]["generation"] for each in pair]
    assert early[0].equals(early[1])
    assert not pair[0].readings.equals(pair[1].readings)


def test_four_liars_of_fifteen_change_no_bill_and_eight_do():
    figures = {}
    for liars in (0, 4, 8):
        kpis = make(**{"oracle.liars": liars, "oracle.bias": 50.0, "oracle.noise": 0.0}).preview(slots=96)
        figures[liars] = {name: kpis.filter(kpi=name)["value"][0] for name in ("savings", "imbalance_paid")}
    assert figures[4] == figures[0]
    assert abs(figures[8]["savings"] - figures[0]["savings"]) > 1


def test_the_oracle_is_read_only_where_somebody_forecasts():
    with pytest.raises(LeverError, match="trade_on_forecasts"):
        gl.Lab.thailand(prosumers=5).set({"read_oracle": True})


def test_a_network_that_never_reports_stops_the_day_with_the_reason():
    lab = make(**{"oracle.liars": 11, "oracle.lie": "silent"})
    with pytest.raises(OracleError, match="has reported no price"):
        lab.run(slots=4, progress=False)


def test_a_stale_or_refused_feed_raises_an_alert():
    lab = make()
    start = lab.start
    lab.oracle.cut(PRICE_FEED, start + timedelta(hours=1), start + timedelta(hours=3))
    run = lab.run(slots=16, progress=False)
    told = run.alerts.filter(pl.col("alert").str.starts_with("oracle:"))
    assert "critical" in told["severity"].to_list()
    assert np.all([PRICE_FEED in detail for detail in told["detail"]])


def test_what_if_counts_data_fees_without_a_chain():
    lab = make()
    table = gl.what_if(lab, {"oracle.data_fee": [0.0, 5.0]}, slots=8)
    free, dear = table.filter(kpi="oracle_fees")["value"].to_list()
    assert free == 0 < dear
    assert lab.set({"oracle.data_fee": 5.0}).run(slots=8, progress=False).kpi("oracle_fees") == dear
