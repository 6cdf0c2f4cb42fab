"""What the pictures look at agrees with the run's frames."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from gridlab.errors import ArgumentError
from gridlab.ui import views
from gridlab.ui.book_picture import Steps


def test_energy_by_zone_and_slot_sums_to_the_trades(any_run):
    view = views.day_view(any_run.frames)
    total = sum(values.sum() for values in view.traded.values())
    assert total == pytest.approx(any_run.trades["energy"].sum() / 1000)
    assert all(np.isfinite(view.price[zone]).tolist() == (view.traded[zone] > 0).tolist() for zone in view.price)


def test_prices_stand_in_their_slot_and_zone(day_run):
    view = views.day_view(day_run.frames)
    row = day_run.prices.filter(pl.col("energy") > 0).row(17, named=True)
    place = round((row["slot"].hour + row["slot"].minute / 60) * 4)
    assert view.price[row["zone"]][place] == pytest.approx(row["price"] / 1000)


def test_power_is_the_mean_over_a_quarter_of_an_hour(day_run):
    view = views.day_view(day_run.frames)
    first = day_run.readings.filter(pl.col("slot") == pl.col("slot").min())
    assert view.load[0] == pytest.approx(first["load"].sum() / 1000 / 0.25)
    assert view.net.max() == pytest.approx(day_run.kpi("peak_of_net_load"))


def test_hours_count_from_the_first_midnight_and_mark_the_on_peak_hours(day_run, days_run):
    hours = views.day_view(day_run.frames).hours
    assert (hours.edges[0], hours.edges[-1], len(hours.edges)) == (0, 24, 97)
    assert hours.bands() == [(9.0, 22.0)]
    longer = views.day_view(days_run.frames).hours
    assert (longer.edges[-1], longer.dates) == (60, ["6/5", "7/5", "8/5"])
    assert longer.ticks() == ([0.0, 24.0, 48.0], ["6/5", "7/5", "8/5"])


def slow_steps(steps, quantity):
    corners, before = [], 0.0
    for energy, price in zip(steps.energy, steps.price, strict=True):
        if before >= quantity:
            break
        end = min(before + energy, quantity)
        corners += [(before, price), (end, price)]
        before += energy
    return corners


@pytest.mark.parametrize("quantity", [0.0, 0.5, 1.0, 2.5, 6.0, 99.0])
def test_step_curves_end_where_they_are_cut_like_the_slow_reference(quantity):
    steps = Steps(np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 2.0]))
    x, y = steps.until(quantity)
    assert list(zip(x, y, strict=True)) == slow_steps(steps, quantity)


def area(corners, level):
    x, y = corners
    return float(((x[1::2] - x[::2]) * (y[::2] - level)).sum())


def test_areas_between_the_curves_and_the_price_are_the_surpluses_of_every_book(day_run):
    for row in day_run.prices.filter(pl.col("energy") > 0).to_dicts():
        book = views.book(day_run.frames, row["slot"], row["zone"])
        assert area(book.demand.until(book.traded), book.price) * 1e6 == pytest.approx(row["buyer_surplus"], abs=1)
        assert -area(book.supply.until(book.traded), book.price) * 1e6 == pytest.approx(row["seller_surplus"], abs=1)


def test_a_book_without_trade_has_no_price(night_run):
    book = views.book(night_run.frames, "00:15", "CAC")
    assert (book.price, book.traded, book.supply.total) == (None, 0, 0)
    assert book.demand.total > 0


def test_the_busiest_book_is_the_default(day_run):
    slot, zone = views.busiest(day_run.frames)
    most = day_run.prices["energy"].max()
    assert day_run.prices.filter(slot=slot, zone=zone)["energy"].item() == most
    assert views.book(day_run.frames).traded == most / 1000


def test_slots_are_named_by_time_and_in_longer_runs_by_date(day_run, days_run):
    assert list(views.slot_names(day_run.frames))[:2] == ["00:00", "00:15"]
    assert "2026-05-07 12:00" in views.slot_names(days_run.frames)
    by_time = views.book(day_run.frames, datetime(2026, 5, 6, 12), "MAC")
    assert by_time.name == views.book(day_run.frames, "12:00", "MAC").name == "Metropolitan, 6 May 2026 12:00"


@pytest.mark.parametrize(
    ("slot", "zone", "told"),
    [("25:00", None, "25:00"), (12, None, "12"), (None, "LAO", "'LAO' is not in this run"), (None, 3, "zone: 3")],
)
def test_a_slot_or_a_zone_that_the_run_does_not_have_is_refused(day_run, slot, zone, told):
    with pytest.raises(ArgumentError, match=told):
        views.book(day_run.frames, slot, zone)


def test_pay_as_bid_books_have_no_single_price(days_run):
    assert not views.book(days_run.frames).one_price


def test_payments_are_all_of_the_settlement_and_every_position_nets_to_nothing(any_run):
    paid = views.payments(any_run.frames)
    assert paid["amount"].sum() == any_run.settlement["amount"].sum()
    held = views.positions(paid)
    assert held["net"].sum() == 0
    prosumers = held.filter(party="prosumers")["net"].item()
    assert -prosumers == any_run.balances["with_market"].sum()


def test_buyers_pay_sellers_for_energy(day_run):
    paid = views.payments(day_run.frames).filter(kind="energy").row(0, named=True)
    assert paid == {"payer": "buyers", "payee": "sellers", "kind": "energy", "amount": day_run.trades["amount"].sum()}


def test_hourly_prices_are_means_weighted_by_energy(day_run):
    grid, names = views.hour_prices(day_run.frames), views.zones(day_run.frames)
    row = day_run.trades.row(5, named=True)
    there = day_run.trades.filter((pl.col("zone") == row["zone"]) & (pl.col("slot").dt.hour() == row["slot"].hour))
    mean = there["amount"].sum() / there["energy"].sum() / 1000
    assert grid[names.index(row["zone"]), row["slot"].hour] == pytest.approx(mean)
    assert np.isnan(grid[:, 0]).all()


def test_savings_by_kind_sum_to_all_savings(any_run):
    kinds = views.saving_by_kind(any_run.balances)
    assert kinds["saving"].sum() == any_run.balances["saving"].sum()
    assert kinds["accounts"].sum() == any_run.accounts.height
