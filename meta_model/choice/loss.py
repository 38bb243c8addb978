"""The loss of choices: how unlikely a model held what was chosen, and what was chosen and liked.

It is the mean negative log likelihood of the items to be chosen in a softmax over the catalogue
(multinomial likelihood, Liang et al., WWW 2018): of all of them, and of those that were liked.

Shapes: B tasks, N positions of the query, Q = 2 questions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from meta_model.data.tasks import Tasks
from schemas.errors import UserError
from schemas.pipeline import META_TRAIN


def finite(loss: float, when: str) -> float:
    """The loss, where it is a finite number; else a `UserError` that says when it was not."""
    if not math.isfinite(loss):
        raise UserError(
            f"the loss of the model of choices became {loss} {when}; expected a number. Look at "
            "the ratings of the training tasks, or lower choice.size, and run the step "
            f"{META_TRAIN.name} again."
        )
    return loss


def loss_of(model: Callable[[Tasks], Tensor], tasks: Tasks, liked_from: float) -> Tensor:
    """The mean negative log likelihood of the query's items, over tasks and the two questions.

    To be liked are the items rated `liked_from` or more. An item that cannot be chosen, because
    training has not seen it or it was shown, does not count, nor does a task without any other.
    """
    query = tasks.query
    is_asked = torch.stack([query.mask, query.mask & (query.ratings >= liked_from)])  # [Q, B, N]
    places = tasks.items[query.rows].expand_as(is_asked)
    log_probabilities = model(tasks).gather(2, places)
    counts = is_asked & ~log_probabilities.isneginf()  # what is no number has to be seen
    of_items = -torch.where(counts, log_probabilities, 0)
    of_tasks = of_items.sum(2) / counts.sum(2).clamp(min=1)
    return (of_tasks.sum(1) / counts.any(2).sum(1).clamp(min=1)).mean()
