"""The steps of the command line: each reads the lake at `ds`, works, and replaces one partition."""

from __future__ import annotations

from datetime import date

import torch

from meta_model import artefact, outputs
from meta_model.config import Config
from meta_model.evaluation import evaluate
from meta_model.evidence import select_evidence
from meta_model.inputs import Inputs, load
from meta_model.scoring import score_cold_users
from meta_model.training import Epoch, meta_train
from schemas import journal
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.products import COLD_USER_SCORES, EVIDENCE_ITEMS, MODEL_METRICS
from schemas.settings import Settings


def run_train(
    settings: Settings, ds: date, record: journal.Step, device: torch.device, config: Config
) -> None:
    inputs = _inputs(settings, ds)
    if not len(inputs.split("train")):
        raise UserError(f"ds {ds} has no training tasks; choose a ds with more history before it.")
    record.rows_in = len(inputs.split("train"))

    def on_epoch(epoch: Epoch) -> None:
        record.progress(
            f"epoch {epoch.epoch:>2}/{config.epochs}  loss {epoch.train_loss:.4f}  validation MAE "
            f"{epoch.validation_mae:.4f} (before adaptation {epoch.validation_mae_before:.4f})"
        )

    trained = meta_train(inputs, config, device, on_epoch)
    provenance = artefact.save(settings.models, ds, config, inputs, trained)
    record.rows_out = provenance.train_tasks
    record.facts |= {"device": str(device), "best_epoch": trained.best_epoch}
    record.progress(f"kept epoch {trained.best_epoch} as version {provenance.model_version}")


def run_evaluate(
    settings: Settings, ds: date, record: journal.Step, device: torch.device, model: str
) -> None:
    inputs = _inputs(settings, ds)
    learner, _, provenance = artefact.load(settings.models, ds, model, inputs, device)
    record.rows_in = len(inputs.split("test"))
    figures = evaluate(learner, model, inputs, device)
    table = outputs.metrics_table(figures, provenance)
    record.rows_out = outputs.write(_lake(settings), MODEL_METRICS, ds, [table])
    for figure in figures:
        if figure.model == model and figure.metric in ("mae", "adaptation_gain"):
            record.progress(
                f"{figure.scenario:<9} {figure.metric:<15} {figure.value:8.4f}  "
                f"{figure.n_tasks:,} tasks"
            )


def run_evidence(
    settings: Settings, ds: date, record: journal.Step, device: torch.device, model: str
) -> None:
    inputs = _inputs(settings, ds)
    learner, config, provenance = artefact.load(settings.models, ds, model, inputs, device)
    record.rows_in = len(inputs.split("train", "validation"))
    chosen = select_evidence(learner, inputs, config.evidence_items, device)
    table = outputs.evidence_table(chosen, inputs, provenance)
    record.rows_out = outputs.write(_lake(settings), EVIDENCE_ITEMS, ds, [table])


def run_score(
    settings: Settings, ds: date, record: journal.Step, device: torch.device, model: str
) -> None:
    inputs = _inputs(settings, ds)
    learner, config, provenance = artefact.load(settings.models, ds, model, inputs, device)
    record.rows_in = len(inputs.split("serve"))
    parts = (
        outputs.scores_table(scores, inputs, provenance)
        for scores in score_cold_users(learner, inputs, config, device)
    )
    record.rows_out = outputs.write(_lake(settings), COLD_USER_SCORES, ds, parts)


def _lake(settings: Settings) -> Lake:
    return Lake(root=settings.lake)


def _inputs(settings: Settings, ds: date) -> Inputs:
    return load(_lake(settings), ds)
