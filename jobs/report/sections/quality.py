"""Quality by scenario: the night's figures beside the baselines, and how they moved in 30 days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from jobs.report.night import Night, Part, Row
from jobs.report.sections.history import Figures, History
from schemas.dataset.spec import Feedback
from schemas.tables.lake import SCENARIOS
from schemas.tables.metrics import ADAPTATION_GAIN, AUC, MAE, NDCG5, NDCG10, Metric, shown
from schemas.tables.products import BASELINES, CHAMPION, MODEL_METRICS

_CHARTED = (MAE, NDCG5, AUC, NDCG10, ADAPTATION_GAIN)
# Measured beside the night's own model: `champion` is the one published last before.
_OTHERS = (CHAMPION, *BASELINES)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One model's row of today's table; `figures` in the order of the table's metrics."""

    model: str
    is_own: bool
    n_tasks: int
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Course:
    """A metric of a scenario, day by day; None where no night ran, or none had such tasks."""

    scenario: str
    metric: str
    own: Figures
    baseline: Figures


@dataclass(frozen=True, kw_only=True)
class Quality:
    """`days` ends with ds. `lines` are of ds, by scenario; `courses` by metric, for all scenarios.

    unreadable: days whose metrics other code wrote
    """

    model: str
    metrics: tuple[Metric, ...]
    lines: Mapping[str, tuple[Line, ...]]
    days: tuple[date, ...]
    courses: Mapping[str, tuple[Course, ...]]
    unreadable: tuple[date, ...]

    def baseline(self, scenario: str, metric: str) -> float | None:
        """The baseline's of a metric that is drawn, None without one."""
        found = (each for each in self.courses[metric] if each.scenario == scenario)
        return next(each.baseline[-1] for each in found)

    def own(self, scenario: str, metric: str) -> float | None:
        """The figure of the model that was trained that night, None without one."""
        return self._figure(self.model, scenario, metric)

    def champion(self, scenario: str, metric: str) -> float | None:
        """The figure of the model published last before, None without one."""
        return self._figure(CHAMPION, scenario, metric)

    def _figure(self, model: str, scenario: str, metric: str) -> float | None:
        found = [line for line in self.lines.get(scenario, ()) if line.model == model]
        names = [each.name for each in self.metrics]
        return found[0].figures[names.index(metric)] if found else None


def quality(night: Night) -> Part[Quality]:
    """Metrics of the learner, champion and baselines with their history; a note without tasks."""
    found = night.rows(MODEL_METRICS)
    if not found.content:
        return Part(note=found.note or "Nothing to show: there were no held-out tasks that day.")
    history = History.of(night, MODEL_METRICS)
    return found.then(lambda rows: _quality(rows, night.feedback, history))


def is_own(row: Row) -> bool:
    """Whether a row of the metrics is of the model that was trained that night."""
    return row["model"] not in _OTHERS


def _quality(rows: list[Row], feedback: Feedback, history: History) -> Quality:
    metrics = shown(feedback)
    return Quality(
        model=next(row["model"] for row in rows if is_own(row)),
        metrics=metrics,
        lines={
            scenario: lines
            for scenario in SCENARIOS
            if (lines := _lines([row for row in rows if row["scenario"] == scenario], metrics))
        },
        days=history.days,
        courses={
            metric.name: tuple(_course(each, metric.name, history) for each in SCENARIOS)
            for metric in metrics
            if metric in _CHARTED
        },
        unreadable=history.unreadable,
    )


def _course(scenario: str, metric: str, history: History) -> Course:
    own = history.only(scenario=scenario, metric=metric).where(is_own)
    return Course(
        scenario=scenario,
        metric=metric,
        own=own.figures("value"),
        baseline=own.figures("baseline"),
    )


def _lines(rows: list[Row], metrics: tuple[Metric, ...]) -> tuple[Line, ...]:
    """The night's own model first, then the others in their order."""
    models = dict.fromkeys(row["model"] for row in rows)
    ordered = sorted(models, key=lambda name: _OTHERS.index(name) if name in _OTHERS else -1)
    return tuple(
        Line(
            model=model,
            is_own=model not in _OTHERS,
            n_tasks=next(row["n_tasks"] for row in rows if row["model"] == model),
            figures=tuple(_value(rows, model, metric.name) for metric in metrics),
        )
        for model in ordered
    )


def _value(rows: list[Row], model: str, metric: str) -> float | None:
    found = (r["value"] for r in rows if r["model"] == model and r["metric"] == metric)
    return next(found, None)
