"""The rules of the gate: what the metrics of a model must be, each in words with its values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.dataset.spec import Feedback
from schemas.tables.lake import SCENARIOS
from schemas.tables.metrics import ADAPTATION_GAIN, Metric, of_tasks, primary
from schemas.tables.products import CHAMPION

DECISIVE_SCENARIO = "user_cold"
_ALSO_JUDGED = "both_cold"  # also of new users; it can only veto, and only with enough tasks
_ENOUGH_TASKS = 50  # the means of fewer differ by chance more than models do

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The outcome of one rule, in words with the values compared.

    is_of_quality: whether a person may overrule it; not where figures make no sense
    """

    met: bool
    text: str
    is_of_quality: bool = False


def rules(rows: list[Row], model: str, feedback: Feedback, tolerance: float) -> Iterator[Rule]:
    """Every rule of the `model`'s rows; the champion may be missed by the share `tolerance`.

    A champion with a figure that is no number is not compared with.
    """
    yield _finite([row for row in rows if row["model"] != CHAMPION])
    expected = [metric.name for metric in of_tasks(feedback)]
    for scenario in SCENARIOS:
        of_scenario = _metrics(rows, model, scenario)
        missing = [name for name in expected if name not in of_scenario]
        if not of_scenario:
            yield _without_tasks(scenario, model)
        elif missing:
            text = f"{scenario}: expected {', '.join(expected)}; missing {missing}"
            yield Rule(met=False, text=text)
        else:
            yield _SANE[feedback](scenario, of_scenario)
            champion = _metrics(rows, CHAMPION, scenario)
            yield from _quality(scenario, of_scenario, champion, primary(feedback), tolerance)


def _metrics(rows: list[Row], model: str, scenario: str) -> dict[str, Row]:
    return {r["metric"]: r for r in rows if r["model"] == model and r["scenario"] == scenario}


def _quality(
    scenario: str,
    metrics: dict[str, Row],
    champion: dict[str, Row],
    primary: Metric,
    tolerance: float,
) -> Iterator[Rule]:
    """Cold users decide; cold users with cold items only veto, and only with enough tasks."""
    is_decisive, row = scenario == DECISIVE_SCENARIO, metrics[primary.name]
    if is_decisive or (scenario == _ALSO_JUDGED and row["n_tasks"] >= _ENOUGH_TASKS):
        yield _beats_baseline(scenario, primary, row)
    if is_decisive:
        yield _adapts(metrics)
        if primary.name in champion and math.isfinite(champion[primary.name]["value"]):
            yield _holds_champion(primary, row, champion[primary.name], tolerance)


def _finite(rows: list[Row]) -> Rule:
    values = [(row, number) for row in rows for number in (row["value"], row["baseline"])]
    wrong = [
        f"{row['model']} {row['scenario']} {row['metric']} is {number}"
        for row, number in values
        if number is not None and not math.isfinite(number)
    ]
    found = f"found {', '.join(wrong)}" if wrong else f"all {len(rows)} are"
    return Rule(met=not wrong, text=f"every metric is a finite number: {found}")


def _sane_errors(scenario: str, metrics: dict[str, Row]) -> Rule:
    mae, rmse, ndcg = (metrics[name]["value"] for name in ("mae_of_expected", "rmse", "ndcg5"))
    return Rule(
        met=0 <= ndcg <= 1 and 0 <= mae <= rmse + 1e-9,
        text=f"{scenario}: 0 <= MAE of expected <= RMSE, nDCG@5 in 0..1: MAE {mae:.4f}, "
        f"RMSE {rmse:.4f}, nDCG@5 {ndcg:.4f} over {metrics['mae']['n_tasks']:,} tasks",
    )


def _sane_ranks(scenario: str, metrics: dict[str, Row]) -> Rule:
    auc, hits, ndcg = (metrics[name]["value"] for name in ("auc", "hr10", "ndcg10"))
    return Rule(
        met=all(0 <= value <= 1 for value in (auc, hits, ndcg)),
        text=f"{scenario}: AUC, HR@10 and nDCG@10 in 0..1: AUC {auc:.4f}, HR@10 {hits:.4f}, "
        f"nDCG@10 {ndcg:.4f} over {metrics['auc']['n_tasks']:,} tasks",
    )


_SANE = {"explicit": _sane_errors, "implicit": _sane_ranks}


def _beats_baseline(scenario: str, metric: Metric, row: Row) -> Rule:
    value, baseline, yardstick = row["value"], row["baseline"], metric.baseline_title
    if baseline is None:
        text = f"{scenario}: the {metric.title} of the baseline ({yardstick}) is missing"
        return Rule(met=False, text=text)
    word = "more" if metric.higher_is_better else "less"
    return Rule(
        met=metric.is_better(value, baseline),
        text=f"{scenario}: {metric.title} {metric.text(value)}, expected {word} than "
        f"{metric.text(baseline)} ({yardstick})",
        is_of_quality=True,
    )


def _holds_champion(metric: Metric, row: Row, champion: Row, tolerance: float) -> Rule:
    value, theirs = row["value"], champion["value"]
    limit = theirs * (1 - metric.sign * tolerance)
    bound = "least" if metric.higher_is_better else "most"
    return Rule(
        met=value == limit or metric.is_better(value, limit),
        text=f"{DECISIVE_SCENARIO}: {metric.title} {metric.text(value)}, expected at {bound} "
        f"{metric.text(limit)} (the last published model, {champion['run_id']}, has "
        f"{metric.text(theirs)}; {tolerance:.1%} off)",
        is_of_quality=True,
    )


def _adapts(metrics: dict[str, Row]) -> Rule:
    metric = ADAPTATION_GAIN
    gain = metrics[metric.name]["value"]
    return Rule(
        met=gain > 0,
        text=f"{DECISIVE_SCENARIO}: {metric.title} {metric.text(gain)}, expected more than 0",
        is_of_quality=True,
    )


def _without_tasks(scenario: str, model: str) -> Rule:
    if scenario != DECISIVE_SCENARIO:
        return Rule(met=True, text=f"{scenario}: no tasks that day, nothing to compare")
    return Rule(
        met=False,
        text=f"{scenario}: no tasks of {model} that day, expected some: choose a ds with new users "
        "in its held-out days, or a larger new_user_days in the dataset spec",
        is_of_quality=True,
    )
