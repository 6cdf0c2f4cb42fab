"""Pictures of consensus: who stands how, which messages went where, and why two quorums of 14 cannot both be."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain import pbft
from gridlab.chain.pbft.message_log import OUTSIDERS
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.ui import logged_messages, message_picture, palette, quorum_picture
from gridlab.ui.broken_axis import BrokenAxis
from gridlab.ui.consensus_words import liars_words, ranges
from gridlab.ui.validator_strip import Validator, mark, validator_strip

SVG = "{http://www.w3.org/2000/svg}"
SIX = dict.fromkeys(range(6), "collude")


@pytest.fixture(scope="module")
def forked():
    """Six liars and a quorum of 13: two blocks become final."""
    return pbft.simulate(blocks=1, byzantine=SIX, quorum=13, message_log=1)


@pytest.fixture(scope="module")
def safe():
    """The same six liars and the quorum of 14: one block becomes final."""
    return pbft.simulate(blocks=1, byzantine=SIX, message_log=1)


@pytest.fixture(scope="module")
def crowded():
    """A twin, a forger, one that is down, and a network that loses messages."""
    liars = {1: "twins", 2: "forge"}
    return pbft.simulate(n=7, blocks=2, byzantine=liars, crashed=[0], loss=0.05, latency_ms=20, message_log=1)


def texts(drawn):
    return [element.text for element in ET.fromstring(drawn).iter(f"{SVG}text")]  # noqa: S314 - our own output


def elements(drawn, name, **attributes):
    found = ET.fromstring(drawn).iter(f"{SVG}{name}")  # noqa: S314 - our own output
    return [each for each in found if all(each.get(key) == value for key, value in attributes.items())]


# The strip -----------------------------------------------------------------------------------------------------------


def test_every_state_has_a_shape_of_its_own_beside_its_colour():
    drawn = validator_strip([Validator(0), Validator(1, lie="silent"), Validator(2, up=False)])
    legend = 1  # each shape stands once in the legend, too
    assert len(elements(drawn, "circle", fill=palette.STATES["honest"].colour)) == 1 + legend
    assert len(elements(drawn, "polygon", fill=palette.STATES["lies"].colour)) == 1 + legend
    assert len(elements(drawn, "circle", fill="none")) == 1 + legend
    assert texts(drawn).count("!") == 1 + legend


def test_a_liar_that_is_down_is_down():
    assert Validator(0, lie="silent", up=False).state == "down"


def test_a_cut_network_has_a_row_for_each_side_and_says_so():
    validators = [Validator(number, side=1 if number < 3 else 0) for number in range(7)]
    drawn = validator_strip(validators)
    assert "the network is cut here" in texts(drawn)
    heights = {each.text: float(each.get("y")) for each in elements(drawn, "text") if each.text.isdigit()}
    assert len({heights[number] for number in "012"}) == len({heights[number] for number in "3456"}) == 1
    assert heights["3"] > heights["0"]
    assert "the network is cut here" not in texts(validator_strip([Validator(0), Validator(1)]))


def test_many_validators_break_into_rows():
    drawn = validator_strip([Validator(number) for number in range(43)])
    heights = [each.get("y") for each in elements(drawn, "text") if each.text.isdigit()]
    assert len(set(heights)) == 3


def test_the_title_tells_what_colours_tell():
    title = elements(validator_strip([Validator(0), Validator(1, lie="delay")]), "title")[0].text
    assert title == "Validators: honest 1, lies 1, down 0"


@given(st.sets(st.integers(0, 60)))
def test_ranges_name_each_number_once(numbers):
    named = []
    for part in filter(None, ranges(numbers).split(", ")):
        first, _, last = part.partition("–")
        named += range(int(first), int(last or first) + 1)
    assert named == sorted(numbers)


def test_liars_are_listed_by_how_they_lie():
    told = liars_words({0: "silent", 1: "silent", 4: "forge"})
    assert told == "0–1: say nothing; 4: speak in others' names"


# The axis that leaves time out ---------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=40), st.floats(0.1, 1e4))
def test_the_broken_axis_keeps_the_order_of_moments_and_stays_inside(times, patience):
    axis = BrokenAxis(np.array(times), patience, 10.0, 500.0)
    pixels = axis(np.sort(np.array(times)))
    assert (np.diff(pixels) >= 0).all()
    assert pixels.min() >= 10.0 - 1e-9
    assert pixels.max() <= 500.0 + 1e-9
    assert all(end - start > patience for start, end in axis.gaps)


def test_a_long_gap_is_cut_to_the_patience_and_short_ones_are_true():
    axis = BrokenAxis(np.array([0.0, 10.0, 20.0, 1020.0, 1030.0]), 50.0, 0.0, 80.0)
    assert axis.gaps == [(20.0, 1020.0)]
    assert [axis.at(moment) for moment in (0.0, 10.0, 20.0, 1020.0, 1030.0)] == [0, 10, 20, 70, 80]
    assert axis.stretches() == [(0.0, 20.0), (1020.0, 1030.0)]


def test_a_single_moment_makes_an_axis():
    assert BrokenAxis(np.array([5.0, 5.0]), 1.0, 0.0, 100.0).at(5.0) == 0.0


# Votes ---------------------------------------------------------------------------------------------------------------


def slow_votes(trace, kinds, digest, view):
    """Walk through the log message by message."""
    return {
        row["signer"]
        for row in trace.message_log.to_dicts()
        if row["kind"] in kinds and row["digest"] == digest and row["view"] == view and row["valid"] is not False
    }


@pytest.mark.parametrize("name", ["forked", "safe"])
def test_votes_are_those_of_the_slow_reference(name, request):
    trace = request.getfixturevalue(name)
    log = logged_messages.logged(trace)
    view, votes = logged_messages.votes_of(log, logged_messages.rivals(trace, log))
    assert [vote.letter for vote in votes] == ["A", "B"]
    for vote in votes:
        assert vote.prepared == slow_votes(trace, ("pre_prepare", "prepare"), vote.digest, view)
        assert vote.committed == slow_votes(trace, ("commit",), vote.digest, view)


def test_two_quorums_of_13_share_liars_alone_and_hold_each_certificate(forked):
    log = logged_messages.logged(forked)
    _, (first, second) = logged_messages.votes_of(log, logged_messages.rivals(forked, log))
    assert first.committed & second.committed == set(SIX)
    for vote in (first, second):
        assert len(vote.committed) >= 13
        assert set(forked.signers[vote.digest]) <= vote.committed


def test_with_14_the_second_block_is_one_vote_short(safe):
    log = logged_messages.logged(safe)
    _, (first, second) = logged_messages.votes_of(log, logged_messages.rivals(safe, log))
    assert len(first.committed) >= 14
    assert len(second.prepared) == 13
    assert second.committed == set(SIX)


def test_forged_votes_are_not_counted_for_whom_they_name(crowded):
    log = logged_messages.logged(crowded)
    _, votes = logged_messages.votes_of(log, logged_messages.rivals(crowded, log))
    assert all(0 not in vote.prepared | vote.committed for vote in votes)
    forged = crowded.message_log.filter((pl.col("sender") == 2) & (pl.col("signer") == 0))
    assert forged.height  # it did try, in the name of the one that is down


def test_a_twin_is_drawn_on_its_validators_line_and_a_client_on_its_own(crowded):
    log = logged_messages.logged(crowded)
    client = log.filter(pl.col("kind") == "request").item(0, "sender")
    second = log.filter((pl.col("receiver") >= OUTSIDERS) & (pl.col("receiver") != client))
    assert second.height
    assert second["to"].unique().to_list() == [1]
    assert log.filter(pl.col("receiver") < OUTSIDERS).filter(pl.col("to") != pl.col("receiver")).is_empty()
    assert log.filter(pl.col("kind") == "request")["from"].unique().to_list() == [-1]


# The pictures --------------------------------------------------------------------------------------------------------


def test_a_fork_is_told_beside_its_reason(forked):
    told = " ".join(texts(forked.quorums()))
    assert "blocks A and B are both final. A fork." in told
    assert "2 × 13 − 21 = 5; up to 6 may lie" in told
    assert "voted for both: 6" in told
    assert told.count("≥ 13: quorum") == 4


def test_fourteen_is_told_to_be_enough(safe):
    told = " ".join(texts(safe.quorums()))
    assert "block A alone is final" in told
    assert "2 × 14 − 21 = 7; up to 6 may lie" in told
    assert "13 < 14: none" in told
    assert "there cannot be two quorums" in told


def test_more_liars_than_the_protocol_bears_are_not_told_to_be_harmless():
    trace = pbft.simulate(blocks=1, byzantine=dict.fromkeys(range(8), "collude"), message_log=1, limit_ms=5_000)
    told = " ".join(texts(trace.quorums()))
    assert "8 lie, more than the 6 that 21 bear" in told
    assert "two blocks can both get a quorum" in told


def test_every_message_is_one_stroke(forked):
    paths = elements(forked.picture(), "path")
    assert sum(path.get("d").count("M") for path in paths) == forked.message_log.height
    assert len({path.get("stroke") for path in paths}) == len(paths)  # each kind has its colour
    assert {path.get("stroke-dasharray") for path in paths} >= {None, "8 3", "2 2"}  # and its dash


def test_strokes_go_from_sender_to_receiver_in_the_order_of_time(safe):
    picture = message_picture._Picture(safe, None)
    path = picture._path(np.ones(picture.log.height, dtype=bool), whole=True)
    strokes = np.array([[float(part) for part in re.split("[,L]", each)] for each in path.split("M")[1:]])
    assert (strokes[:, 2] >= strokes[:, 0]).all()
    row = picture.log.row(7, named=True)
    expected = (
        picture.axis.at(row["time_ms"]),
        picture.y(row["from"]),
        picture.axis.at(row["arrival_ms"]),
        picture.y(row["to"]),
    )
    assert strokes[7] == pytest.approx(expected, abs=0.051)


def test_who_holds_which_block_is_written_at_each_line(forked):
    held = forked.finals["hash"].value_counts(sort=True)["count"].to_list()
    letters = texts(forked.picture())
    assert [letters.count("A"), letters.count("B")] == held
    assert "holds as final: block B" in letters


def test_a_lost_message_ends_on_the_way_and_the_picture_says_so(crowded):
    assert "Strokes that end on the way: the message was lost." in texts(crowded.picture())
    assert "Down: 0." in texts(crowded.picture())


def test_a_long_log_is_cut_and_says_so(crowded, monkeypatch):
    monkeypatch.setattr(message_picture, "MOST_DRAWN", 50)
    drawn = crowded.picture()
    assert f"The first 50 of {crowded.message_log.height:,} messages are drawn." in texts(drawn)
    assert sum(path.get("d").count("M") for path in elements(drawn, "path")) == 50


def test_pictures_are_equal_for_equal_runs_and_have_no_ids(forked):
    again = pbft.simulate(blocks=1, byzantine=SIX, quorum=13, message_log=1)
    for name in ("picture", "quorums"):
        drawn = getattr(forked, name)()
        assert drawn == getattr(again, name)()
        assert drawn._repr_html_() == str(drawn)
        assert not re.search(r"\sid=|<script|<style", drawn)
        assert "characters of SVG" in repr(drawn)


@pytest.mark.usefixtures("thai")
def test_pictures_speak_thai(forked):
    assert any("เกิดการแยกสาย" in text for text in texts(forked.quorums()))
    assert any("เวลาจำลอง" in text for text in texts(forked.picture()))


def test_a_trace_without_a_log_says_how_to_get_one(safe):
    with pytest.raises(ArgumentError, match=r"message_log=1\) logs them"):
        pbft.simulate(blocks=1).picture()
    with pytest.raises(ArgumentError, match=r"message_log=2\) logs them"):
        safe.quorums(2)
    with pytest.raises(ArgumentTypeError):
        safe.picture("1")
    assert safe.picture(1) == safe.picture()


@pytest.mark.parametrize("n", [1, 4, 60, 130])
def test_any_number_of_validators_makes_pictures(n):
    trace = pbft.simulate(n=n, blocks=1, message_log=1)
    for drawn in (trace.picture(), trace.quorums()):
        ET.fromstring(drawn)  # noqa: S314 - our own output


@given(st.floats(0.3, 40.0))
def test_cells_and_marks_of_any_size_have_a_width(size):
    cell = ET.fromstring(quorum_picture._cell(0.0, 0.0, size, "", "#000"))  # noqa: S314 - our own output
    assert 0 < float(cell.get("width")) <= size
    ring = ET.fromstring(f"<g>{mark('down', 0.0, 0.0, size)}</g>")[0]  # noqa: S314 - our own output
    assert float(ring.get("r")) > 0


TEXTS_INSIDE = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect(), boxes = [];
    for (const text of svg.querySelectorAll('text')) boxes.push([text.textContent, text.getBoundingClientRect()]);
    const out = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1 ||
        box.top < frame.top - 1 || box.bottom > frame.bottom + 1).map(([words]) => 'outside: ' + words);
    for (const [i, [one, a]] of boxes.entries()) for (const [other, b] of boxes.slice(i + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && high > 4) out.push(`overlap: ${one} / ${other}`);
    }
    return out;
})"""


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "th"])
def test_no_label_is_cut_off_or_lies_on_another(page, console_errors, forked, safe, crowded, language):
    gl.config(language=language)
    strip = validator_strip(
        [Validator(number, "delay" if number < 4 else None, side=number % 2) for number in range(25)]
    )
    drawn = [strip, *(getattr(trace, name)() for trace in (forked, safe, crowded) for name in ("picture", "quorums"))]
    page.set_content(f'<meta charset="utf-8"><body style="width:860px">{"".join(drawn)}</body>')
    assert page.evaluate(TEXTS_INSIDE) == []
    assert console_errors == []
