"""Meta-training: global updates, epoch after epoch; the best epoch by validation is kept."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from meta_model.config import Config, TrainingConfig
from meta_model.data.inputs import Inputs
from meta_model.data.resampling import Resampling, Resplit, Swap
from meta_model.data.resident import TrainingRows
from meta_model.data.tasks import Tasks
from meta_model.evaluation.metrics import mae
from meta_model.evaluation.scenarios import predict_batches
from meta_model.learners import Learner, create
from meta_model.training.checkpoint import Checkpoints, Run
from meta_model.training.global_update import Progress, global_update, optimizer_of
from meta_model.training.losses import Losses, check_validation
from meta_model.training.processes import ALONE, Processes
from schemas.errors import UserError
from schemas.run.artefact import Epoch


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The learner with the weights of its best epoch, which counts from 1, and the curve of all."""

    learner: Learner
    curve: list[Epoch]
    best_epoch: int


@dataclass(frozen=True, kw_only=True)
class TrainingCallbacks:
    """Functions that training calls.

    on_step: after each step, with the epoch and its number of tasks so far
    on_epoch: after each epoch, with its losses and the tasks trained a second
    """

    on_step: Callable[[int, int], None] = lambda _epoch, _n_tasks: None
    on_epoch: Callable[[Epoch, float], None] = lambda _epoch, _tasks_per_second: None


_NO_CALLBACKS = TrainingCallbacks()


def meta_train(
    inputs: Inputs,
    config: Config,
    device: torch.device,
    callbacks: TrainingCallbacks = _NO_CALLBACKS,
    checkpoints: Checkpoints | None = None,
    processes: Processes = ALONE,
) -> Trained:
    """Train; the learner of the epoch with the least validation loss, or without one of the last.

    Training ends earlier with a smaller `training.patience_epochs`. Raises `UserError` where
    shards, processes and batch size do not fit, or a loss is not finite.
    """
    _check_shards(config.training, processes)
    torch.manual_seed(config.seed)
    learner = create(config, inputs).to(device)
    optimizer = optimizer_of(learner, config, device)
    run = checkpoints.restore(learner, optimizer) if checkpoints else Run()
    train = inputs.episodes.split("train")
    is_validated = inputs.episodes.split("validation").n_tasks > 0
    shards = {
        shard: TrainingRows(train.of_shard(shard, config.training.shards), device)
        for shard in processes.shards(config.training.shards)
    }
    epochs = _Epochs(learner, optimizer, inputs, shards, config, device, callbacks, processes)
    while not _is_over(run, config.training):
        started = time.monotonic()
        epoch = epochs.run(len(run.curve) + 1, train.n_tasks)
        if is_validated:
            check_validation(epoch.epoch, epoch.validation_loss)
        run.curve.append(epoch)
        # Finer than the MAE of medians. It is NaN without validation tasks: the last epoch is best.
        if not epoch.validation_loss >= run.best_loss:
            run.best_epoch, run.best_weights = epoch.epoch, copy.deepcopy(learner.state_dict())
        callbacks.on_epoch(epoch, train.n_tasks / (time.monotonic() - started))
        if checkpoints and processes.is_first:
            checkpoints.save(run, learner, optimizer)
    learner.load_state_dict(run.best_weights)
    return Trained(learner=learner, curve=run.curve, best_epoch=run.best_epoch)


@dataclass(frozen=True)
class _Epochs:
    """Runs epochs: global updates on all training tasks, then validation."""

    learner: Learner
    optimizer: torch.optim.Optimizer
    inputs: Inputs
    shards: Mapping[int, TrainingRows]  # those of this process, by their numbers
    config: Config
    device: torch.device
    callbacks: TrainingCallbacks
    processes: Processes

    def run(self, number: int, n_tasks: int) -> Epoch:
        """One epoch of global updates, and the loss on the validation tasks after it."""
        losses, seen = Losses(number, self.device), 0
        padding = torch.zeros(2, dtype=torch.int64, device=self.device)
        for step, parts in enumerate(self._parts(number)):
            share = (number - 1 + min(1.0, seen / n_tasks)) / self.config.training.epochs
            for _, tasks in parts:
                padding += tasks.padding
            loss, n = global_update(
                self.learner,
                self.optimizer,
                parts,
                self.config,
                Progress(epoch=number, step=step, share=share),
                self.processes,
            )
            if n == 0:  # no process has any tasks left
                break
            seen += n
            losses.add(step, loss, n, [tasks.users for _, tasks in parts])
            self.callbacks.on_step(number, seen)
        losses.read()
        self.processes.sum([padding])
        n_empty, n_places = padding.tolist()
        return Epoch(
            epoch=number,
            train_loss=losses.total / seen,
            padding_share=n_empty / n_places,
            **validate(self.learner, self.inputs, self.device, self.processes),
        )

    def _parts(self, epoch: int) -> Iterator[list[tuple[int, Tasks]]]:
        """This process's parts of each batch, with their shards' numbers; empty ones at the end."""
        streams = {
            shard: rows.batches(
                self.config.training.batch_tasks // self.config.training.shards,
                np.random.default_rng((self.config.seed, epoch)),
                _resampling(self.config.training, self.inputs),
            )
            for shard, rows in self.shards.items()
        }
        while True:
            parts = ((shard, next(stream, None)) for shard, stream in streams.items())
            yield [(shard, tasks) for shard, tasks in parts if tasks is not None]


@torch.no_grad()
def validate(
    learner: Learner, inputs: Inputs, device: torch.device, processes: Processes = ALONE
) -> dict[str, float]:
    """Loss and MAE over the validation tasks, and the MAE before the local update."""
    learner.eval()
    shard = inputs.episodes.split("validation").of_shard(processes.rank, processes.count)
    sums = torch.zeros(4, dtype=torch.float64, device=device)
    for outcome in predict_batches(learner, shard, device):
        query = outcome.tasks.query
        maes = (
            mae(median, query.ratings, query.mask)
            for median in (outcome.median, outcome.unadapted_median)
        )
        of_tasks = (outcome.losses, *maes, torch.ones_like(outcome.losses))
        sums += torch.stack([values.double().sum() for values in of_tasks])
    processes.sum([sums])
    *totals, n_tasks = sums.tolist()
    means = [total / n_tasks if n_tasks else float("nan") for total in totals]
    names = ("validation_loss", "validation_mae", "validation_mae_before")
    return dict(zip(names, means, strict=True))


def _resampling(training: TrainingConfig, inputs: Inputs) -> Resampling | None:
    if not training.resample:
        return None
    if inputs.is_implicit:
        return Swap()
    return Resplit(
        query_size=training.query_size,
        min_support=training.min_support,
        short_share=training.short_support,
        empty_share=training.empty_support,
    )


def _is_over(run: Run, training: TrainingConfig) -> bool:
    epochs = len(run.curve)
    return epochs == training.epochs or epochs - run.best_epoch >= training.patience_epochs


def _check_shards(training: TrainingConfig, processes: Processes) -> None:
    if training.batch_tasks % training.shards or training.shards % processes.count:
        raise UserError(
            f"{training.batch_tasks} tasks a batch, {training.shards} shards and {processes.count} "
            "processes do not fit: expected shards to divide batch_tasks, and processes to divide "
            "shards."
        )
