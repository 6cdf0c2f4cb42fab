"""Forecasts: nothing after the issue is read, errors are measured, and both against a plain reference."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.calendar import slots
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.forecasts import (
    LEADS,
    air_forecast,
    air_persistence,
    issues,
    latest_mean,
    load_forecast,
    sun_forecast,
    sun_persistence,
)

ROWS = 10 * 96


def slow_latest(values, valid, issue):
    means, lasts = [], []
    for known in issue:
        row = next((r for r in range(min(known, len(values)) - 1, 2, -1) if valid[r - 3 : r + 1].all()), -1)
        lasts.append(row)
        means.append(values[row - 3 : row + 1].mean() if row >= 0 else 0.0)
    return np.array(means), np.array(lasts)


@pytest.mark.parametrize("lead", LEADS)
def test_latest_mean_is_that_of_a_plain_search(lead):
    rng = np.random.default_rng(2)
    values, valid = rng.random((400, 1)), rng.random((400, 1)) < 0.8
    issue = issues(400, lead)
    mean, last = latest_mean(values, valid, issue)
    slow_mean, slow_last = slow_latest(values[:, 0], valid[:, 0], issue)
    np.testing.assert_array_equal(last[:, 0], slow_last)
    np.testing.assert_allclose(mean[:, 0], slow_mean, rtol=1e-12)


def test_issues_are_noon_of_the_day_before_and_whole_steps_within_the_day():
    assert issues(192, "day_ahead")[96:].tolist() == [48] * 96
    assert issues(192, "4h")[100] == 84
    assert issues(192, "1h")[100] == 96
    assert issues(192, "15min")[100] == 99


@settings(max_examples=30)
@given(seed=st.integers(0, 2**30), target=st.integers(9 * 96, ROWS - 1), lead=st.sampled_from(list(LEADS)))
def test_what_came_after_the_issue_changes_no_forecast(seed, target, lead):
    rng = np.random.default_rng(seed)
    base = np.clip(np.sin((np.arange(ROWS) % 96 - 24) / 48 * np.pi), 0, None)[:, None] * 900.0
    clearness, usual = np.full((ROWS, 1), 0.7), np.full((ROWS, 1), 28.0)
    expected, explained = rng.uniform(900, 1100, (ROWS, 1)), rng.uniform(900, 1100, (ROWS, 1))
    seen = rng.uniform(0.1, 1.0, (ROWS, 1))
    issue = issues(ROWS, lead)
    other, other_explained = seen.copy(), explained.copy()
    other[issue[target] :] = rng.uniform(0.1, 1.0, other[issue[target] :].shape)
    other_explained[issue[target] :] *= 3
    for make in (
        lambda known, _: sun_forecast(known * base, base, clearness, issue),
        lambda known, _: sun_persistence(known * base, base, clearness, issue),
        lambda known, _: air_forecast(known * 30, usual, issue),
        lambda known, _: air_persistence(known * 30, issue, lead),
        lambda known, why: load_forecast(known * 1000, why, expected, issue),
    ):
        assert make(seen, explained)[target, 0] == make(other, other_explained)[target, 0]


def test_forecasts_read_what_was_known_and_the_latest_of_it():
    issue = issues(ROWS, "1h")
    base, clearness = np.full((ROWS, 1), 1000.0), np.full((ROWS, 1), 0.7)
    seen = np.full((ROWS, 1), 700.0)
    seen[500:504] = 300.0
    moved = sun_forecast(seen, base, clearness, issue)[:, 0]
    assert moved[507] < 700.0  # issued at 503: the cloud covers three of the four latest slots
    assert moved[499] == moved[490] == pytest.approx(700.0)
    assert sun_persistence(seen, base, clearness, issue)[508, 0] == pytest.approx(300.0)


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize(
    "feed", ["weather/ghi/Khon Kaen", "weather/pv/Khon Kaen", "weather/temperature/Khon Kaen", "load/NEC"]
)
def test_a_future_that_a_user_changes_leaves_the_forecast_as_it_was(lead, feed):
    target = slots("2026-05-20T10:00", slots=1)
    plain = Feeds(8).forecast(target, [feed], lead=lead)
    issued = plain["issued"].item()
    span = slots("2026-05-18", hours=96)
    unit = {"weather/ghi": 10, "weather/pv": 10_000, "weather/temperature": 100, "load": 1000}[feed.rpartition("/")[0]]
    truth = Feeds(8).truth(span, [feed]).select(slot="observed", value=pl.col("value") / unit)
    later = truth.with_columns(value=pl.when(pl.col("slot") < issued).then("value").otherwise(pl.col("value") * 0.5))
    earlier = truth.with_columns(value=pl.when(pl.col("slot") < issued).then(pl.col("value") * 0.9).otherwise("value"))
    known = Feeds(8).replace(feed, truth).forecast(target, [feed], lead=lead)
    assert Feeds(8).replace(feed, later).forecast(target, [feed], lead=lead).equals(known)
    assert not Feeds(8).replace(feed, earlier).forecast(target, [feed], lead=lead).equals(known)
    assert known["value"].item() == pytest.approx(plain["value"].item(), rel=1e-2)


def test_issued_is_said_and_comes_before_the_slot(feeds):
    day = slots("2026-07-01", hours=24)
    ahead = feeds.forecast(day, ["load/NEC", "load/MAC"])
    assert ahead.columns == ["feed", "observed", "value", "unit", "issued"]
    assert ahead["issued"].unique().dt.strftime("%Y-%m-%d %H:%M").to_list() == ["2026-06-30 12:00"]
    near = feeds.forecast(day, ["weather/pv/Nan"], lead="1h")
    assert (near["observed"] - near["issued"]).unique().dt.total_minutes().to_list() == [60]


def test_a_forecast_does_not_depend_on_what_else_is_forecast(feeds):
    day = slots("2026-07-01", hours=24)
    whole = feeds.forecast(day, ["weather/pv/Nan", "weather/pv/Yala", "load/NEC"], lead="4h")
    part = feeds.forecast(day[40:60], ["weather/pv/Yala"], lead="4h")
    same = whole.filter(pl.col("feed") == "weather/pv/Yala", pl.col("observed").is_in(day[40:60].implode()))
    assert part.equals(same)


def test_scores_are_the_errors_of_the_forecasts(feeds):
    span = slots("2026-07-01", hours=72)
    feed = ["load/NEC"]
    table = feeds.scores(span, feed).filter(lead="4h")
    assert table["season"].to_list() == ["rainy"]
    error = (
        feeds.forecast(span, feed, lead="4h")["value"].to_numpy() - feeds.truth(span, feed)["value"].to_numpy()
    ) / 1000
    assert table["cells"].item() == span.len()
    assert table["mae"].item() == pytest.approx(np.abs(error).mean(), abs=1e-3)
    assert table["rmse"].item() == pytest.approx(np.sqrt((error**2).mean()), abs=1e-3)
    assert table["bias"].item() == pytest.approx(error.mean(), abs=1e-3)


def test_errors_shrink_with_the_lead_and_beat_persistence_in_every_season():
    table = Feeds(2).scores(slots("2026-01-01", slots=365 * 96))
    assert table["season"].unique().sort().to_list() == ["rainy", "summer", "winter"]
    by_lead = table.pivot("lead", index=["family", "season"], values="rmse")
    for longer, shorter in (("day_ahead", "4h"), ("4h", "1h"), ("1h", "15min")):
        assert (by_lead[longer] > by_lead[shorter]).all()
    assert (table["skill"] > 0).all()
    ghi = table.filter(family="weather/ghi")
    assert (ghi["bias"].abs() < 0.1 * ghi["rmse"]).all()
