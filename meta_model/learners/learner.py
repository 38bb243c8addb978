"""The interface of every learner: adapt on supports, predict on items, for a batch of tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from meta_model.config import Config, MethodConfig
from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import InteractionSet
from meta_model.data.item_statistics import ItemPositions, ItemStatistics
from meta_model.data.tasks import Tasks

if TYPE_CHECKING:
    import typing_extensions

    # `Learner` alone is a learner of any method. Python has such defaults from 3.13 on.
    TaskState = typing_extensions.TypeVar("TaskState", default=Any)
    ItemCatalogue = typing_extensions.TypeVar("ItemCatalogue", default=Any)
else:
    TaskState, ItemCatalogue = TypeVar("TaskState"), TypeVar("ItemCatalogue")


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """Parameters with one learning rate and weight decay, as factors of the config's."""

    parameters: list[nn.Parameter]
    rate: float = 1.0
    decay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GradientNorms:
    """Per-example gradient norms by the parameters that a support adapts, [B, N] each.

    losses: the loss of a user and an item; of_loss and of_score: the Frobenius norms of the
    gradients of this loss and of the predicted score
    """

    losses: Tensor
    of_loss: Tensor
    of_score: Tensor


class Learner(nn.Module, ABC, Generic[TaskState, ItemCatalogue]):
    """A module whose parameters are the global ones; `adapt` returns the adapted ones.

    `embed` computes what depends on items alone, once for all tasks that share them. Its type and
    that of a state are the learner's to choose, and so are the last dimensions of a forecast.
    Callers pass both on and look into neither.

    Shapes: B tasks, N positions to predict, M items.
    """

    method_config: ClassVar[type[MethodConfig]] = MethodConfig  # options of its own
    statistics: ItemStatistics

    @abstractmethod
    def __init__(self, config: Config, inputs: Inputs) -> None:
        """Untrained, its weights drawn from the global random state."""
        super().__init__()

    @abstractmethod
    def embed(self, items: Tensor) -> ItemCatalogue:
        """A catalogue of distinct items [M]; `adapt` and `predict` refer to its rows."""

    @abstractmethod
    def adapt(self, tasks: Tasks, catalogue: ItemCatalogue) -> TaskState:
        """The state of each task after its local update on the support; differentiable.

        catalogue: that of `tasks.items`
        """

    @abstractmethod
    def unadapted(self, tasks: Tasks) -> TaskState:
        """The state of each task before any local update; independent of its support."""

    def for_catalogue(self, state: TaskState) -> TaskState:
        """The state in the fastest form for predicting whole catalogues, [1, N] positions."""
        return state

    @abstractmethod
    def predict(
        self, state: TaskState, catalogue: ItemCatalogue, positions: ItemPositions
    ) -> Tensor:
        """Forecasts [B, N, ...] of the ratings at the positions."""

    @abstractmethod
    def losses(self, state: TaskState, forecasts: Tensor, ratings: Tensor) -> Tensor:
        """The global loss [B, N] of forecasts for the ratings given."""

    def task_losses(self, state: TaskState, forecasts: Tensor, query: InteractionSet) -> Tensor:
        """Each task's mean loss [B] over its query."""
        losses = self.losses(state, forecasts, query.ratings) * query.mask
        return losses.sum(1) / query.mask.sum(1)

    @abstractmethod
    def expected(self, state: TaskState, forecasts: Tensor) -> Tensor:
        """The expected ratings [B, N], which minimise the squared error."""

    @abstractmethod
    def median(self, state: TaskState, forecasts: Tensor) -> Tensor:
        """The median ratings [B, N], which minimise the absolute error."""

    @abstractmethod
    def per_example_gradient_norms(self, tasks: Tasks, catalogue: ItemCatalogue) -> GradientNorms:
        """Of each support position [B, S], as if it were the user's first reaction."""

    def adaptation_deltas(self, _state: TaskState) -> dict[nn.Parameter, Tensor]:
        """Adapted minus shared value of each parameter that a task adapts, summed over tasks.

        Reptile moves the shared parameters along these. A learner without any cannot be trained by
        it.
        """
        return {}

    def memories(self) -> Sequence[Tensor]:
        """Buffers that training writes without gradients, beside the parameters."""
        return ()

    def memory_writes(self, _state: TaskState) -> Sequence[Tensor]:
        """What the tasks write to each of the memories, summed over tasks; in their shapes."""
        return ()

    @torch.no_grad()
    def write_memories(self, writes: Sequence[Tensor]) -> None:
        """Apply writes, averaged over all tasks of a global update, to the memories.

        Raises `NotImplementedError` in a learner that has memories and does not override this.
        """
        if writes:
            raise NotImplementedError(
                f"{type(self).__name__} has memories and no way to write them"
            )

    @abstractmethod
    def parameter_groups(self) -> Iterable[ParameterGroup]:
        """All trained parameters, each in one group."""
