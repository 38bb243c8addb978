"""Meta-training: the global update over batches of tasks, until validation stops improving."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.evaluation import predictions
from meta_model.inputs import Inputs
from meta_model.learners import Learner, create
from meta_model.metrics import mae
from meta_model.tasks import Tasks, batches
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of the training curve; MAE is the mean over validation tasks."""

    epoch: int
    train_loss: float
    validation_mae: float
    validation_mae_before: float


@dataclass(frozen=True, kw_only=True)
class Trained:
    learner: Learner
    curve: list[Epoch]
    best_epoch: int


def meta_train(
    inputs: Inputs, config: Config, device: torch.device, on_epoch: Callable[[Epoch], None]
) -> Trained:
    """The learner of the epoch with the least validation MAE; of the last one without any."""
    torch.manual_seed(config.seed)
    learner = create(config, inputs.users, inputs.items, inputs.statistics()).to(device)
    optimizer = _optimizer(learner, config)
    shuffle = torch.Generator().manual_seed(config.seed)
    train, validation = inputs.split("train"), inputs.split("validation")
    curve: list[Epoch] = []
    best_epoch, best_weights = 0, learner.state_dict()
    for number in range(1, config.epochs + 1):
        total = 0.0
        for tasks in batches(train, config.batch_tasks, shuffle):
            total += global_update(learner, optimizer, tasks.to(device), config) * len(tasks)
        before, after = validation_mae(learner, validation, device)
        epoch = Epoch(
            epoch=number,
            train_loss=total / len(train),
            validation_mae=after,
            validation_mae_before=before,
        )
        curve.append(epoch)
        on_epoch(epoch)
        if best_epoch == 0 or not after >= curve[best_epoch - 1].validation_mae:
            best_epoch, best_weights = number, copy.deepcopy(learner.state_dict())
        if number - best_epoch >= config.patience_epochs:
            break
    learner.load_state_dict(best_weights)
    return Trained(learner=learner, curve=curve, best_epoch=best_epoch)


def global_update(
    learner: Learner, optimizer: torch.optim.Optimizer, tasks: Tasks, config: Config
) -> float:
    """One step of the global parameters on the query loss after the local update; the loss."""
    learner.train()
    loss = query_loss(learner, tasks, config)
    if not torch.isfinite(loss):
        raise UserError(
            f"the training loss became {loss.item()} on the tasks of the users "
            f"{tasks.users.tolist()}; lower global_rate or local_rate, or look at their data."
        )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(learner.parameters(), config.clip_norm)
    optimizer.step()
    return loss.item()


def query_loss(learner: Learner, tasks: Tasks, config: Config) -> Tensor:
    """The mean over tasks of the mean error on the query after the local update."""
    biases = learner.statistics.biases(tasks)
    predicted = learner.predict(learner.adapt(tasks, biases), tasks.query_items, biases.query)
    error = predicted - tasks.query_ratings
    losses = error.abs() if config.global_loss == "absolute" else error.square()
    return ((losses * tasks.query_mask).sum(1) / tasks.query_mask.sum(1)).mean()


@torch.no_grad()
def validation_mae(
    learner: Learner, validation: pa.Table, device: torch.device
) -> tuple[float, float]:
    """MAE over validation tasks before and after the local update; nan without any."""
    learner.eval()
    before, after = [], []
    for tasks, unadapted, adapted in predictions(learner, validation, device):
        before.append(mae(unadapted, tasks.query_ratings, tasks.query_mask))
        after.append(mae(adapted, tasks.query_ratings, tasks.query_mask))
    if not after:
        return float("nan"), float("nan")
    return torch.cat(before).mean().item(), torch.cat(after).mean().item()


def _optimizer(learner: Learner, config: Config) -> torch.optim.Optimizer:
    """AdamW; local rates and biases are not decayed towards zero."""
    named = [(name, p) for name, p in learner.named_parameters() if p.requires_grad]
    decayed = [p for name, p in named if p.dim() > 1 and "log_rates" not in name]
    kept = [p for name, p in named if p.dim() <= 1 or "log_rates" in name]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.global_rate)
