"""What every learner offers: adapt on the support, predict on any items, for a batch of tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from meta_model.data.item_statistics import ItemStatistics, RatedPlaces
from meta_model.data.tasks import Side, Tasks


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """Parameters with a learning rate and a decay of their own, as factors of the config's."""

    parameters: list[nn.Parameter]
    rate: float = 1.0
    decay: float = 0.0


class Learner(nn.Module, ABC):
    """A module whose parameters are the global ones; a task's own live in the state of `adapt`.

    `embed` computes what depends on items alone, once for all tasks that share them. What it
    returns, and the state, are the learner's own business.

    Shapes: B tasks, N places to predict, M items.
    """

    statistics: ItemStatistics

    @abstractmethod
    def embed(self, items: Tensor) -> Any:
        """The items [M], distinct, as a catalogue whose rows `adapt` and `predict` refer to."""

    @abstractmethod
    def adapt(self, tasks: Tasks, catalogue: Any) -> Any:
        """The state of each task after its local update on the support; differentiable.

        `catalogue` is that of `tasks.items`.
        """

    @abstractmethod
    def unadapted(self, tasks: Tasks) -> Any:
        """The state of each task before any local update: nothing of its support is used."""

    def for_catalogue(self, state: Any) -> Any:
        """The state in the form that predicts whole catalogues, [1, N] places, fastest."""
        return state

    @abstractmethod
    def predict(self, state: Any, catalogue: Any, places: RatedPlaces) -> Tensor:
        """Scores [B, N] at the places: the higher, the better the user likes the item."""

    @abstractmethod
    def losses(self, state: Any, scores: Tensor, ratings: Tensor) -> Tensor:
        """The global loss [B, N] of scores for the ratings given."""

    def task_losses(self, state: Any, scores: Tensor, query: Side) -> Tensor:
        """Each task's mean loss [B] over its query."""
        losses = self.losses(state, scores, query.ratings) * query.mask
        return losses.sum(1) / query.mask.sum(1)

    @abstractmethod
    def expected(self, state: Any, scores: Tensor) -> Tensor:
        """The expected ratings [B, N] that scores stand for."""

    @abstractmethod
    def median(self, state: Any, scores: Tensor) -> Tensor:
        """The median ratings [B, N] that scores stand for: what the absolute error asks for."""

    @abstractmethod
    def sensitivity(self, state: Any, catalogue: Any, places: RatedPlaces) -> tuple[Tensor, Tensor]:
        """The scores, and the norm of each one's gradient by what a local update changes, [B, N].

        The norm is Frobenius's.
        """

    @abstractmethod
    def local_shift(self, state: Any) -> dict[nn.Parameter, Tensor]:
        """How far the local updates moved each parameter they adapt, summed over tasks."""

    @abstractmethod
    def parameter_groups(self) -> Iterable[ParameterGroup]:
        """All trained parameters, each in one group."""
