"""The models of choices of a night: trained as the config says, or in each way in question."""

from __future__ import annotations

from collections.abc import Callable

import torch

from meta_model.choice.loss import finite, loss_of
from meta_model.choice.model import ChoiceModel
from meta_model.choice.training import REGULARISATIONS, Training, train
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs

_BATCH_TASKS = 256
_CELLS = 256 * 50_000  # tasks times items: of a larger catalogue fewer tasks are held at once
_SHOWN = (0, 1, 3, 10, 30)  # interactions of a validation user, or all of a shorter support


def trained_choices(
    inputs: Inputs, config: Config, device: torch.device, tell: Callable[[str], None]
) -> dict[str, ChoiceModel]:
    """By the regularisation that a model was trained with, in ascending order of loss.

    The loss is that of what validation users do next, mean over numbers of interactions shown.
    Without validation users only the first regularisation is trained with.
    """
    named = config.choice.regularisation
    names = [*REGULARISATIONS] if named == "validated" else [named]
    if not inputs.episodes.split("validation").n_tasks:
        names = names[:1]
    models, losses = {}, dict.fromkeys(names, 0.0)
    for name in names:
        training = Training.of(config, name)

        def on_epoch(epoch: int, loss: float, name: str = name) -> None:
            tell(f"choice, {name}, epoch {epoch:>2}/{config.choice.epochs}  loss {loss:.4f}")

        models[name] = train(inputs, training, on_epoch, device)
        if len(names) > 1:
            loss = validation_loss(models[name], inputs, config.training.query_size, device)
            losses[name] = finite(loss, f"on validation users, after {name} regularisation")
            tell(f"choice, {name}: validation loss {losses[name]:.4f}")
    return {name: models[name] for name in sorted(names, key=losses.__getitem__)}


@torch.no_grad()
def validation_loss(model: ChoiceModel, inputs: Inputs, n_next: int, device: torch.device) -> float:
    """Of the `n_next` interactions after those shown; mean over users and numbers shown."""
    total, n = 0.0, 0
    at_once = max(1, min(_BATCH_TASKS, _CELLS // len(inputs.item_profiles)))
    for tasks in batches(inputs.episodes.split("validation"), at_once, on=device):
        for known in _SHOWN:
            shown = tasks.followed(known, n_next, inputs.feedback).chosen(inputs.feedback)
            total += loss_of(model, shown, inputs.liked_from).item() * len(tasks)
            n += len(tasks)
    return total / n
