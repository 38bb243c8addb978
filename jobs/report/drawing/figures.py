"""The report's pictures: which of its figures go on which axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from jobs.report.drawing.charts import Point, Series, interval, line_chart
from jobs.report.drawing.svg import Axis, number_axis
from jobs.report.sections.elicitation import Asked, Contest
from jobs.report.sections.lists import ListEvaluation, Method
from jobs.report.sections.stratified import RatingBin, SupportBin
from schemas.tables import metrics

_LARGEST_DOT = 7.0


def lists_axis(evaluation: ListEvaluation) -> Axis:
    """What all methods of a scenario are drawn on, from 0."""
    values = (v for method in evaluation.methods for v in (*method.values, *method.highs))
    return number_axis([0.0, *values])


def lists(scenario: str, evaluation: ListEvaluation, own: Method, other: Method, y: Axis) -> Markup:
    """Our lists and another method's by known interactions, which are evenly spaced."""
    x = Axis(
        low=0,
        high=len(evaluation.known) - 1,
        ticks=tuple((float(place), known) for place, known in enumerate(evaluation.known)),
    )

    def drawn(name: str, style: str, values: Sequence[float], *, has_dots: bool = True) -> Series:
        points = (
            Point(x=place, y=value, says=f"{name}, {known} known: {value:.4f}")
            for place, (known, value) in enumerate(zip(evaluation.known, values, strict=True))
        )
        return Series(style=style, points=tuple(points), has_dots=has_dots)

    title = (
        f"nDCG@10 of lists, {scenario}, by known interactions: ours {own.values[-1]:.4f} with all "
        f"known, {other.title} {other.values[-1]:.4f}"
    )
    series = [
        drawn(own.title, "own", own.values),
        drawn(other.title, "baseline", other.values),
        *(drawn(own.title, "ideal", ends, has_dots=False) for ends in (own.lows, own.highs)),
    ]
    return line_chart(title, x, y, series)


def worth(contests: Sequence[Contest]) -> Markup:
    """nDCG@10 of recommendations by how many questions were asked: ours, popularity, nothing.

    No line joins two lengths: each leaves other items to recommend.
    """
    x = Axis(
        low=0,
        high=max(1, len(contests) - 1),
        ticks=tuple((float(n), f"{each.length} asked") for n, each in enumerate(contests)),
    )
    drawn = {"own": "evidence", "baseline": "popularity", "before": "nothing"}
    found = {
        style: [next(a for a in each.lists if a.name == name) for each in contests]
        for style, name in drawn.items()
        if all(name in {a.name for a in each.lists} for each in contests)
    }
    y = number_axis([0.0, *(asked.ndcg10 for asked_of in found.values() for asked in asked_of)])
    series = [
        Series(
            style=style,
            points=tuple(
                point
                for n, (a, each) in enumerate(zip(asked_of, contests, strict=True))
                for point in (
                    Point(x=n, y=a.ndcg10, says=f"{a.title}, {each.length} asked: {a.ndcg10:.4f}"),
                    None,
                )
            ),
        )
        for style, asked_of in found.items()
    ]
    values = ", ".join(f"{each.length}: {found['own'][n].ndcg10:.4f}"
        for n, each in enumerate(contests))  # fmt: skip
    return line_chart(
        f"nDCG@10 of recommendations after our list, by length, {values}", x, y, series
    )


def difference(asked: Asked, reach: float) -> Markup:
    """A list's difference to popularity in its interval, on a line from -reach to reach."""
    return interval(
        asked.low, asked.difference, asked.high, reach=reach,
        style="own" if asked.is_ours else "baseline",
        title=f"{asked.title}: {asked.beside_popularity}",
    )  # fmt: skip


def support_sizes(scenario: str, bins: Sequence[SupportBin], y: Axis) -> Markup:
    """The metric by the size of the support: adapted, before that, and the baseline."""
    x = Axis(low=-0.3, high=len(bins) - 0.7, ticks=tuple((n, b.sizes) for n, b in enumerate(bins)))
    metric = metrics.named(bins[0].metric).title
    values = ", ".join(f"{each.sizes}: {each.value:.4f}" for each in bins)
    names = {"own": "adapted", "before": "before adapting", "baseline": "baseline"}
    figures = {"own": "value", "before": "before", "baseline": "baseline"}
    series = [
        Series(
            style=style,
            points=tuple(
                Point(
                    x=n,
                    y=getattr(each, figures[style]),
                    says=f"{name}, {each.sizes} interactions, {each.n_tasks:,} tasks: "
                    f"{getattr(each, figures[style]):.4f}",
                )
                for n, each in enumerate(bins)
            ),
        )
        for style, name in names.items()
    ]
    return line_chart(
        f"{metric} by interactions in the support, {scenario}: {values}", x, y, series
    )


def support_axis(bins: Iterable[SupportBin]) -> Axis:
    """The same metric's axis for all scenarios."""
    return number_axis([v for each in bins for v in (each.value, each.before, each.baseline)])


def calibration(scenario: str, bins: Sequence[RatingBin], axis: Axis) -> Markup:
    """Expected ratings beside observed ones; on the diagonal they agree, dots count ratings."""
    most = max(each.n_ratings for each in bins)
    points = tuple(
        Point(
            x=each.predicted,
            y=each.observed,
            says=f"expected {each.predicted:.2f}, observed {each.observed:.2f}, "
            f"{each.n_ratings:,} ratings",
            radius=max(1.5, _LARGEST_DOT * (each.n_ratings / most) ** 0.5),
        )
        for each in bins
    )
    ends = tuple(Point(x=value, y=value, says="") for value in (axis.low, axis.high))
    total = sum(each.n_ratings for each in bins)
    return line_chart(
        f"Expected and observed ratings, {scenario}: {len(bins)} bins of {total:,} ratings",
        axis,
        axis,
        [Series(style="own", points=points), Series(style="ideal", points=ends, has_dots=False)],
    )


def calibration_axis(bins: Iterable[RatingBin]) -> Axis:
    """One axis for predicted and observed ratings, so that the diagonal is calibration."""
    return number_axis([value for each in bins for value in (each.predicted, each.observed)])
