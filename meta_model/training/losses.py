"""The losses of an epoch's steps, read from the device only now and then.

Reading a number from a GPU waits for all its queued work. A CPU has computed a loss when the step
returns, so that there each loss is read at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.device import works_ahead
from schemas.errors import UserError

_STEPS_UNREAD = 64  # of a device that works ahead


@dataclass(frozen=True, kw_only=True)
class _Step:
    number: int
    loss: Tensor
    n_tasks: int
    users: Sequence[Tensor]


class Losses:
    """The steps of one epoch: `total` is the sum of all tasks' losses that were read so far."""

    def __init__(self, epoch: int, device: torch.device) -> None:
        self.epoch = epoch
        self.total = 0.0
        self._unread: list[_Step] = []
        self._at_most = _STEPS_UNREAD if works_ahead(device) else 1

    def add(self, step: int, loss: Tensor, n_tasks: int, users: Sequence[Tensor]) -> None:
        """A step's mean loss over `n_tasks`, and the users of the tasks of this process."""
        self._unread.append(_Step(number=step, loss=loss, n_tasks=n_tasks, users=users))
        if len(self._unread) >= self._at_most:
            self.read()

    def read(self) -> None:
        """Wait for the steps so far.

        Raises `UserError` with the users' indices when a loss is not a finite number.
        """
        if not self._unread:
            return
        losses = torch.stack([step.loss for step in self._unread]).tolist()
        for step, loss in zip(self._unread, losses, strict=True):
            if not math.isfinite(loss):
                raise UserError(
                    f"the training loss became {loss} in epoch {self.epoch}, step {step.number}, "
                    f"with the tasks of the users (user_index) "
                    f"{[user for users in step.users for user in users.tolist()]}; lower "
                    "training.global_rate or local_update.rate, or look at their data."
                )
            self.total += loss * step.n_tasks
        self._unread.clear()


def check_validation(epoch: int, loss: float) -> None:
    """Raise `UserError` where the loss of validation tasks is not a finite number."""
    if not math.isfinite(loss):
        raise UserError(
            f"the validation loss became {loss} in epoch {epoch}, expected a finite number; lower "
            "training.global_rate or local_update.rate, or look at the validation users' data."
        )
