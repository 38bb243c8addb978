"""The rules of the gate: what the metrics of a model must be, each in words with its values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.dataset_spec import Feedback
from schemas.products import METRICS
from schemas.tables import SCENARIOS

DECISIVE_SCENARIO = "user_cold"

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule as it came out, in words with the values compared."""

    met: bool
    text: str


def rules(rows: list[Row], model: str, feedback: Feedback, tolerance: float) -> Iterator[Rule]:
    """Every rule of the `model`'s rows; the baseline may be missed by the share `tolerance`."""
    yield _finite(rows)
    for scenario in SCENARIOS:
        of_scenario = {row["metric"]: row for row in rows if _is(row, model, scenario)}
        missing = [name for name in METRICS[feedback] if name not in of_scenario]
        if not of_scenario:
            yield _without_tasks(scenario, model)
        elif missing:
            expected = ", ".join(METRICS[feedback])
            yield Rule(met=False, text=f"{scenario}: expected {expected}; missing {missing}")
        else:
            is_implicit = feedback == "implicit"
            yield (_sane_ranks if is_implicit else _sane_errors)(scenario, of_scenario)
            if scenario == DECISIVE_SCENARIO:
                yield (_best_auc if is_implicit else _least_mae)(of_scenario, tolerance)
                yield _adapts(of_scenario)


def _is(row: Row, model: str, scenario: str) -> bool:
    return bool(row["model"] == model and row["scenario"] == scenario)


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


def _least_mae(metrics: dict[str, Row], tolerance: float) -> Rule:
    mae, baseline = metrics["mae"]["value"], metrics["mae"]["baseline"]
    if baseline is None:
        return Rule(met=False, text=f"{DECISIVE_SCENARIO}: the damped-bias MAE is missing")
    limit = baseline * (1 + tolerance)
    return Rule(
        met=mae <= limit,
        text=f"{DECISIVE_SCENARIO}: MAE {mae:.4f}, expected at most {limit:.4f} "
        f"(the damped bias, rounded like it, and {tolerance:.1%})",
    )


def _best_auc(metrics: dict[str, Row], tolerance: float) -> Rule:
    auc, baseline = metrics["auc"]["value"], metrics["auc"]["baseline"]
    if baseline is None:
        return Rule(met=False, text=f"{DECISIVE_SCENARIO}: popularity's AUC is missing")
    limit = baseline * (1 - tolerance)
    return Rule(
        met=auc >= limit,
        text=f"{DECISIVE_SCENARIO}: AUC {auc:.4f}, expected at least {limit:.4f} "
        f"(popularity's, less {tolerance:.1%})",
    )


def _adapts(metrics: dict[str, Row]) -> Rule:
    gain = metrics["adaptation_gain"]["value"]
    return Rule(
        met=gain > 0,
        text=f"{DECISIVE_SCENARIO}: adaptation gain {gain:.4f}, expected more than 0",
    )


def _without_tasks(scenario: str, model: str) -> Rule:
    if scenario != DECISIVE_SCENARIO:
        return Rule(met=True, text=f"{scenario}: no tasks that day, nothing to compare")
    return Rule(
        met=False,
        text=f"{scenario}: no tasks of {model} that day, expected some: choose a ds with new users "
        "in its held-out days, or a larger new_user_days in the dataset spec",
    )
