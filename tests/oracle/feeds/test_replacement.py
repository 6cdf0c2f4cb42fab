"""A user's own series: read from CSV, Parquet and frames, refused with the rows where something is wrong."""

import datetime as dt

import polars as pl
import pytest

from gridlab.calendar import slots
from gridlab.errors import ArgumentError, ArgumentTypeError, DatasetError, FrameError
from gridlab.oracle.feeds import Feeds

DAY = slots("2026-04-20", hours=24)
FEED = "load/NEC"


@pytest.fixture
def series():
    return pl.DataFrame({"slot": DAY, "value": [3000.0 + number for number in range(96)]})


def values(feeds, window=DAY):
    return feeds.truth(window, [FEED])["value"].to_list()


def test_csv_in_bangkok_time_with_an_offset_or_in_greenwich_says_the_same(tmp_path, series):
    expected = [3_000_000 + 1000 * number for number in range(96)]
    wall = series.with_columns(slot=pl.col("slot").dt.strftime("%Y-%m-%d %H:%M"))
    offset = series.with_columns(slot=pl.col("slot").dt.strftime("%Y-%m-%dT%H:%M:%S+07:00"))
    greenwich = series.with_columns(slot=pl.col("slot").dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    short = series.with_columns(slot=pl.col("slot").dt.strftime("%Y-%m-%dT%H:%M+07:00"))
    for number, frame in enumerate((wall, offset, greenwich, short)):
        path = tmp_path / f"{number}.csv"
        frame.sample(fraction=1.0, shuffle=True, seed=1).write_csv(path)
        assert values(Feeds().replace(FEED, path)) == expected
        assert values(Feeds().replace(FEED, str(path))) == expected


def test_parquet_and_frames_in_other_units_of_time_say_the_same(tmp_path, series):
    expected = [3_000_000 + 1000 * number for number in range(96)]
    path = tmp_path / "own.parquet"
    other = series.with_columns(pl.col("slot").dt.convert_time_zone("UTC").dt.cast_time_unit("ms"), note=pl.lit("x"))
    other.write_parquet(path)
    naive = series.with_columns(pl.col("slot").dt.replace_time_zone(None))
    for source in (path, other, series.lazy(), naive, series.with_columns(pl.col("value").cast(pl.Int32))):
        assert values(Feeds().replace(FEED, source)) == expected


def test_what_hangs_on_a_feed_moves_with_it(series):
    plain = Feeds(4)
    own = Feeds(4).replace(FEED, series)
    kinds = own.load(DAY, ["NEC"])
    total = kinds.group_by("slot", maintain_order=True).agg(pl.col("load_mw").sum())["load_mw"]
    assert total.to_list() == pytest.approx(series["value"].to_list())
    assert (
        own.truth(DAY, ["price/wholesale"])["value"].to_list()
        != plain.truth(DAY, ["price/wholesale"])["value"].to_list()
    )
    dark = pl.DataFrame({"slot": DAY, "value": [0.0] * 96})
    clouded = Feeds(4).replace("weather/ghi/Nan", dark)
    assert clouded.solar(DAY, ["Nan"])["Nan"].sum() == 0
    assert clouded.solar(DAY, ["Phrae"]).equals(plain.solar(DAY, ["Phrae"]))
    heat = pl.DataFrame({"slot": DAY, "value": [45.0] * 96})
    hot = Feeds(4).replace("weather/temperature/Bangkok", heat)
    assert hot.load(DAY, ["MAC"])["load_mw"].sum() > plain.load(DAY, ["MAC"])["load_mw"].sum()
    assert hot.load(DAY, ["SAC"]).equals(plain.load(DAY, ["SAC"]))


@pytest.mark.parametrize(
    "feed", ["price/wholesale", "price/neighbour/Lao PDR", "carbon/T-VER", "fx/USDTHB", "reserve/WATT"]
)
def test_every_family_can_be_replaced_and_restored(feed):
    own = pl.DataFrame({"slot": DAY, "value": [40 + number % 3 for number in range(96)]})
    feeds = Feeds()
    before = feeds.truth(DAY, [feed])
    assert feeds.replace(feed, own).truth(DAY, [feed])["value"].n_unique() == 3
    assert feeds.restore(feed).truth(DAY, [feed]).equals(before)


def test_slots_outside_the_series_are_refused_with_its_span(series):
    feeds = Feeds().replace(FEED, series)
    with pytest.raises(
        FrameError, match=r"covers 2026-04-20 00:00 to 2026-04-20 23:45, asked for 1 slots from 2026-04-21"
    ):
        feeds.truth(slots("2026-04-21", slots=1), [FEED])
    assert feeds.truth(slots("2026-04-21", slots=1), ["load/MAC"]).height == 1


BREAKS = {
    "no column": (lambda s: s.rename({"value": "mw"}), "has no column 'value', it has"),
    "text": (lambda s: s.with_columns(value=pl.lit("many")), "'value' is not a finite number"),
    "null": (lambda s: s.with_columns(value=pl.when(pl.col("value") == 3005).then(None).otherwise("value")), r"│ 5 "),
    "nan": (lambda s: s.with_columns(value=pl.lit(float("nan"))), "not a finite number"),
    "flags": (lambda s: s.with_columns(value=pl.lit(value=True)), "has dtype Boolean; allowed: numbers"),
    "no time": (lambda s: s.with_columns(slot=pl.lit("noon")), "'slot' is not a time such as"),
    "dates": (lambda s: s.with_columns(pl.col("slot").dt.date()), "has dtype Date; allowed: Datetime"),
    "off the grid": (lambda s: s.with_columns(pl.col("slot") + dt.timedelta(minutes=5)), "not on the 15-minute grid"),
    "twice": (lambda s: pl.concat([s, s[:1]]), "a slot stands twice"),
    "gap": (lambda s: pl.concat([s[:40], s[42:]]), "slots are missing before these rows"),
    "absurd": (lambda s: s.with_columns(pl.col("value") * 1000), "absurd; allowed: 0 to 100000 MW; check the unit"),
    "negative": (lambda s: s.with_columns(-pl.col("value")), "absurd"),
    "empty": (lambda s: s[:0], "has no rows"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_series_is_refused_and_nothing_is_replaced(series, name):
    change, message = BREAKS[name]
    feeds = Feeds()
    before = values(feeds)
    with pytest.raises(FrameError, match=message):
        feeds.replace(FEED, change(series))
    assert values(feeds) == before


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="there is no file"):
        Feeds().replace(FEED, tmp_path / "none.csv")
    with pytest.raises(ArgumentError, match=r"allowed: a \.csv or a \.parquet file"):
        Feeds().replace(FEED, tmp_path / "none.xlsx")
    with pytest.raises(ArgumentTypeError, match="expected a path or a polars frame"):
        Feeds().replace(FEED, 3)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"this is no parquet")
    with pytest.raises(DatasetError, match="cannot be read"):
        Feeds().replace(FEED, broken)
