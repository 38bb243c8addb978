"""The gate: whether the model of a night may be published, by rules that are stated with values.

The decision is a file, `gates/ds=<ds>.json` in COLDSTART_HOME; publishing asks for it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas import journal
from schemas.arrow import read_partition
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.products import METRICS, MODEL_METRICS
from schemas.settings import Settings
from schemas.steps import MADE_BY
from schemas.tables import SCENARIOS

DECISIVE_SCENARIO = "user_cold"
DEFAULT_TOLERANCE = 0.01  # a hundred tasks cannot tell two MAEs apart more finely

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule as it came out, in words with the values compared."""

    met: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the gate said of one run: `reasons` are the broken rules, or else all that were met."""

    model: str
    run_id: str
    passed: bool
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{'passed' if self.passed else 'failed'}: {'; '.join(self.reasons)}"


def run(
    settings: Settings,
    ds: date,
    record: journal.Step,
    model: str,
    tolerance: float = DEFAULT_TOLERANCE,
) -> None:
    """Decide on the model of ds and keep the decision; a `UserError` when it failed."""
    partition = Lake(root=settings.lake).require(
        MODEL_METRICS.name, ds, made_by=MADE_BY[MODEL_METRICS.name]
    )
    rows = read_partition(MODEL_METRICS, partition).to_pylist()
    record.rows_in = len(rows)
    rules = list(_rules(rows, model, tolerance))
    for rule in rules:
        record.progress(f"{'ok  ' if rule.met else 'FAIL'} {rule.text}")
    decision = _decide(rules, model, rows)
    _write(_file(settings, ds), decision)
    record.facts["gate"] = decision.text
    if not decision.passed:
        raise UserError(
            f"the gate refuses {model} for ds {ds}, so nothing is published: "
            f"{'; '.join(decision.reasons)}. The warehouse keeps what it has. Look at the training "
            "curve and the data of that ds, train again, or publish another MODEL."
        )


def require_passed(settings: Settings, ds: date, model: str, run_id: str) -> Decision:
    """The decision that lets this very run be published; a `UserError` when there is none."""
    file = _file(settings, ds)
    advice = f"Run the step gate for ds {ds} and {model} first."
    try:
        values = json.loads(file.read_text())
    except FileNotFoundError:
        raise UserError(f"no gate has decided on ds {ds} ({file} is missing). {advice}") from None
    decision = Decision(**{**values, "reasons": tuple(values["reasons"])})
    if (decision.model, decision.run_id) != (model, run_id):
        raise UserError(
            f"the gate of ds {ds} decided on {decision.model}, run {decision.run_id}; "
            f"expected {model}, run {run_id}. {advice}"
        )
    if not decision.passed:
        raise UserError(
            f"the gate refused {model} for ds {ds}: {'; '.join(decision.reasons)}. "
            "Train again and pass the gate before publishing."
        )
    return decision


def _rules(rows: list[Row], model: str, tolerance: float) -> Iterator[Rule]:
    yield _finite(rows)
    for scenario in SCENARIOS:
        of_scenario = {row["metric"]: row for row in rows if _is(row, model, scenario)}
        if of_scenario:
            yield _sane(scenario, of_scenario)
            if scenario == DECISIVE_SCENARIO:
                yield from _decisive(of_scenario, tolerance)
        else:
            yield _without_tasks(scenario, model)


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


def _sane(scenario: str, metrics: dict[str, Row]) -> Rule:
    missing = [name for name in METRICS if name not in metrics]
    ndcg = metrics["ndcg5"]["value"] if "ndcg5" in metrics else 0.0
    errors = [metrics[name]["value"] for name in ("mae_of_expected", "rmse") if name in metrics]
    if missing:
        return Rule(met=False, text=f"{scenario}: expected {', '.join(METRICS)}; missing {missing}")
    met = 0 <= ndcg <= 1 and 0 <= errors[0] <= errors[1] + 1e-9
    return Rule(
        met=met,
        text=f"{scenario}: 0 <= MAE of expected <= RMSE, nDCG@5 in 0..1: MAE {errors[0]:.4f}, "
        f"RMSE {errors[1]:.4f}, nDCG@5 {ndcg:.4f} over {metrics['mae']['n_tasks']:,} tasks",
    )


def _decisive(metrics: dict[str, Row], tolerance: float) -> Iterator[Rule]:
    if "mae" not in metrics or "adaptation_gain" not in metrics:
        return  # said by _sane
    mae, baseline = metrics["mae"]["value"], metrics["mae"]["baseline"]
    gain = metrics["adaptation_gain"]["value"]
    if baseline is None:
        yield Rule(met=False, text=f"{DECISIVE_SCENARIO}: the damped-bias MAE is missing")
    else:
        limit = baseline * (1 + tolerance)
        yield Rule(
            met=mae <= limit,
            text=f"{DECISIVE_SCENARIO}: MAE {mae:.4f}, expected at most {limit:.4f} "
            f"(the damped bias, rounded like it, and {tolerance:.1%})",
        )
    yield Rule(
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


def _decide(rules: list[Rule], model: str, rows: list[Row]) -> Decision:
    broken = tuple(rule.text for rule in rules if not rule.met)
    run_ids = sorted({row["run_id"] for row in rows})
    if len(run_ids) != 1:
        broken += (f"the metrics come from the runs {run_ids}, expected one: evaluate again",)
    return Decision(
        model=model,
        run_id=",".join(run_ids),
        passed=not broken,
        reasons=broken or tuple(rule.text for rule in rules),
    )


def _file(settings: Settings, ds: date) -> Path:
    return settings.home / "gates" / f"ds={ds}.json"


def _write(file: Path, decision: Decision) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(decision), indent=2) + "\n")
    draft.replace(file)
