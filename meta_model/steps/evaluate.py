"""Evaluate: the night's model beside the champion and simple baselines."""

from __future__ import annotations

from meta_model.artefact import artefact
from meta_model.artefact.artefact import Loaded
from meta_model.evaluation.list_calibration import list_calibration
from meta_model.evaluation.list_quality import list_quality
from meta_model.evaluation.scenarios import evaluate
from meta_model.evaluation.stratified_metrics import StratifiedMetrics
from meta_model.steps import evaluation_tables, outputs
from meta_model.steps.night import Night
from schemas.errors import UserError
from schemas.run import decision, journal
from schemas.tables.metrics import ADAPTATION_GAIN, NDCG10, primary
from schemas.tables.products import (
    ANY_KNOWN,
    CHAMPION,
    LIST_QUALITY,
    LIST_SCENARIOS,
    MODEL_METRICS,
)


def run_evaluate(night: Night, record: journal.Step) -> None:
    """Measure the model of the night, the baselines, and the model published last, on one day."""
    record.rows_in = night.inputs.episodes.split("test").n_tasks
    name = night.loaded.config.model
    stratified = StratifiedMetrics(name, night.inputs)
    figures = evaluate(night.loaded.learner, name, night.inputs, night.device, stratified.add)
    champion = _champion(night, record)
    if champion is not None:
        of_champion = evaluate(champion.learner, CHAMPION, night.inputs, night.device)
        figures += [figure for figure in of_champion if figure.model == CHAMPION]
    run = None if champion is None else champion.provenance.run_id
    table = evaluation_tables.metrics_table(figures, night.loaded.provenance, run)
    record.rows_out = outputs.write(night.lake, MODEL_METRICS, night.ds, [table])
    evaluation_tables.write_stratified(night.lake, night.ds, stratified, night.loaded.provenance)
    _evaluate_lists(night, champion, record)
    _evaluate_calibration(night, record)
    # The summary of the night shows all of them.
    progress_metrics = (primary(night.inputs.feedback).name, ADAPTATION_GAIN.name)
    for figure in figures:
        if figure.model in (name, CHAMPION) and figure.metric in progress_metrics:
            record.progress(
                f"{figure.scenario:<9} {figure.model:<12} {figure.metric:<15} "
                f"{figure.value:8.4f}  {figure.n_tasks:,} tasks"
            )


def _evaluate_lists(night: Night, champion: Loaded | None, record: journal.Step) -> None:
    """Judge the lists as they would be published, beside the champion's and simpler methods'."""
    figures = list(
        list_quality(
            night.loaded.recommender,
            night.inputs,
            None if champion is None else champion.recommender,
            record.progress,
        )
    )
    run = None if champion is None else champion.provenance.run_id
    table = evaluation_tables.list_quality_table(figures, night.loaded.provenance, run)
    outputs.write(night.lake, LIST_QUALITY, night.ds, [table])
    for figure in figures:
        if (figure.known, figure.metric) == (ANY_KNOWN, NDCG10.name):
            value = f"{NDCG10.title} of lists {NDCG10.text(figure.value)}"
            record.progress(f"{figure.scenario:<9} {figure.model:<18} {value}")


def _evaluate_calibration(night: Night, record: journal.Step) -> None:
    """Report how far p_like and the intervals of scores are off; no error stops the step."""
    recommender = night.loaded.recommender
    found = (list_calibration(recommender, night.inputs, each) for each in LIST_SCENARIOS)
    for each in filter(None, found):
        record.facts[f"calibration of lists, {each.scenario}"] = {
            "p_like_ece": round(each.error, 4),
            "interval_coverage": None if each.coverage is None else round(each.coverage, 4),
            "n_users": each.n_users,
        }
        covered = "" if each.coverage is None else f", {each.coverage:.1%} of ratings in intervals"
        record.progress(f"{each.scenario:<9} p_like is off by {each.error:.4f}{covered}")


def _champion(night: Night, record: journal.Step) -> Loaded | None:
    """The model published last before `ds`, for today's inputs.

    None if the code or the dataset spec no longer fits it: the journal has the reason.
    """
    day = decision.champion_day(night.settings, night.ds)
    if day is None:
        record.progress("no ds before is published: there is no champion to compare with")
        return None
    try:
        loaded = artefact.load_champion(night.settings.published, day, night.inputs, night.device)
    except UserError as error:
        record.facts["champion"] = f"cannot be compared with: {error}"
        record.progress(f"the champion, published for {day}, {record.facts['champion']}")
        return None
    record.facts["champion"] = f"{loaded.provenance.run_id}, published for {day}"
    return loaded
