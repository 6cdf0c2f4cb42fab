"""The votes of a run: each vote in final blocks, the phases of its referendum, and prices before and after."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import polars as pl
import pytest
from bokeh.models import GlyphRenderer, Plot

import gridlab as gl
from gridlab.errors import GovernanceError
from gridlab.governance.agenda import COOPERATIVE
from gridlab.ui.vote_events import vote_events
from gridlab.ui.vote_plots import averages


@pytest.fixture(scope="module")
def voted_run():
    """Twelve hours, in which one vote passes and moves the wheeling charge and another one does not pass."""
    lab = gl.Lab.thailand(prosumers=30)
    first = lab.governance.propose({"market.wheeling.postage_stamp": 0.3}, by=COOPERATIVE, at="06:00")
    lab.governance.vote(first, COOPERATIVE, 500, at="06:30", conviction=3)
    lab.governance.vote(first, "PEA", 150, at="07:00", side="nay")
    lab.governance.agenda.split(first, "MEA", aye=10, nay=30, abstain=50, at="07:20")
    second = lab.governance.propose({"market.wheeling.postage_stamp": 4.0}, by="PEA", at="08:00")
    lab.governance.vote(second, "PEA", 150, at="08:30")
    return lab.run(hours=12, progress=False)


def figures(element):
    return hv.render(element, backend="bokeh").select({"type": Plot})


def test_votes_are_those_of_the_agenda_in_their_blocks(voted_run):
    events = vote_events(voted_run)
    assert events.select("referendum", "holder", "choice", "conviction", "grid").rows() == [
        (0, COOPERATIVE, "aye", 3, 500_000_000),
        (0, "PEA", "nay", 1, 150_000_000),
        (0, "MEA", "split", 0, 90_000_000),
        (1, "PEA", "aye", 1, 150_000_000),
    ]
    assert events["ayes"].to_list() == [1_500_000_000, 0, 1_000_000, 150_000_000]
    clocks = events["time"].dt.strftime("%H:%M").to_list()
    assert clocks == ["06:30", "07:00", "07:20", "08:30"]


def test_the_votes_sum_up_to_the_tally_of_the_chain(voted_run):
    sums = vote_events(voted_run).group_by("referendum").agg(pl.col("ayes", "nays").sum()).sort("referendum")
    tallies = voted_run.frames["referenda"].select("ayes", "nays").rows()
    assert sums.select("ayes", "nays").rows() == tallies


def test_a_saved_run_tells_the_same_votes(voted_run, tmp_path):
    again = gl.load(voted_run.save(tmp_path / "votes.gridlab"))
    assert vote_events(again).equals(vote_events(voted_run))


def test_the_picture_shows_prices_phases_votes_and_what_is_in_force(voted_run):
    prices, lanes = voted_run.plot.votes()
    labels = [part.label for part in lanes]
    assert labels == ["preparing", "being decided", "approved, timelock", "aye", "nay", "split", "in force"]
    points = {part.label: part for part in lanes if isinstance(part, hv.Points)}
    assert len(points["aye"]) == 2
    assert points["nay"].dimension_values("holder").tolist() == ["PEA"]
    moved = voted_run.frames["moved"]
    slot = moved["slot"].dt.replace_time_zone(None).to_numpy()[0]
    assert points["in force"].dimension_values(0)[0] == slot
    line = next(part for part in prices if "in force" in part.label)
    assert line.dimension_values(0)[0] == slot
    assert line.label.startswith("#0 in force: average")


def test_phases_last_as_long_as_they_did(voted_run):
    _, lanes = voted_run.plot.votes()
    bars = {part.label: part for part in lanes if isinstance(part, hv.Segments)}
    deciding = bars["being decided"]
    lasted = deciding.dimension_values("until") - deciding.dimension_values(0)
    told = voted_run.frames["referenda"].select(pl.col("ended") - pl.col("deciding_since")).to_series()
    assert (lasted / np.timedelta64(1, "m")).tolist() == [each.total_seconds() / 60 for each in told.to_list()]


def test_averages_are_weighed_by_energy_on_either_side(voted_run):
    slot = voted_run.frames["moved"]["slot"][0]
    traded = voted_run.prices.filter(pl.col("energy") > 0)
    for part, average in zip(
        (traded.filter(pl.col("slot") < slot), traded.filter(pl.col("slot") >= slot)),
        averages(voted_run, slot),
        strict=True,
    ):
        expected = sum(price * energy for price, energy in part.select("price", "energy").rows())
        assert average == (pytest.approx(expected / part["energy"].sum()) if part.height else None)
    assert averages(voted_run, voted_run.prices["slot"].min())[0] is None


def test_both_parts_render_in_both_languages(voted_run):
    for language, title in (("en", "Referenda of the run"), ("th", "ประชามติในการจำลอง")):
        gl.config(language=language)
        drawn = list(figures(voted_run.plot.votes()))
        assert len(drawn) == 2
        assert title in [each.title.text for each in drawn]
        assert all(each.select(GlyphRenderer) and each.xaxis[0].axis_label for each in drawn)


def test_votes_that_go_on_in_a_night_without_trade_are_drawn_until_its_end():
    lab = gl.Lab.thailand(prosumers=12)
    first = lab.governance.propose({"market.wheeling.postage_stamp": 0.3}, by="PEA", at=5)
    lab.governance.vote(first, "PEA", 10, at=10)
    lab.governance.propose({"market.wheeling.postage_stamp": 0.4}, by="PEA", at=6, deposit=False)
    run = lab.run(hours=2, progress=False)
    assert run.trades.is_empty()
    _, lanes = run.plot.votes()
    bars = {part.label: part for part in lanes if isinstance(part, hv.Segments)}
    assert sorted(bars) == ["being decided", "preparing"]
    last = run.readings["slot"].max().replace(tzinfo=None)
    assert bars["being decided"].dimension_values("until").tolist() == [np.datetime64(last, "us")]
    assert len(list(figures(run.plot.votes()))) == 2


def test_a_run_without_votes_says_what_to_do(night_run):
    with pytest.raises(GovernanceError, match=r"lab\.governance\.propose"):
        night_run.plot.votes()
    assert ".votes()" in repr(night_run.plot)
