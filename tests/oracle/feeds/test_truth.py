"""The truth: reproducible, the same whatever else is asked for, moved by levers and by weather that was ordered."""

import pickle
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gridlab.calendar import slots
from gridlab.errors import ArgumentError, ArgumentTypeError, CalendarError, LeverError
from gridlab.frames import SLOT
from gridlab.oracle.feeds import FAMILIES, Feeds, family_of, feed_table
from gridlab.oracle.feeds.places import REGIONS, places
from gridlab.oracle.rounds import check_truth

NAMES = Feeds().names()


def test_every_feed_has_a_value_in_every_slot_within_its_family(feeds, april_day):
    truth = feeds.truth(april_day)
    assert truth.columns == ["feed", "observed", "value", "unit"]
    assert truth.schema["observed"] == SLOT
    assert truth.schema["value"] == pl.Int64
    assert truth["feed"].unique(maintain_order=True).to_list() == NAMES
    assert truth.group_by("feed").len()["len"].unique().to_list() == [96]
    counts = truth.join(feed_table(), left_on="unit", right_on="counted", how="left").select(
        pl.col("value") / pl.col("scale"), "low", "high"
    )
    assert counts.null_count().sum_horizontal().item() == 0
    assert len(NAMES) == 3 * 77 + 5 + 1 + 3 + 1 + 1 + 1


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.prefix)
def test_values_are_the_world_in_counted_units_and_not_absurd(feeds, april_day, family):
    mine = [name for name in NAMES if family_of(name) is family][:3]
    truth = feeds.truth(april_day, mine)
    values = truth["value"].to_numpy() / family.scale
    assert ((values >= family.low) & (values <= family.high)).all()
    assert truth["unit"].unique().to_list() == [family.counted]
    rows = [name.rpartition("/")[2] for name in mine]
    world = feeds.world(april_day, rows if family.prefix.startswith("weather") else None)
    whole = world.series(family.prefix)[:, : len(mine)]
    np.testing.assert_allclose(values.reshape(len(mine), 96).T, whole, atol=0.5001 / family.scale)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**30),
    asked=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True),
    start=st.integers(0, 380),
    length=st.integers(1, 120),
)
def test_no_choice_of_feeds_or_slots_changes_a_value(seed, asked, start, length):
    days = slots("2026-05-30", slots=520)
    part = days.slice(start, length)
    whole = Feeds(seed).truth(days, asked)
    expected = whole.filter(pl.col("observed").is_in(part.implode()))
    assert_frame_equal(Feeds(seed).truth(part, asked), expected)


def test_a_subset_of_provinces_is_the_whole_to_the_last_bit(feeds, april_day):
    whole = feeds.solar(april_day)
    part = feeds.solar(april_day, ["Yala", "Bangkok", "Nan"])
    assert part.columns == ["slot", "Yala", "Bangkok", "Nan"]
    assert part.equals(whole.select(part.columns))


def test_same_seed_same_world_other_seed_another(april_day):
    first, second, other = (Feeds(seed).truth(april_day, ["weather/ghi/Nan", "fx/USDTHB"]) for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_weather_and_load_frames_agree_with_the_truth(feeds, april_day):
    weather = feeds.weather(april_day, ["Nan", "Yala"])
    assert weather.columns == ["slot", "province", "clear", "ghi", "temperature", "pv"]
    truth = feeds.truth(april_day, ["weather/ghi/Nan", "weather/ghi/Yala"])
    np.testing.assert_allclose(weather["ghi"].to_numpy() * 10, truth["value"].to_numpy(), atol=0.5001)
    load = feeds.load(april_day, ["SAC", "NEC"])
    assert load["region"].unique(maintain_order=True).to_list() == ["SAC", "NEC"]
    total = load.filter(region="NEC").group_by("slot", maintain_order=True).agg(pl.col("load_mw").sum())
    kw = feeds.truth(april_day, ["load/NEC"])["value"].to_numpy()
    np.testing.assert_allclose(total["load_mw"].to_numpy() * 1000, kw, atol=0.51)


def test_levers_move_what_they_name(april_day):
    usual = Feeds(3)
    noon = slots("2026-07-10", hours=24)
    names = ["Khon Kaen"]
    assert Feeds(3, cloudiness=200).solar(noon, names)["Khon Kaen"].sum() < usual.solar(noon, names)["Khon Kaen"].sum()
    assert Feeds(3, cloudiness=0).solar(noon, names)["Khon Kaen"].sum() > usual.solar(noon, names)["Khon Kaen"].sum()
    cooler = Feeds(3, comfort_temperature=24.0).load(april_day)["load_mw"].sum()
    assert cooler > usual.load(april_day)["load_mw"].sum()
    assert Feeds(3, load_level=227.4).load(april_day)["load_mw"].sum() == pytest.approx(
        2 * usual.load(april_day)["load_mw"].sum()
    )
    assert Feeds(reserve=12.345678).truth(april_day[:1], ["reserve/WATT"])["value"].item() == 12_345_678_000_000
    with pytest.raises(LeverError, match=r"cloudiness.*0\.0 to 200\.0"):
        Feeds(cloudiness=201)
    table = usual.levers()
    assert table["label_th"].str.contains("[\u0e00-\u0e7f]{3}").all()
    assert (table["source"].str.len_chars() > 0).all()


def test_a_front_crosses_from_the_south_to_the_northeast():
    day = slots("2026-06-10", hours=24)
    dry = Feeds(5, front_strength=0)
    wet = Feeds(5, front_strength=0).front("2026-06-10T06:00", origin="SAC", to="NEC", hours=8, depth=4)
    before, after = (feeds.world(day).index for feeds in (dry, wet))
    ratio = after / before
    middle = {region: ratio[:, np.array(places().regions) == region].mean(axis=1).argmin() / 4 for region in REGIONS}
    assert middle["SAC"] == pytest.approx(6.0, abs=1.5)
    assert middle["NEC"] == pytest.approx(14.0, abs=1.5)
    assert middle["SAC"] < middle["CAC"] < middle["NEC"]
    assert (after <= before + 1e-12).all()
    assert "front" not in repr(wet)


def test_a_hot_spell_heats_inland_most_and_raises_load(april_day):
    cool, hot = Feeds(5), Feeds(5).hot_spell("2026-04-18", days=5, degrees=5)
    rise = hot.world(april_day).temperature - cool.world(april_day).temperature
    names = places().names
    assert rise[:, names.index("Khon Kaen")].max() == pytest.approx(5.0, abs=0.01)
    assert rise[:, names.index("Phuket")].max() == pytest.approx(2.0, abs=0.01)
    assert hot.load(april_day)["load_mw"].sum() > 1.05 * cool.load(april_day)["load_mw"].sum()


def test_feeds_travel_to_another_process_and_back(feeds, april_day):
    moved = pickle.loads(pickle.dumps(Feeds(7).front("2026-04-20", hours=10)))
    here = Feeds(7).front("2026-04-20", hours=10)
    assert moved.solar(april_day, ["Nan"]).equals(here.solar(april_day, ["Nan"]))


def test_importing_the_feeds_loads_no_heavy_library():
    script = "import sys, gridlab.oracle.feeds; print(*{'pvlib', 'pandas', 'scipy', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f, s: f.truth(s, ["load/NE"]), ArgumentError, "there is no 'load/NE'; did you mean 'load/NEC'"),
        (lambda f, s: f.truth(s, "load/NEC"), ArgumentTypeError, "expected a list of names"),
        (lambda f, s: f.truth(s, []), ArgumentError, "name one or more"),
        (lambda f, s: f.truth(s, [3]), ArgumentTypeError, "expected names, got 3"),
        (lambda f, s: f.truth(s, ["load/NEC", "load/NEC"]), ArgumentError, "each once"),
        (lambda f, s: f.solar(s, ["Bangok"]), ArgumentError, "did you mean 'Bangkok'"),
        (lambda f, s: f.load(s, ["NE"]), ArgumentError, "there is no 'NE'"),
        (lambda f, s: f.truth(s.to_list()), ArgumentTypeError, "slots: expected a Series"),
        (lambda f, s: f.truth(s[::2]), CalendarError, "consecutive quarters"),
        (lambda f, s: f.truth(s[:0]), CalendarError, "one or more slots"),
        (lambda f, s: f.truth(slots("2015-01-01", slots=1)), CalendarError, "feeds run from 1 April 2015"),
        (lambda f, s: f.forecast(s, ["fx/USDTHB"]), ArgumentError, "is not forecast"),
        (lambda f, s: f.forecast(s, lead="2h"), ArgumentError, "lead: '2h' is not allowed"),
        (lambda f, s: f.forecast(s, lead=4), ArgumentTypeError, "lead: expected one of"),
        (lambda f, s: f.front("2026-06-01", origin="X"), ArgumentError, "there is no region 'X'"),
        (lambda f, s: f.front("2026-06-01", origin="NEC"), ArgumentError, "two different regions"),
        (lambda f, s: f.front("2026-06-01", hours=0), ArgumentError, "allowed: 1 to 72"),
        (lambda f, s: f.front("2026-06-01", hours=True), ArgumentTypeError, "expected a number"),
        (lambda f, s: f.hot_spell("2026-06-01", degrees=float("nan")), ArgumentError, "allowed: -10 to 10"),
        (lambda f, s: f.restore("load/NEC"), ArgumentError, "was not replaced"),
        (lambda f, s: f.replace("wether/ghi/Nan", "x.csv"), ArgumentError, "did you mean 'weather/ghi'"),
        (lambda f, s: f.replace(1, "x.csv"), ArgumentTypeError, "expected a name"),
        (lambda f, s: Feeds(seed=-1), ArgumentTypeError, "seed: expected an integer >= 0"),
    ],
)
def test_wrong_calls_are_refused_with_what_is_allowed(april_day, call, error, message):
    with pytest.raises(error, match=message):
        call(Feeds(), april_day)


def test_the_oracle_takes_the_truth_as_it_is(feeds, april_day):
    truth = feeds.truth(april_day, ["load/NEC", "reserve/WATT"])
    assert check_truth(truth).rename({"time": "observed"}).equals(truth.drop("unit"))
