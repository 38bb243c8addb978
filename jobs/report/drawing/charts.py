"""The two kinds of pictures that the report has: lines over an axis, and bars in a table's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jobs.report.drawing.svg import Axis, Drawing, path_with_gaps

_WIDTH, _HEIGHT = 260.0, 160.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 10.0, 10.0, 24.0  # room around the plot, of which ticks' text
_DOT = 2.2
_ROW_WIDTH, _ROW_HEIGHT = 100.0, 10.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point, and the text that its tooltip shows."""

    x: float
    y: float
    says: str
    radius: float = _DOT


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points joined by a line, which has a gap where one is None. `style` is a class of the page's
    style sheet: own, before, baseline, ideal or spread."""

    style: str
    points: tuple[Point | None, ...]
    has_dots: bool = True


def line_chart(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> Markup:
    """The series, the first on top; a line at 0 where the y axis goes below it."""
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    left, right, top, bottom = _LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM
    for value, text in y.ticks:
        at = y.place(value, bottom, top)
        is_zero = value == 0 and y.low < 0
        drawing.add("line", "zero" if is_zero else "grid", x1=left, x2=right, y1=at, y2=at)
        drawing.text(left - 6, at + 4, text, "tick end")
    for number, (value, text) in enumerate(x.ticks):
        at = x.place(value, left, right)
        is_last = number == len(x.ticks) - 1 and number > 0
        anchor = "end" if is_last and at > right - 12 else "middle"
        drawing.text(min(at, right) if anchor == "middle" else _WIDTH - 2, _HEIGHT - 6, text,
            f"tick {anchor}")  # fmt: skip
    for each in reversed(series):
        places = [
            None
            if point is None
            else (x.place(point.x, left, right), y.place(point.y, bottom, top))
            for point in each.points
        ]
        drawing.add("path", f"line {each.style}", d=path_with_gaps(places))
        if each.has_dots:
            _dots(drawing, each, places)
    return drawing.markup()


def _dots(drawing: Drawing, series: Series, places: Sequence[tuple[float, float] | None]) -> None:
    for point, place in zip(series.points, places, strict=True):
        if point is not None and place is not None:
            drawing.add(
                "circle", f"dot {series.style}", title=point.says,
                cx=place[0], cy=place[1], r=point.radius,
            )  # fmt: skip


def bar(share: float, style: str, title: str) -> Markup:
    """A bar of a share of its cell's width, 0 to 1."""
    drawing = Drawing(_ROW_WIDTH, _ROW_HEIGHT, title, is_stretched=True)
    drawing.add("rect", "track", x=0, y=0, width=_ROW_WIDTH, height=_ROW_HEIGHT)
    if share > 0:
        width = max(0.5, share * _ROW_WIDTH)
        drawing.add("rect", style, x=0, y=0, width=width, height=_ROW_HEIGHT)
    return drawing.markup()


def interval(
    low: float, value: float, high: float, *, reach: float, style: str, title: str
) -> Markup:
    """A value in its interval, on a line from -reach to reach (above 0) with a mark at 0."""
    axis = Axis(low=-reach, high=reach, ticks=())
    drawing = Drawing(_ROW_WIDTH, _ROW_HEIGHT, title)
    middle = _ROW_HEIGHT / 2
    start, at, end, zero = (axis.place(x, 3, _ROW_WIDTH - 3) for x in (low, value, high, 0))
    drawing.add("line", "zero", x1=zero, x2=zero, y1=0, y2=_ROW_HEIGHT)
    drawing.add("line", f"span {style}", x1=start, x2=end, y1=middle, y2=middle)
    drawing.add("circle", f"dot {style}", cx=at, cy=middle, r=2.4)
    return drawing.markup()
