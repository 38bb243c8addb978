"""The gate: whether the model of a night may be published, by rules that are stated with values.

The decision is a file, `gates/ds=<ds>.json` in COLDSTART_HOME; publishing asks for it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from jobs.gate_rules import Row, Rule, rules
from schemas import dataset_choice, journal
from schemas.arrow import read_partition
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.products import MODEL_METRICS
from schemas.settings import Settings
from schemas.steps import MADE_BY

DEFAULT_TOLERANCE = 0.01  # a hundred tasks cannot tell two MAEs (or AUCs) apart more finely


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
    feedback = dataset_choice.of_lake(settings.lake).feedback
    outcome = list(rules(rows, model, feedback, tolerance))
    for rule in outcome:
        record.progress(f"{'ok  ' if rule.met else 'FAIL'} {rule.text}")
    decision = _decide(outcome, model, rows)
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


def _decide(outcome: list[Rule], model: str, rows: list[Row]) -> Decision:
    broken = tuple(rule.text for rule in outcome if not rule.met)
    run_ids = sorted({row["run_id"] for row in rows})
    if len(run_ids) != 1:
        broken += (f"the metrics come from the runs {run_ids}, expected one: evaluate again",)
    return Decision(
        model=model,
        run_id=",".join(run_ids),
        passed=not broken,
        reasons=broken or tuple(rule.text for rule in outcome),
    )


def _file(settings: Settings, ds: date) -> Path:
    return settings.home / "gates" / f"ds={ds}.json"


def _write(file: Path, decision: Decision) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(decision), indent=2) + "\n")
    draft.replace(file)
