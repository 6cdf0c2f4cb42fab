"""What an oracle network, a run of it and feeds show in a notebook: summaries and pictures, in both languages."""

from __future__ import annotations

import re
from datetime import datetime

import holoviews as hv
import numpy as np
import polars as pl
import pytest
from bokeh.models import GlyphRenderer

import gridlab as gl
from gridlab.calendar import slots
from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, OracleError
from gridlab.oracle.roster import KINDS
from gridlab.ui.feeds_plots import FeedsPlots
from gridlab.ui.oracle_pictures import day_picture, provider_strip, round_picture
from gridlab.ui.oracle_plots import OracleRunPlots
from gridlab.ui.oracle_rounds import round_rows, said_in

FEEDS = ["price/wholesale", "load/NEC", "weather/ghi/Khon Kaen"]
RUN = {"observations": "(THB/MWh)", "providers": "points", "latencies": "number of reports", "rounds": "feed"}


@pytest.fixture(scope="module")
def oracle():
    made = gl.Oracle(liars=3).bribe(9, "equivocating").bribe(10, "silent").bribe(11, "noisy", bias=5.0)
    return made.cut("price/wholesale", datetime(2026, 4, 20, 10), datetime(2026, 4, 20, 14))


@pytest.fixture(scope="module")
def run(oracle):
    return oracle.run(gl.Feeds(1).truth(slots("2026-04-20", hours=24), FEEDS), sign=False)


@pytest.fixture(scope="module")
def feeds():
    own = pl.DataFrame({"slot": slots("2026-06-01", hours=24 * 30), "value": [3_000.0] * (96 * 30)})
    made = gl.Feeds(1, load_level=110.0).front("2026-06-10T12:00", hours=8).hot_spell("2026-06-18", days=4)
    return made.replace("load/NEC", own)


def drawn(element):
    return hv.render(element, backend="bokeh")


def thai(words):
    return any("\u0e00" <= letter <= "\u0e7f" for letter in words)


def pictures(run, feeds):
    yield from ((getattr(run.plot, kind)(), label) for kind, label in RUN.items())
    yield run.plot.observations("load/NEC"), "(MW)"
    yield from ((run.plot.providers(figure), label) for figure, label in (("fees", "THB"), ("missed", "rounds")))
    yield feeds.plot.sky("Khon Kaen", "2026-06-10"), "(W/m²)"
    yield feeds.plot.load("2026-06-10"), "(MW)"
    yield feeds.plot.clouds("2026-06-10T12:00"), "latitude"
    yield feeds.plot.feed("fx/USDTHB", "2026-06-10", hours=48), "(THB/USD)"


def test_every_picture_renders_with_title_and_unit(run, feeds):
    for element, label in pictures(run, feeds):
        figure = drawn(element)
        assert label in figure.yaxis[0].axis_label
        assert figure.xaxis[0].axis_label
        assert figure.title.text
        assert figure.select(GlyphRenderer)


def test_pictures_speak_thai(run, feeds):
    gl.config(language="th")
    for element, _ in pictures(run, feeds):
        figure = drawn(element)
        assert all(map(thai, (figure.title.text, figure.yaxis[0].axis_label, figure.xaxis[0].axis_label)))


def test_the_honest_range_is_that_of_the_honest_and_holds_every_reported_median(run):
    honest = run.scores.filter(kind="honest")["provider"].to_list()
    assert honest == [3, 4, 5, 6, 7, 8, 12, 13, 14]
    rows = round_rows(run, "load/NEC")
    for number, low, high, value in rows.select("round", "low", "high", "value").rows():
        seen = run.observations.filter(pl.col("feed") == "load/NEC", pl.col("round") == number)
        own = [v for p, v in seen.select("provider", "value").rows() if p in honest]
        assert (low, high) == (min(own), max(own))
        assert low <= value <= high


def test_truth_is_what_was_looked_at(run):
    world = gl.Feeds(1).truth(slots("2026-04-20", hours=24), FEEDS)
    assert run.truth["value"].to_list() == world["value"].to_list()
    assert round_rows(run, "load/NEC")["truth"].to_list() == world.filter(feed="load/NEC")["value"].to_list()


def test_a_round_says_of_every_provider_how_it_stands(run):
    states = dict(said_in(run, "price/wholesale", 20).select("provider", "state").rows())
    assert [who for who, state in states.items() if state == "down"] == [10]
    assert {0, 1, 2, 9} <= {who for who, state in states.items() if state == "lies"}
    # While the feed is cut nothing comes.
    assert set(said_in(run, "price/wholesale", 45)["state"]) == {"down"}
    assert round_rows(run, "price/wholesale").row(44, named=True)["low"] is None


def test_observations_are_in_the_units_that_people_read(run):
    points = [part for part in run.plot.observations("load/NEC") if isinstance(part, hv.Points)]
    values = np.concatenate([part.dimension_values("value") for part in points])
    own = run.observations.filter(feed="load/NEC")
    assert sorted(values) == pytest.approx(sorted(own["value"] / 1000))
    counted = {part.label: len(part) for part in points}
    assert counted["outlier or not counted"] == own.filter(pl.col("outlier") | ~pl.col("counted")).height


def test_bars_are_the_scores(run):
    amounts = {part.label: part.dimension_values("amount") for part in run.plot.providers("slashed")
               if isinstance(part, hv.Rectangles)}  # fmt: skip
    assert amounts["equivocating"].tolist() == [50_000.0]
    assert amounts["honest"].sum() == 0
    written = next(part for part in run.plot.providers("slashed") if isinstance(part, hv.Labels))
    assert written.dimension_values("told").tolist().count("0") == 14


def test_rounds_are_counted_by_what_became_of_them(run):
    labels = [part.label for part in run.plot.rounds()]
    counts = dict(run.rounds["status"].cast(pl.String).value_counts().rows())
    assert f"too few signatures: {counts['no quorum']}" in labels
    assert counts["no quorum"] == 16


def test_latencies_are_those_of_the_reports(run):
    times = run.reports.join(run.rounds.select("feed", "round", "time"), on=["feed", "round"])
    late = (times["published"] - times["time"]).dt.total_microseconds() / 1000
    assert f"p50: {np.quantile(late.to_numpy(), 0.5):.1f} ms" in [part.label for part in run.plot.latencies()]


def test_nothing_to_draw_and_unknown_names_are_said(run, feeds):
    with pytest.raises(OracleError, match="not in this run"):
        run.plot.observations("load/MAC")
    with pytest.raises(ArgumentError, match="no figure"):
        run.plot.providers("fame")
    with pytest.raises(ArgumentTypeError, match="allowed: one of"):
        run.plot.providers(3)
    with pytest.raises(ArgumentError, match="it is dark"):
        feeds.plot.clouds("2026-06-10T02:00")
    with pytest.raises(ArgumentError, match="there is no feed"):
        feeds.plot.feed("load/nec")
    with pytest.raises(FrameError, match="load/NEC"):
        feeds.plot.load("2026-08-10")


@pytest.mark.parametrize("make", [OracleRunPlots, FeedsPlots])
def test_only_their_own_are_plotted(make):
    with pytest.raises(ArgumentTypeError, match="expected"):
        make("run")


def test_accessors_list_their_kinds(run, feeds):
    assert all(f".{kind}()" in repr(run.plot) for kind in RUN)
    assert all(f".{kind}()" in repr(feeds.plot) for kind in ("sky", "feed", "clouds", "load"))


def test_a_run_without_any_report_still_draws():
    blind = gl.Oracle(liars=15, lie="silent")
    quiet = blind.run(gl.Feeds(1).truth(slots("2026-04-20", hours=1), ["fx/USDTHB"]), sign=False)
    assert quiet.reports.is_empty()
    for kind in RUN:
        assert drawn(getattr(quiet.plot, kind)()).title.text
    assert "too few signatures" in quiet._repr_html_()


def test_a_network_of_many_feeds_shows_those_that_are_refused_most():
    names = [f"weather/pv/{name}" for name in gl.dataset("provinces")["province"].head(25)]
    cut = gl.Oracle().cut(names[23], datetime(2026, 4, 20), datetime(2026, 4, 21))
    many = cut.run(gl.Feeds(1).truth(slots("2026-04-20T11:00", hours=1), names), sign=False)
    ticks = drawn(many.plot.rounds()).yaxis[0].ticker.ticks
    assert len(ticks) == 20
    assert "too few signatures: 4" in [part.label for part in many.plot.rounds()]


def test_the_sky_shows_the_cloudless_one_above_the_true_one(feeds):
    curves = {part.label: part.dimension_values("value") for part in feeds.plot.sky("Khon Kaen", "2026-06-10")}
    assert set(curves) == {"cloudless sky", "as it was", "forecast of the day before", "forecast 1 h before"}
    assert curves["cloudless sky"].max() > curves["as it was"].max() > 100


def test_clouds_stand_over_the_region_that_the_front_crosses(feeds):
    towns = feeds.plot.clouds("2026-06-10T12:00")
    assert sum(len(part) for part in towns) == 77
    share, north = (np.concatenate([part.dimension_values(name) for part in towns]) for name in ("share", "north"))
    assert share[north < 9].mean() < 50 < share[north > 12].mean()
    overcast = next(part for part in towns if part.label.startswith("overcast"))
    assert overcast.dimension_values("share").max() < 40
    assert sum(renderer.__class__.__name__ == "ColorBar" for renderer in drawn(towns).right) == 1


def test_load_is_the_sum_over_kinds_of_customers(feeds):
    loads = {part.label: part.dimension_values("load") for part in feeds.plot.load("2026-06-10")}
    assert loads["North-East"].tolist() == pytest.approx([3_000.0] * 96)
    assert len(loads) == 5


def test_summaries_are_static_and_in_both_languages(oracle, run, feeds):
    for shown in (oracle, run, feeds):
        english = shown._repr_html_()
        assert english == shown._repr_html_()
        assert not re.search(r"<script|\bid=", english)
        assert not thai(english)
        gl.config(language="th")
        assert thai(shown._repr_html_())
        gl.config(language="en")


def test_a_network_says_who_lies_how_far_and_what_is_cut(oracle):
    html = oracle._repr_html_()
    assert "15 providers; a report needs 10 signatures and bears 4 liars" in html
    assert ">0–2<" in html
    assert ">±5.0 %<" in html
    assert "Wholesale price: Thailand" in html
    assert ">20 April 2026 10:00<" in html
    honest = gl.Oracle()._repr_html_()
    assert "All providers are honest." in honest
    assert "No feed is cut." in honest


def test_a_network_whose_bribed_provider_is_gone_says_so():
    fewer = gl.Oracle().bribe(12).set({"providers": 10})
    assert "provider 12 is bribed, there are only 10" in fewer._repr_html_()


def test_a_run_says_what_became_of_it(run):
    html = run._repr_html_()
    critical = run.alerts.filter(severity="critical").height
    assert f'Alerts: critical</div><div style="font-size:17px;font-weight:600">{critical}<' in html
    assert f">{run.reports.height}<" in html
    assert ">50,000 THB<" in html
    assert f"and {run.alerts.height - 8} more" in html
    calm = gl.Oracle(bounds={}).run(gl.Feeds(1).truth(slots("2026-04-20", hours=1), ["load/NEC"]), sign=False)
    assert "No alerts." in calm._repr_html_()


def test_feeds_say_what_was_replaced_ordered_and_moved(feeds):
    html = feeds._repr_html_()
    assert "<li>Load of a region: North-East</li>" in html
    assert "front on 10 June 2026 12:00" in html
    assert "heat wave from 18 June 2026 00:00 for 4.0 days, +4.0 °C" in html
    assert ">110 %<" in html
    assert "No feed is replaced." in gl.Feeds()._repr_html_()


def test_a_strip_marks_every_provider_once():
    kinds = [*KINDS, *["honest"] * 20]
    strip = provider_strip(kinds)
    assert all(f"<title>{place} {kind}</title>" in strip for place, kind in enumerate(kinds))
    assert strip.count("<polygon") == 5 + 1  # five kinds of liars, and the legend


def test_what_lies_beyond_the_scale_is_told_at_the_edge(run):
    picture = round_picture(run, "load/NEC", 40)
    assert picture.count("+20%") == 3
    assert picture == round_picture(run, "load/NEC", 40)


def test_the_sun_at_night_has_a_scale(run):
    picture = round_picture(run, "weather/ghi/Khon Kaen", 0)
    assert "nan" not in picture
    assert ">0.0<" in picture or ">0<" in picture


def test_refused_rounds_are_crossed(run):
    assert "× refused: 16" in day_picture(run, "price/wholesale")
    assert "refused" not in day_picture(run, "load/NEC")


def test_a_run_of_several_days_names_the_days():
    long = gl.Oracle().run(gl.Feeds(1).truth(slots("2026-04-20", hours=72), ["fx/USDTHB"]), sign=False)
    assert ">20/04 00:00<" in day_picture(long, "fx/USDTHB")


def test_a_feed_of_ones_own_world_is_shown_by_its_own_name():
    times = slots("2026-04-20", hours=1)
    world = pl.DataFrame({"feed": "<mine>", "time": times, "value": [5, 6, 7, 8]})
    own = gl.Oracle().run(world, sign=False)
    assert "&lt;mine&gt;" in own._repr_html_()
    assert "<mine>" not in own._repr_html_()
    assert drawn(own.plot.observations()).title.text == "<mine>"
