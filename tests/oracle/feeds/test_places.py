"""Provinces, windows and seasons: complete, inside Thailand, and where they should be."""

import numpy as np
import polars as pl
import pytest

from gridlab.calendar import slots
from gridlab.datasets import dataset
from gridlab.oracle.feeds.forecaster import seasons
from gridlab.oracle.feeds.places import REGIONS, places, region_positions
from gridlab.oracle.feeds.window import window_of


def test_every_province_lies_in_thailand_and_has_its_months():
    here = places()
    assert here.names == tuple(dataset("provinces")["province"])
    assert len(here.names) == 77
    assert ((here.latitude > 5.6) & (here.latitude < 20.5)).all()
    assert ((here.longitude > 97.3) & (here.longitude < 105.7)).all()
    for months in (here.turbidity, here.clearness, here.high, here.low):
        assert months.shape == (12, 77)
        assert np.isfinite(months).all()
    assert (here.high > here.low).all()
    assert ((here.turbidity > 2) & (here.turbidity < 8)).all()


def test_places_agree_with_the_cities_of_the_same_name():
    cities = dataset("cities").join(dataset("province_places"), left_on="city", right_on="province", suffix="_town")
    assert cities.height >= 6
    for column in ("latitude", "longitude"):
        assert (cities[column] - cities[f"{column}_town"]).abs().max() < 0.01


def test_months_stand_at_their_middle_and_blend_between():
    window = window_of(slots("2026-01-16", slots=1))
    table = np.arange(12.0)[:, None]
    assert window.by_day(table).item() == pytest.approx(0.0, abs=0.02)
    turn = window_of(slots("2026-12-31", slots=1)).by_day(table).item()
    assert turn == pytest.approx(5.5, abs=0.3)  # about half way from December (11) to January (0)


def test_a_window_gives_its_slots_back_and_knows_the_middle_of_them():
    asked = slots("2026-12-31T22:30", slots=10)
    window = window_of(asked)
    assert window.slots().equals(asked)
    assert window.days == 2
    assert (window.unix_time[window.inside] - 450).tolist() == asked.dt.epoch("s").to_list()
    assert window.solar_day[[0, 27, 28, 96, 96 + 27, 96 + 28]].tolist() == [364, 364, 365, 365, 365, 1]
    assert window.back(2).slots()[-10:].equals(asked)


def test_shares_of_the_kinds_are_whole_and_give_the_country_its_mix():
    mix = dataset("load_mix_synthetic")
    assert mix.group_by("region").agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1.0] * 5)
    energy = dataset("regions").select("region", pl.col("energy_gwh").cast(pl.Float64))
    weighted = (
        mix.join(energy, on="region").group_by("kind").agg((pl.col("share") * pl.col("energy_gwh")).sum().alias("e"))
    )
    share = dict(weighted.select("kind", pl.col("e") / pl.col("e").sum()).rows())
    known = 0.39 + 0.33 + 0.27
    assert share["factory"] == pytest.approx(0.39 / known, abs=0.01)
    assert share["household"] == pytest.approx(0.27 / known, abs=0.01)
    assert share["mall"] + share["small_business"] == pytest.approx(0.33 / known, abs=0.01)


def test_regions_hold_every_province_once():
    assert sorted(np.concatenate([region_positions(region) for region in REGIONS])) == list(range(77))


def test_seasons_turn_on_the_sixteenth():
    days = pl.concat([slots(day, slots=1) for day in ("2026-02-15", "2026-02-16", "2026-05-16", "2026-10-16")])
    assert seasons(days).to_list() == ["winter", "summer", "rainy", "winter"]
