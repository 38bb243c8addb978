"""The steps after training: each works with the night's model and replaces one partition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import torch

from meta_model import artefact, outputs
from meta_model.artefact import Provenance
from meta_model.config import Config
from meta_model.data.inputs import Inputs, load
from meta_model.evaluation import evaluate
from meta_model.evidence import select_evidence
from meta_model.learners import Learner
from meta_model.scoring import score_cold_users
from schemas import journal
from schemas.lake import Lake
from schemas.products import COLD_USER_SCORES, EVIDENCE_ITEMS, MODEL_METRICS
from schemas.settings import Settings

_SHOWN = ("mae", "auc", "adaptation_gain")  # while evaluating; the summary shows all


@dataclass(frozen=True, kw_only=True)
class Night:
    """What the steps after training share: the inputs of `ds` and the model trained on them."""

    ds: date
    lake: Lake
    device: torch.device
    inputs: Inputs
    learner: Learner
    config: Config
    provenance: Provenance


def open_night(settings: Settings, ds: date, device: torch.device, model: str) -> Night:
    lake = Lake(root=settings.lake)
    inputs = load(lake, ds)
    learner, config, provenance = artefact.load(settings.models, ds, model, inputs, device)
    return Night(
        ds=ds,
        lake=lake,
        device=device,
        inputs=inputs,
        learner=learner,
        config=config,
        provenance=provenance,
    )


def run_evaluate(night: Night, record: journal.Step) -> None:
    record.rows_in = night.inputs.episodes.split("test").n_tasks
    figures = evaluate(night.learner, night.config.model, night.inputs, night.device)
    table = outputs.metrics_table(figures, night.provenance)
    record.rows_out = outputs.write(night.lake, MODEL_METRICS, night.ds, [table])
    for figure in figures:
        if figure.model == night.config.model and figure.metric in _SHOWN:
            record.progress(
                f"{figure.scenario:<9} {figure.metric:<15} {figure.value:8.4f}  "
                f"{figure.n_tasks:,} tasks"
            )


def run_evidence(night: Night, record: journal.Step) -> None:
    record.rows_in = night.inputs.episodes.split("train", "validation").n_tasks
    length = night.config.evidence_items
    chosen = select_evidence(night.learner, night.inputs, length, night.device)
    table = outputs.evidence_table(chosen, night.inputs, night.provenance)
    record.rows_out = outputs.write(night.lake, EVIDENCE_ITEMS, night.ds, [table])


def run_score(night: Night, record: journal.Step) -> None:
    record.rows_in = night.inputs.episodes.split("serve").n_tasks
    parts = (
        outputs.scores_table(scores, night.inputs, night.provenance)
        for scores in score_cold_users(night.learner, night.inputs, night.config, night.device)
    )
    record.rows_out = outputs.write(night.lake, COLD_USER_SCORES, night.ds, parts)
