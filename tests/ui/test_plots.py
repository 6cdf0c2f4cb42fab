"""HoloViews pictures: every kind renders, with units on its axes, in both languages."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import holoviews as hv
import numpy as np
import polars as pl
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.ui import plots
from gridlab.ui.convert import columns
from gridlab.ui.palette import ZONES

UNITS = {
    "prices": "THB/kWh",
    "volumes": "kWh",
    "net_load": "kW",
    "supply_and_demand": "THB/kWh",
    "savings": "THB",
    "bills": "THB",
}


def drawn(element):
    return hv.render(element, backend="bokeh")


@pytest.mark.parametrize("kind", UNITS)
def test_every_kind_of_plot_renders_with_its_unit(any_run, kind):
    figure = drawn(getattr(any_run.plot, kind)())
    assert f"({UNITS[kind]})" in figure.yaxis[0].axis_label
    assert figure.xaxis[0].axis_label
    assert figure.select(GlyphRenderer)


@pytest.mark.usefixtures("thai")
@pytest.mark.parametrize("kind", UNITS)
def test_every_kind_of_plot_speaks_thai(day_run, kind):
    figure = drawn(getattr(day_run.plot, kind)())
    assert any("\u0e00" <= letter <= "\u0e7f" for letter in figure.yaxis[0].axis_label)


def test_the_accessor_lists_its_kinds(day_run):
    assert [name for name in UNITS if f".{name}()" in repr(day_run.plot)] == list(UNITS)
    assert day_run.plot._kinds() == ["prices", "volumes", "net_load", "supply_and_demand", "savings", "bills", "votes"]


def test_price_lines_hold_each_slot_and_keep_the_colour_of_their_zone(day_run):
    overlay = day_run.plot.prices()
    curve = next(curve for curve in overlay if curve.label == "Central")
    prices = day_run.prices.filter((pl.col("zone").cast(pl.String) == "CAC") & (pl.col("energy") > 0))
    row = prices.row(3, named=True)
    at = np.datetime64(row["slot"].replace(tzinfo=None))
    assert curve.dimension_values(1)[curve.dimension_values(0) == at][-1] == row["price"] / 1000
    assert curve.opts.get("style", backend="bokeh").kwargs["color"] == ZONES["CAC"].colour


def test_layers_of_volume_stand_on_each_other_and_reach_the_total(day_run):
    layers = list(day_run.plot.volumes())
    for below, above in pairwise(layers):
        assert above.dimension_values(1).tolist() == below.dimension_values(2).tolist()
    top = layers[-1].dimension_values(2)[::2]
    assert top.sum() == pytest.approx(day_run.trades["energy"].sum() / 1000)


def test_the_clearing_point_stands_where_the_market_cleared(day_run):
    slot = datetime(2026, 5, 6, 12)
    point = next(part for part in day_run.plot.supply_and_demand(slot, "CAC") if isinstance(part, hv.Points))
    row = day_run.prices.filter(
        (pl.col("slot").dt.replace_time_zone(None) == slot) & (pl.col("zone").cast(pl.String) == "CAC")
    )
    assert point.dimension_values(0).tolist() == [row["energy"].item() / 1000]
    assert point.dimension_values(1).tolist() == [row["price"].item() / 1000]


def test_a_book_that_the_run_does_not_have_is_refused(day_run):
    with pytest.raises(ArgumentError, match="slot: '12:07' is not in this run"):
        day_run.plot.supply_and_demand("12:07")


def test_savings_and_bills_are_those_of_the_balances(day_run):
    assert day_run.plot.savings().dimension_values("saving").sum() == pytest.approx(day_run.kpi("savings"))
    bills = day_run.plot.bills()
    without = bills.select(case="without market").dimension_values("bill")
    assert without.sum() == pytest.approx(day_run.kpi("bills_without_market"))


def test_comparing_shows_the_change_of_every_figure_in_per_cent(day_run):
    other = gl.Lab.thailand(prosumers=60).set({"market.wheeling.postage_stamp": 0.5}).run(hours=24, progress=False)
    bars = plots.compare(day_run, other)
    changes = dict(zip(bars.dimension_values("figure"), bars.dimension_values("change"), strict=True))
    paid = (other.kpi("wheeling_paid") / day_run.kpi("wheeling_paid") - 1) * 100
    assert changes["Wheeling paid"] == pytest.approx(paid)
    assert not [name for name in changes if "measured" in name]
    assert drawn(bars).xaxis[0].axis_label == "change (%)"


def test_comparing_with_a_night_leaves_out_what_was_nothing(night_run, day_run):
    bars = plots.compare(night_run, day_run)
    assert "Energy traded" not in bars.dimension_values("figure")
    assert drawn(bars)


@pytest.mark.parametrize("make", [plots.Plots, lambda thing: plots.compare(thing, thing)])
def test_only_runs_are_plotted(make):
    with pytest.raises(ArgumentTypeError, match="Run"):
        make({"prices": 1})


def test_frames_become_numpy_columns_of_the_bangkok_clock():
    frame = pl.DataFrame(
        {
            "slot": pl.Series([datetime(2026, 5, 6, 12)]).dt.replace_time_zone("Asia/Bangkok"),
            "utc": pl.Series([datetime(2026, 5, 6, 5)]).dt.replace_time_zone("UTC"),
            "zone": pl.Series(["MAC"], dtype=pl.Enum(["CAC", "MAC"])),
            "price": pl.Series([None], dtype=pl.Int64),
            "rate": pl.Series(["4.2218"]).cast(pl.Decimal(10, 4)),
            "energy": [7],
            "on": [True],
        }
    )
    made = columns(frame)
    noon = np.datetime64("2026-05-06T12:00", "us")
    assert (made["slot"][0], made["utc"][0], made["zone"][0]) == (noon, noon, "MAC")
    assert made["slot"].dtype == np.dtype("datetime64[us]")
    assert np.isnan(made["price"][0])
    assert (made["rate"][0], made["energy"].dtype, made["on"].dtype) == (4.2218, np.int64, np.bool_)
    with pytest.raises(ArgumentTypeError, match="expected a polars DataFrame"):
        columns({"a": [1]})
