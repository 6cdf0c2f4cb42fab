"""Load and prices against plain references, and the calibration that the docs quote."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from gridlab.calendar import slots
from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.calibration import calibration
from gridlab.oracle.feeds.demand import KINDS, RESPONSE, expected_load
from gridlab.oracle.feeds.places import REGIONS
from gridlab.oracle.feeds.prices import wholesale
from gridlab.oracle.feeds.window import Window


def at_comfort(first, *, comfort=26.0, festival=1.0, air=20.0):
    window = Window(first, 1, 0, 96)
    return expected_load(window, np.full((192, 5), air), comfort=comfort, response=1.0, festival=festival)


def test_load_has_the_shape_of_its_kind_between_the_hours():
    load = at_comfort(dt.date(2026, 7, 8))[:, REGIONS.index("NEC"), KINDS.index("household")]
    table = dataset("load_shapes_synthetic").filter(kind="household", day_type="weekday").sort("hour")["load"].to_list()
    hour = 18.875 - 0.5  # middle of the slot 18:45, hourly values stand in the middle of their hours
    expected = table[18] + (hour - 18) * (table[19] - table[18])
    at_noon = (table[11] + table[12]) / 2 + (table[12] - table[11]) * 0.125
    assert load[75] / load[48] == pytest.approx(expected / at_noon)


def test_days_of_rest_and_festivals_shut_factories_but_not_homes():
    working, sunday = at_comfort(dt.date(2026, 7, 8)), at_comfort(dt.date(2026, 7, 5))
    factory, household = KINDS.index("factory"), KINDS.index("household")
    assert (sunday[:, :, factory] < working[:, :, factory]).all()
    songkran, full = at_comfort(dt.date(2026, 4, 13), festival=0.6), at_comfort(dt.date(2026, 4, 13))
    np.testing.assert_allclose(songkran[:, :, factory], 0.6 * full[:, :, factory])
    np.testing.assert_allclose(songkran[:, :, household], full[:, :, household])


@pytest.mark.parametrize("kind", KINDS)
def test_each_degree_above_comfort_adds_its_share_and_none_below(kind):
    column = KINDS.index(kind)
    cool, below, warm = (at_comfort(dt.date(2026, 7, 8), air=air)[:, :, column] for air in (20.0, 26.0, 29.0))
    np.testing.assert_array_equal(cool, below)
    np.testing.assert_allclose(warm, cool * (1 + 3 * RESPONSE[column]))


def test_buildings_remember_three_hours():
    air = np.full((192, 5), 20.0)
    air[96 + 40] = 38.0  # one hot slot: twelve slots feel a twelfth of it
    window = Window(dt.date(2026, 7, 8), 1, 0, 96)
    felt = expected_load(window, air, comfort=20.0, response=1.0, festival=1.0) / at_comfort(dt.date(2026, 7, 8))
    assert np.flatnonzero(felt[:, 0, 0] > 1 + 1e-12).tolist() == list(range(40, 52))
    assert felt[45, 0, 0] == pytest.approx(1 + RESPONSE[0] * 1.5)


def test_wholesale_price_is_the_level_at_the_usual_load_and_rises_with_it():
    price = wholesale(np.array([3000.0, 3000.0]), np.array([20_000.0, 30_000.0]), 20_000.0, 0.4)
    assert price.tolist() == [3000.0, 3600.0]


def test_lao_price_has_a_peak_and_an_off_peak_part():
    day = slots("2026-04-21", hours=24)
    price = Feeds(price_spread=0).truth(day, ["price/neighbour/Lao PDR"])["value"]
    assert sorted(price.unique().to_list()) == [1530, 1800]
    assert price[36] == 1800
    assert price[35] == 1530


def test_processes_return_to_their_means():
    year = slots("2026-01-01", slots=365 * 96)
    for feed, mean, scale in (("fx/USDTHB", 31.4, 10_000), ("carbon/T-VER", 190.0, 100)):
        paths = [Feeds(seed).truth(year[::1], [feed])["value"].to_numpy() / scale for seed in range(6)]
        assert np.mean(paths) == pytest.approx(mean, rel=0.05)
        assert all(path.std() > 0 for path in paths)


def test_calibration_says_how_far_off_the_world_is():
    table = calibration(Feeds(1), 2026)
    assert table.columns == ["figure", "where", "model", "low", "high", "unit", "source", "residual"]
    inside = table.filter((pl.col("model") >= pl.col("low")) & (pl.col("model") <= pl.col("high")))
    assert (inside["residual"] == 0).all()
    share = pl.col("residual").abs() / pl.col("low")
    energy = table.filter(pl.col("figure") == "energy, 2019").select(share.alias("share"))["share"]
    assert energy.max() < 0.02
    peak = table.filter(pl.col("figure") == "peak, 2019").select(share.alias("share"))["share"]
    assert peak.max() < 0.12
    assert table.filter(pl.col("figure").str.contains("irradiation|PV"))["residual"].abs().max() == 0
    assert table.filter(unit="°C")["residual"].abs().max() < 1.5
    with pytest.raises(ArgumentError, match="year"):
        calibration(Feeds(), 1990)
    with pytest.raises(ArgumentTypeError, match="year"):
        calibration(Feeds(), "2026")
