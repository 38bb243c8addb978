"""The rules of the gate: what the metrics of a model must be, each in words with its values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.dataset.spec import Feedback
from schemas.tables.lake import SCENARIOS
from schemas.tables.products import CHAMPION, METRICS

DECISIVE_SCENARIO = "user_cold"
_ALSO_JUDGED = "both_cold"  # the other one of new users, where it has tasks enough
_ENOUGH_TASKS = 50  # the means of fewer differ by chance more than models do

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule as it came out, in words with the values compared.

    Where quality alone is at stake, a person may know better; not where figures make no sense.
    """

    met: bool
    text: str
    is_of_quality: bool = False


def rules(rows: list[Row], model: str, feedback: Feedback, tolerance: float) -> Iterator[Rule]:
    """Every rule of the `model`'s rows; the champion may be missed by the share `tolerance`."""
    yield _finite(rows)
    for scenario in SCENARIOS:
        of_scenario = _metrics(rows, model, scenario)
        missing = [name for name in METRICS[feedback] if name not in of_scenario]
        if not of_scenario:
            yield _without_tasks(scenario, model)
        elif missing:
            expected = ", ".join(METRICS[feedback])
            yield Rule(met=False, text=f"{scenario}: expected {expected}; missing {missing}")
        else:
            yield (_sane_ranks if feedback == "implicit" else _sane_errors)(scenario, of_scenario)
            champion = _metrics(rows, CHAMPION, scenario)
            yield from _quality(scenario, of_scenario, champion, feedback, tolerance)


def _metrics(rows: list[Row], model: str, scenario: str) -> dict[str, Row]:
    return {r["metric"]: r for r in rows if r["model"] == model and r["scenario"] == scenario}


def _quality(
    scenario: str,
    metrics: dict[str, Row],
    champion: dict[str, Row],
    feedback: Feedback,
    tolerance: float,
) -> Iterator[Rule]:
    """New users are whom all is made for."""
    is_decisive, name = scenario == DECISIVE_SCENARIO, "auc" if feedback == "implicit" else "mae"
    if is_decisive or (scenario == _ALSO_JUDGED and metrics[name]["n_tasks"] >= _ENOUGH_TASKS):
        yield _beats_baseline(scenario, metrics[name])
    if is_decisive:
        yield _adapts(metrics)
        if name in champion:
            yield _holds_champion(metrics[name], champion[name], tolerance)


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


def _beats_baseline(scenario: str, row: Row) -> Rule:
    value, baseline = row["value"], row["baseline"]
    if row["metric"] == "auc":
        shown, word, yardstick = "AUC", "more", "popularity"
        is_better = baseline is not None and value > baseline
    else:
        shown, word, yardstick = "MAE", "less", "the damped bias, rounded like it"
        is_better = baseline is not None and value < baseline
    if baseline is None:
        return Rule(met=False, text=f"{scenario}: the {shown} of {yardstick} is missing")
    return Rule(
        met=is_better,
        text=f"{scenario}: {shown} {value:.4f}, expected {word} than {baseline:.4f} ({yardstick})",
        is_of_quality=True,
    )


def _holds_champion(row: Row, champion: Row, tolerance: float) -> Rule:
    value, theirs = row["value"], champion["value"]
    if row["metric"] == "auc":
        limit, shown, bound = theirs * (1 - tolerance), "AUC", "least"
        is_held = value >= limit
    else:
        limit, shown, bound = theirs * (1 + tolerance), "MAE", "most"
        is_held = value <= limit
    return Rule(
        met=is_held,
        text=f"{DECISIVE_SCENARIO}: {shown} {value:.4f}, expected at {bound} {limit:.4f} "
        f"(the last published model, {champion['run_id']}, has {theirs:.4f}; {tolerance:.1%} off)",
        is_of_quality=True,
    )


def _adapts(metrics: dict[str, Row]) -> Rule:
    gain = metrics["adaptation_gain"]["value"]
    return Rule(
        met=gain > 0,
        text=f"{DECISIVE_SCENARIO}: adaptation gain {gain:.4f}, expected more than 0",
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
