"""The report's pictures over days: how quality moved, with a gap where a day has no figure."""

from __future__ import annotations

from calendar import month_abbr
from collections.abc import Iterable, Sequence
from datetime import date

from markupsafe import Markup

from jobs.report.drawing.charts import Point, Series, line_chart
from jobs.report.drawing.svg import Axis, number_axis
from jobs.report.sections.history import Figures
from jobs.report.sections.list_history import ListCourse, ListHistory
from jobs.report.sections.lists import TITLES
from jobs.report.sections.quality import Course, Quality
from schemas.tables import metrics

PEER_STYLES = {"popularity": "baseline", "item_knn": "before"}


def of_quality(quality: Quality, metric: str) -> dict[str, Markup]:
    """A chart a scenario of one metric over the days, all on the same axes."""
    drawn = quality.courses[metric]
    y = number_axis(_known(value for each in drawn for value in (*each.own, *each.baseline)))
    return {each.scenario: _course(each, quality.days, y) for each in drawn if _known(each.own)}


def _course(course: Course, days: Sequence[date], y: Axis) -> Markup:
    title = f"{metrics.named(course.metric).title}, {course.scenario}, "
    title += _over(days, course.own, course.metric, "tasks")
    series = [_by_day(course.own, days, "own", "model")]
    if _known(course.baseline):
        series.append(_by_day(course.baseline, days, "baseline", "baseline"))
    return line_chart(title, _days_axis(days), y, series)


def of_lists(history: ListHistory) -> dict[str, Markup]:
    """A chart a scenario of the lists' nDCG@10 over the days, all on the same axes from 0."""
    ends = [
        values
        for course in history.courses.values()
        for values in (course.highs, *course.peers.values())
    ]
    y = number_axis([0.0, *_known(value for values in ends for value in values)])
    return {
        scenario: _of_lists(scenario, course, history.days, y)
        for scenario, course in history.courses.items()
    }


def legend_of_lists(history: ListHistory) -> dict[str, str]:
    """What the lines of any scenario are, by style."""
    drawn = {"own": f"{history.model}, each night's own model: mean and 95% interval"}
    for course in history.courses.values():
        drawn |= {PEER_STYLES[p]: TITLES[p] for p, values in course.peers.items() if _known(values)}
    return drawn


def _of_lists(scenario: str, course: ListCourse, days: Sequence[date], y: Axis) -> Markup:
    title = f"nDCG@10 of lists, {scenario}, {_over(days, course.own, metrics.NDCG10.name, 'users')}"
    peers = [
        _by_day(values, days, PEER_STYLES[peer], TITLES[peer])
        for peer, values in course.peers.items()
        if _known(values)
    ]
    own = _by_day(course.own, days, "own", "our lists")
    return line_chart(title, _days_axis(days), y, [own, *peers, _intervals(course)])


def _intervals(course: ListCourse) -> Series:
    """A vertical line a day, from one end of the interval to the other."""
    points: list[Point | None] = []
    for n, (low, high) in enumerate(zip(course.lows, course.highs, strict=True)):
        if low is not None and high is not None:
            points += [Point(x=n, y=low, says=""), Point(x=n, y=high, says=""), None]
    return Series(style="spread", points=tuple(points), has_dots=False)


def _over(days: Sequence[date], own: Figures, metric: str, judged_on: str) -> str:
    """How many of the days have figures, and the last one."""
    ran, last = len(_known(own)), own[-1]
    no = f"no such {judged_on} that day"
    latest = no if last is None else f"{metrics.named(metric).text(last)} on {days[-1]}"
    return f"over {len(days)} days, {ran} of them with figures: {latest}"


def _days_axis(days: Sequence[date]) -> Axis:
    marked = (0, len(days) // 2, len(days) - 1)
    ticks = tuple((n, f"{days[n].day:02} {month_abbr[days[n].month]}") for n in marked)
    return Axis(low=0, high=len(days) - 1, ticks=ticks)


def _by_day(values: Figures, days: Sequence[date], style: str, name: str) -> Series:
    return Series(
        style=style,
        points=tuple(
            None if value is None else Point(x=n, y=value, says=f"{name} {days[n]}: {value:.4f}")
            for n, value in enumerate(values)
        ),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
