"""What every learner offers: adapt on the support, predict on any items, for a batch of tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from meta_model.item_statistics import Biases, ItemStatistics
from meta_model.tasks import Tasks


class Learner(nn.Module, ABC):
    """A module whose parameters are the global ones; a task's own live in the state of `adapt`.

    Shapes: B tasks, S support places, N places to predict.
    """

    statistics: ItemStatistics

    @abstractmethod
    def adapt(self, tasks: Tasks, biases: Biases) -> Any:
        """The state of each task after its local update on the support; differentiable."""

    @abstractmethod
    def unadapted(self, tasks: Tasks) -> Any:
        """The state of each task before any local update: nothing of its support is used."""

    @abstractmethod
    def predict(self, state: Any, items: Tensor, item_bias: Tensor) -> Tensor:
        """Predicted ratings [B, N] of the items [B, N] (or [1, N], the same for all tasks)."""

    @abstractmethod
    def sensitivity(self, state: Any, items: Tensor, item_bias: Tensor) -> tuple[Tensor, Tensor]:
        """The global model's predictions of the items, and each one's gradient's norm, [B, N].

        The gradient is that of the prediction by the parameters that a local update changes; the
        norm is Frobenius's.
        """
