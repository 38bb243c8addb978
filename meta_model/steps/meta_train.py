"""The step `meta_train`: alone or as one of several processes, resumed after a kill."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import torch
from tqdm import tqdm

from meta_model.artefact import artefact
from meta_model.choice.selection import trained_choices
from meta_model.config import Config
from meta_model.data.inputs import Inputs, load
from meta_model.evaluation.preference import preferred
from meta_model.learners import Learner
from meta_model.ranking.calibrating import calibrated
from meta_model.ranking.recommender import Recommender
from meta_model.training.checkpoint import Checkpoints
from meta_model.training.meta_train import TrainingCallbacks, meta_train
from meta_model.training.processes import Processes
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.artefact import Epoch
from schemas.run.settings import Settings

_LINE_EVERY_SECONDS = 60


def run_train(
    settings: Settings,
    ds: date,
    record: journal.Step,
    device: torch.device,
    config: Config,
    processes: Processes,
) -> None:
    """Train and save the model of `ds`; a run that was killed goes on after its last epoch."""
    inputs = load(Lake(root=settings.lake), ds)
    n_tasks = inputs.episodes.split("train").n_tasks
    if not n_tasks:
        raise UserError(f"ds {ds} has no training tasks; choose a ds with more history before it.")
    record.rows_in = n_tasks
    folder = settings.models / ".training" / config.model / f"ds={ds}"
    checkpoints = Checkpoints(folder=folder, identity=_identity(inputs, config, device))
    with _callbacks(record, config, n_tasks, processes) as callbacks:
        trained = meta_train(inputs, config, device, callbacks, checkpoints, processes)
        if not processes.is_first:
            return
        recommender = with_choice(trained.learner, config, inputs, device, record.progress)
        recommender = calibrated(recommender, inputs)
        provenance = artefact.save(settings.models, ds, inputs, trained, recommender)
        checkpoints.remove()
    record.rows_out = provenance.train_tasks
    record.facts |= {"device": str(device), "best_epoch": trained.best_epoch}
    record.progress(f"kept epoch {trained.best_epoch} as version {provenance.model_version}")


def with_choice(
    learner: Learner,
    config: Config,
    inputs: Inputs,
    device: torch.device,
    tell: Callable[[str], None],
) -> Recommender:
    """The learner of ratings beside a model of choices that is trained here; not calibrated.

    Its config has the regularisation and the neighbours' weight that were chosen.
    """
    models = trained_choices(inputs, config, device, tell)
    least_loss, *_ = models.values()
    of_all = Recommender.of(learner, least_loss, config, inputs, device)  # one set of neighbours
    candidates = [
        replace(of_all, choice=model, config=config.having({"choice.regularisation": name}))
        for name, model in models.items()
    ]
    found = preferred(candidates, inputs)
    kept = found.config.choice
    if kept != candidates[0].config.choice:
        tell(
            f"{kept.regularisation} regularisation, and neighbours of weight "
            f"{kept.neighbour_weight:g}: validation users' lists say so"
        )
    half_life = found.choice.log_half_life.exp().item()
    tell(
        f"an interaction counts half as much after {half_life:.1f} later ones, and on a later day "
        f"{found.choice.logit_earlier.sigmoid().item():.2f} times as much"
    )
    return found


@contextmanager
def _callbacks(
    record: journal.Step, config: Config, n_tasks: int, processes: Processes
) -> Iterator[TrainingCallbacks]:
    """A bar over the tasks of an epoch on a terminal, elsewhere a line a minute and an epoch."""
    epochs = config.training.epochs
    is_silent = True if not processes.is_first else None  # None: silent where there is no terminal
    reported = time.monotonic()
    with tqdm(total=n_tasks, unit="task", disable=is_silent, leave=False) as bar:

        def on_step(epoch: int, seen: int) -> None:
            nonlocal reported
            if bar.disable and time.monotonic() - reported > _LINE_EVERY_SECONDS:
                reported = time.monotonic()
                record.progress(f"epoch {epoch}/{epochs}: {seen:,} of {n_tasks:,} tasks")
            if seen < bar.n:
                bar.reset()
            bar.set_description(f"epoch {epoch}/{epochs}", refresh=False)
            bar.update(seen - bar.n)

        def on_epoch(epoch: Epoch, tasks_per_second: float) -> None:
            bar.clear()
            record.progress(
                f"epoch {epoch.epoch:>2}/{epochs}  loss {epoch.train_loss:.4f}  validation "
                f"MAE {epoch.validation_mae:.4f} (before adaptation "
                f"{epoch.validation_mae_before:.4f})  {tasks_per_second:,.0f} tasks/s  "
                f"padding {epoch.padding_share:.1%}"
            )

        yield TrainingCallbacks(on_step=on_step, on_epoch=on_epoch)


def _identity(inputs: Inputs, config: Config, device: torch.device) -> str:
    """What must be the same for an interrupted run to go on to the weights it would have had.

    Choices are trained after the learner, and products are made of both: neither is part of it.
    """
    of_learner = config.to_json(without=("choice", "products"))
    precision = torch.get_float32_matmul_precision()
    facts = (*inputs.versions, of_learner, device.type, precision, torch.__version__)
    return hashlib.sha256("\n".join((*facts, str(torch.get_num_threads()))).encode()).hexdigest()
