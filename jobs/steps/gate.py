"""The gate: which model a night publishes, by rules that are stated with values.

The night's own model, the challenger, has to beat what means and counts alone predict, and to hold
the champion, the model published last before, both measured on the tasks of today. Otherwise the
champion goes on: its figures come from the same tasks. A person may choose either one by hand.
Where figures make no sense there is nothing to choose by, and neither is published.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from jobs.gate.list_rules import list_rules
from jobs.gate.rules import Row, Rule, rules
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import (
    EVALUATE,
    GATE,
    META_TRAIN,
    PUBLISH,
    SCORE_COLD_USERS,
    SELECT_EVIDENCE,
)
from schemas.projections.arrow import read_partition
from schemas.run import decision, journal
from schemas.run.artefact import Provenance
from schemas.run.decision import Decision, Verdict
from schemas.run.settings import Settings
from schemas.tables.columns import Table
from schemas.tables.products import CHAMPION, LIST_QUALITY, MODEL_METRICS

Choice = Literal["compare", "challenger", "champion"]  # by the rules, or by hand


def run(
    settings: Settings,
    ds: date,
    record: journal.Step,
    model: str,
    *,
    choose: Choice = "compare",
    tolerance: float = 0.01,  # a hundred tasks cannot tell two MAEs (or AUCs) apart more finely
) -> None:
    """Decide on the model of ds and keep the decision; a `UserError` when none may be published."""
    rows, of_lists = (_rows(settings, table, ds) for table in (MODEL_METRICS, LIST_QUALITY))
    record.rows_in = len(rows) + len(of_lists)
    feedback = dataset_choice.of_lake(settings.lake).feedback
    outcome = [*rules(rows, model, feedback, tolerance), *list_rules(of_lists, model)]
    if measured := [*rows, *of_lists]:
        outcome.append(_of_one_run(measured))
        challenger, champion = _measured_models(measured)
    else:  # a day without any held-out task
        challenger, champion = _kept_models(settings, ds, model)
    for rule in outcome:
        record.progress(f"{'ok  ' if rule.met else 'FAIL'} {rule.text}")
    decided = _decide(outcome, challenger, champion, choose)
    decision.write(settings, ds, decided)
    record.facts["gate"] = decided.text
    record.progress(decided.text)
    if decided.run_id is None:
        raise UserError(
            f"the gate refuses {model} for ds {ds}, so nothing is published: "
            f"{'; '.join(decided.reasons)}. The warehouse keeps what it has. "
            f"{_advice(outcome, ds, model)}"
        )


def _rows(settings: Settings, table: Table, ds: date) -> list[Row]:
    partition = Lake(root=settings.lake).require(table.name, ds)
    return read_partition(table, partition).to_pylist()


def _measured_models(rows: list[Row]) -> tuple[str, str | None]:
    """The run ids of the challenger and of the champion, None if it was not measured."""
    challenger = ",".join(sorted(_run_ids(rows, of_champion=False)))
    return challenger, next(iter(_run_ids(rows, of_champion=True)), None)


def _kept_models(settings: Settings, ds: date, model: str) -> tuple[str, str | None]:
    """The same of a day without figures, from what training and publishing keep."""
    trained = Lake(root=settings.models).require(model, ds, made_by=META_TRAIN)
    challenger = str(Provenance.read(trained).run_id)
    day = decision.champion_day(settings, ds)
    if day is None:
        return challenger, None
    published = Lake(root=settings.published).require(decision.CHAMPIONS, day, made_by=PUBLISH)
    return challenger, str(Provenance.read(published).run_id)


def _advice(outcome: list[Rule], ds: date, model: str) -> str:
    if not _make_sense(outcome):
        return (
            "No choice publishes figures that make no sense. Train again or publish another MODEL. "
            f"If the figures are of several runs, {EVALUATE.command(ds, model)} is enough. "
            "Then run this step again."
        )
    return (
        "Look at the training curve and the data of that ds, train again, publish another MODEL, "
        f"or choose by hand: {GATE.command(ds, model)} --choose challenger; then run "
        f"{SELECT_EVIDENCE.name} and {SCORE_COLD_USERS.name}, and the steps after them."
    )


def _make_sense(outcome: list[Rule]) -> bool:
    """Whether there is something to choose between: rules of quality alone are broken, if any."""
    return all(rule.met or rule.is_of_quality for rule in outcome)


def _decide(outcome: list[Rule], challenger: str, champion: str | None, choose: Choice) -> Decision:
    broken = [rule for rule in outcome if not rule.met]
    reasons = [rule.text for rule in broken or outcome]
    verdict: Verdict = "neither"
    if _make_sense(outcome):
        if choose == "challenger" or (choose == "compare" and not broken):
            verdict = "challenger"
        elif champion is not None:
            verdict = "champion"
        else:
            reasons.append("and no model was published before that could go on")
    return Decision(
        challenger=challenger,
        verdict=verdict,
        run_id={"challenger": challenger, "champion": champion, "neither": None}[verdict],
        reasons=tuple(reasons),
        by_hand=choose == verdict and (verdict == "champion" or bool(broken)),
    )


def _of_one_run(rows: list[Row]) -> Rule:
    run_ids = sorted(_run_ids(rows, of_champion=False))
    return Rule(met=len(run_ids) == 1, text=f"the metrics are of one run: {', '.join(run_ids)}")


def _run_ids(rows: list[Row], *, of_champion: bool) -> set[str]:
    return {row["run_id"] for row in rows if (row["model"] == CHAMPION) == of_champion}
