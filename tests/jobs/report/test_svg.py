"""Scales, ticks and lines of the report's pictures."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.report.drawing.charts import Point, Series, bar, interval, line_chart
from jobs.report.drawing.svg import Axis, Drawing, number_axis, path_with_gaps

AXIS = Axis(low=0, high=10, ticks=((0, "0"), (10, "10")))


def test_an_axis_places_values_linearly_in_either_direction():
    assert [AXIS.place(value, 100, 200) for value in (0, 5, 10)] == [100, 150, 200]
    assert [AXIS.place(value, 200, 100) for value in (0, 5, 10)] == [200, 150, 100]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.71, 0.89], ["0.70", "0.75", "0.80", "0.85", "0.90"]),
        ([-0.04, 0.19], ["-0.1", "0.0", "0.1", "0.2"]),
        ([1.0, 5.0], ["1", "2", "3", "4", "5"]),
        ([0.0, 1234.0], ["0", "500", "1000", "1500"]),
        ([], ["0.0", "0.5", "1.0"]),
    ],
)
def test_ticks_are_round(values: list[float], texts: list[str]) -> None:
    assert [text for _, text in number_axis(values).ticks] == texts


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 4)), min_size=1))
def test_an_axis_holds_its_values_and_has_few_ticks(values: list[float]) -> None:
    axis = number_axis(values)
    room = 1e-6 * (axis.high - axis.low)
    assert axis.low - room <= min(values) <= max(values) <= axis.high + room
    assert 2 <= len(axis.ticks) <= 7
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(axis.ticks)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)


def test_a_line_lifts_the_pen_over_gaps():
    places = [(0.0, 1.0), (2.0, 3.04), None, (4.0, 5.0), None, None, (6.0, 7.0), (8.0, 9.0)]
    assert path_with_gaps(places) == "M0 1L2 3M4 5M6 7L8 9"
    assert path_with_gaps([None]) == ""


def test_text_is_escaped():
    hostile = "</title><script>alert(1)</script>&\"'"
    drawing = Drawing(1, 1, hostile)
    drawing.text(0, 0, hostile, "tick")
    drawing.add("circle", hostile, title=hostile)
    assert "<script" not in drawing.markup()
    assert drawing.markup().count("&lt;script&gt;alert(1)") == 4


def test_a_chart_has_a_title_a_dot_a_point_and_its_places():
    points = (Point(x=0, y=0, says="first"), None, Point(x=10, y=10, says="last"))
    drawn = line_chart("what it shows", AXIS, AXIS, [Series(style="own", points=points)])
    assert drawn.startswith('<svg viewBox="0 0 260 160" role="img"><title>what it shows</title>')
    assert drawn.count("<circle") == 2
    assert '<circle class="dot own" cx="42" cy="136" r="2.2"><title>first</title>' in drawn
    assert '<circle class="dot own" cx="250" cy="10" r="2.2"><title>last</title>' in drawn
    assert 'd="M42 136M250 10"' in drawn


def test_zero_is_drawn_where_an_axis_crosses_it():
    crossing = number_axis([-1, 1])
    series = [Series(style="own", points=(Point(x=1, y=1, says=""),))]
    assert line_chart("", AXIS, crossing, series).count('class="zero"') == 1
    assert 'class="zero"' not in line_chart("", AXIS, AXIS, series)


def test_bars_are_as_long_as_their_share():
    assert '<rect class="own" x="0" y="0" width="25"' in bar(0.25, "own", "a quarter")
    assert '<rect class="own" x="0" y="0" width="0.5"' in bar(0.0001, "own", "little")
    assert 'class="own"' not in bar(0, "own", "nothing")


def test_an_interval_lies_on_its_side_of_zero():
    drawn = interval(-0.04, -0.02, 0, reach=0.04, style="own", title="better")
    assert 'x1="3" x2="50"' in drawn
    assert 'cx="26.5"' in drawn
    assert '<line class="zero" x1="50" x2="50"' in drawn
