"""Elements, scales and ticks."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.ui import svg
from gridlab.ui.axes import WIDTH, Entry, Scale, legend, nice_step, ticks
from gridlab.ui.palette import SIDES

SVG = "{http://www.w3.org/2000/svg}"
COORDINATES = st.lists(
    st.tuples(st.integers(-5, 40), st.integers(-5, 40)).map(lambda point: (point[0] / 10, point[1] / 10)),
    min_size=1,
    max_size=40,
)


def parse(drawn):
    return ET.fromstring(drawn)  # noqa: S314 - this project's own output


def points_of(element):
    return [tuple(float(number) for number in pair.split(",")) for pair in element.get("points").split()]


def test_text_and_attributes_are_escaped():
    drawn = svg.picture(10, 10, '<script>"&', [svg.text(1, 2, "<b>&"), svg.tag("g", data_name='"><script>')])
    root = parse(drawn)
    assert root.find(f"{SVG}title").text == '<script>"&'
    assert root.find(f"{SVG}text").text == "<b>&"
    assert "<script" not in drawn


def test_a_picture_has_a_viewbox_a_role_and_no_ids():
    root = parse(svg.picture(480, 300, "title", [svg.line(0, 0, 1, 1)]))
    assert (root.get("viewBox"), root.get("role"), root[0].tag) == ("0 0 480 300", "img", f"{SVG}title")
    assert not [element for element in root.iter() if element.get("id")]


def distance_to_path(point, path):
    """How far a point lies from a broken line, segment by segment."""
    if len(path) == 1:
        return math.dist(point, path[0])
    best = math.inf
    for (ax, ay), (bx, by) in pairwise(path):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = 0.0 if not length else ((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / length
        along = min(max(along, 0.0), 1.0)
        best = min(best, math.dist(point, (ax + along * (bx - ax), ay + along * (by - ay))))
    return best


@given(COORDINATES)
def test_points_left_out_of_a_path_lie_on_it(coordinates):
    x, y = np.array(coordinates).T
    drawn = points_of(parse(svg.polyline(x, y, stroke="#000")))
    assert drawn[0] == pytest.approx(coordinates[0])
    assert drawn[-1] == pytest.approx(coordinates[-1])
    assert set(drawn) <= {(round(a, 1), round(b, 1)) for a, b in coordinates}
    assert all(distance_to_path(point, drawn) < 1e-9 for point in coordinates)


def test_a_path_of_a_hundred_thousand_steps_is_no_longer_than_the_picture_is_wide():
    x = np.linspace(0, 480, 100_000)
    assert len(svg.polyline(x, np.zeros_like(x), stroke="#000")) < 200


def test_a_line_is_interrupted_where_there_is_no_value():
    y = np.array([1.0, 2.0, np.nan, 3.0, 4.0, np.nan])
    drawn = parse(f"<g>{svg.polyline(np.arange(6.0), y, stroke='#000')}</g>")
    assert [points_of(piece) for piece in drawn] == [[(0, 1), (1, 2)], [(3, 3), (4, 4)]]


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_cover_the_span_evenly_with_round_steps(low, span, most):
    high = low + max(span, 1e-6 * abs(low))  # what is narrower, doubles cannot divide
    marks = ticks(low, high, most)
    step = nice_step(high - low, most) if high > low else 1.0
    assert marks[0] <= low + 1e-6 * step
    assert marks[-1] >= high - 1e-6 * step
    assert len(marks) <= most + 3
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5)) < 1e-6


@pytest.mark.parametrize(("low", "high"), [(3.0, 3.0), (0.0, 0.0), (-2.0, -2.0)])
def test_ticks_of_a_single_value_stand_around_it(low, high):
    marks = ticks(low, high)
    assert marks[0] <= low <= marks[-1]
    assert len(marks) > 1


def test_a_scale_maps_its_ends_and_a_flat_one_does_not_divide_by_nothing():
    assert Scale(2, 4, 100, 0)(np.array([2, 3, 4])).tolist() == [100, 50, 0]
    assert Scale(2, 2, 100, 0).at(2) == 100


def test_thai_marks_above_and_below_take_no_width():
    assert svg.text_width("ที่", 10) == svg.text_width("ท", 10)


def test_a_long_legend_breaks_into_rows():
    entries = [Entry("a rather long name", SIDES["buy"])] * 6
    parts, height = legend(entries)
    _, short = legend(entries[:1])
    assert height > short
    rows = parse("<g>" + "".join(parts) + "</g>")
    ends = [float(t.get("x")) + svg.text_width(t.text, 11) for t in rows.iter("text")]
    assert max(ends) <= WIDTH
