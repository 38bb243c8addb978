"""What the methods share: encoders of users and items, a baseline predictor and a likelihood.

A method says how a support changes the prediction, and nothing else. It gets users and items as
vectors, and at each position side features (the number of the item's ratings, and the item bias).
It learns the residual over the baseline predictor

    mu + b_u + b_i,   b_i = (sum(r - mu) + k_i g(attributes)) / (n_i + k_i)
                      b_u = sum(r - mu - b_i) / (n_u + k_u)  over the support

with damped biases (Koren, TKDD 2010). The config switches each part on or off; with all of them off
(`paper`), a method sees attributes alone and predicts the rating itself. b_u and the user's
statistics are part of the local update: with an empty support, they are zero.

Shapes: B tasks, N positions (S of the support), M items, K thresholds between rating levels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Generic

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.item_statistics import ItemPositions
from meta_model.data.tasks import Tasks
from meta_model.encoders.item_encoder import EmbeddedItems, ItemEncoder
from meta_model.encoders.user_encoder import UserEncoder
from meta_model.layers.likelihoods import (
    CumulativeLogit,
    Likelihood,
    ScoreLikelihood,
    SquaredError,
)
from meta_model.layers.metric_encoder import Encoded
from meta_model.learners.learner import GradientNorms, Learner, ParameterGroup
from meta_model.learners.parameters import parameters_of
from meta_model.learners.task_state import (
    Catalogue,
    MethodItems,
    MethodState,
    Positions,
    State,
    Support,
)


class RatingLearner(
    Learner[State[MethodState], Catalogue[MethodItems]], Generic[MethodState, MethodItems]
):
    """A learner less its method: subclasses adapt the method's state, and forecast by it."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        self.config = config
        self.statistics = inputs.statistics()
        self.users = UserEncoder(inputs.users, config.network)
        self.items = ItemEncoder(inputs.items, self.statistics.counts > 0, config.network)
        self.dropout = nn.Dropout(config.network.dropout)
        levels = inputs.rating_levels
        self.likelihood = self._make_likelihood(levels)
        self.threshold_offsets: nn.Linear | None = None
        if isinstance(self.likelihood, CumulativeLogit) and self.users.n_statistics:
            self.threshold_offsets = nn.Linear(self.users.n_statistics, len(levels) - 1, bias=False)
            nn.init.zeros_(self.threshold_offsets.weight)
        # A squared error on the latent scale makes no sense for two levels, a yes or a no.
        is_yes_or_no = len(levels) == 2 and isinstance(self.likelihood, CumulativeLogit)
        self._squared = None if is_yes_or_no else SquaredError()

    @property
    def local_likelihood(self) -> ScoreLikelihood:
        """The local loss: squared error on the latent scale; for two levels the cross entropy."""
        if self._squared is not None:
            return self._squared
        assert isinstance(self.likelihood, ScoreLikelihood)
        return self.likelihood

    def _make_likelihood(self, levels: tuple[float, ...]) -> Likelihood:
        """The likelihood of ratings given a forecast; by default a forecast is a latent score."""
        return (
            CumulativeLogit(levels)
            if self.config.network.likelihood == "ordinal"
            else SquaredError()
        )

    @abstractmethod
    def _items(self, items: Tensor, vectors: Tensor) -> MethodItems:
        """What the method computes of items [M] and their vectors [M, V], or [2M, V] (dropout)."""

    @abstractmethod
    def _fit(
        self, state: State[MethodState], catalogue: MethodItems, support: Support, tasks: Tasks
    ) -> MethodState:
        """The method's state after the local update; `state` holds the one before it."""

    @abstractmethod
    def _begin(self, tasks: Tasks, vectors: Tensor) -> MethodState:
        """The method's state before any local update, from the users' vectors [B, U].

        It may depend on the users and items of the tasks, and on none of their ratings.
        """

    @abstractmethod
    def _forecast(
        self, state: State[MethodState], catalogue: MethodItems, positions: Positions
    ) -> Tensor:
        """Forecasts [B, N, ...] at the positions."""

    @abstractmethod
    def _gradient_norms(
        self,
        state: State[MethodState],
        catalogue: MethodItems,
        positions: Positions,
        tasks: Tasks,
    ) -> GradientNorms:
        """Per-example gradient norms [B, S] at the support's positions; gradients are enabled."""

    def _before_reactions(
        self, tasks: Tasks, _catalogue: Catalogue[MethodItems]
    ) -> State[MethodState]:
        """The state that per-example gradients are taken at: the one before any local update."""
        return self.unadapted(tasks)

    @abstractmethod
    def _method_groups(self) -> Iterable[ParameterGroup]:
        """The parameters of the method; those that all methods share are grouped here."""

    def embed(self, items: Tensor) -> Catalogue[MethodItems]:
        """Encoded items [M], with dropout in training, and what the method makes of them."""
        embedded: EmbeddedItems = self.items(items)
        method_items = self._items(items, self.dropout(embedded.vectors))
        return Catalogue(items=embedded, method_items=method_items)

    def adapt(self, tasks: Tasks, catalogue: Catalogue[MethodItems]) -> State[MethodState]:
        """User bias, thresholds and the method's local update; all differentiable."""
        support = tasks.support
        is_cold = self.items.cold_tasks(len(tasks), support.mask.device)
        known, item_bias = self.items.known(
            catalogue.items, self.statistics.support(tasks), is_cold
        )
        residual = support.ratings - self.statistics.mean - item_bias
        n = support.mask.sum(1, keepdim=True)
        state = self._state(tasks, n, self.users.bias(residual, support.mask), is_cold)
        positions = self._positions(state, known, item_bias)
        size = (n + self.config.local_update.support_damping).clamp(min=1).to(residual.dtype)
        weight = support.mask / size
        reactions = Support(positions=positions, ratings=support.ratings, weight=weight)
        method_state = self._fit(state, catalogue.method_items, reactions, tasks)
        return replace(state, method_state=method_state)

    def unadapted(self, tasks: Tasks) -> State[MethodState]:
        """States with a user bias of 0 and statistics of an empty support."""
        nothing = torch.zeros(len(tasks), 1, device=tasks.users.device)
        return self._state(tasks, nothing, nothing, nothing.bool())

    def predict(
        self,
        state: State[MethodState],
        catalogue: Catalogue[MethodItems],
        positions: ItemPositions,
    ) -> Tensor:
        """Forecasts [B, N, ...]: of most methods the baseline plus a learnt residual."""
        known, item_bias = self.items.known(catalogue.items, positions, state.is_cold)
        seen = self._positions(state, known, item_bias)
        return self._forecast(state, catalogue.method_items, seen)

    def losses(self, state: State[MethodState], forecasts: Tensor, ratings: Tensor) -> Tensor:
        """The likelihood's loss [B, N], with the task's thresholds."""
        return self.likelihood.losses(forecasts, state.threshold_offsets, ratings)

    def expected(self, state: State[MethodState], forecasts: Tensor) -> Tensor:
        """The likelihood's mean rating [B, N], with the task's thresholds."""
        return self.likelihood.expected(forecasts, state.threshold_offsets)

    def median(self, state: State[MethodState], forecasts: Tensor) -> Tensor:
        """The likelihood's median rating [B, N], with the task's thresholds."""
        return self.likelihood.median(forecasts, state.threshold_offsets)

    @torch.enable_grad()
    def per_example_gradient_norms(
        self, tasks: Tasks, catalogue: Catalogue[MethodItems]
    ) -> GradientNorms:
        """By the parameters that the method adapts, or that encode its items."""
        state = self._before_reactions(tasks, catalogue)
        support = self.statistics.support(tasks)
        known, item_bias = self.items.known(catalogue.items, support, state.is_cold)
        positions = self._positions(state, known, item_bias)
        return self._gradient_norms(state, catalogue.method_items, positions, tasks)

    def _score_gradient_norms(
        self, state: State[MethodState], scores: Tensor, norms: Tensor, tasks: Tasks
    ) -> GradientNorms:
        """Gradient norms by the local loss, from the scores [B, S] and their gradients' norms."""
        ratings = tasks.support.ratings
        gradients = self.local_likelihood.gradients(scores, state.threshold_offsets, ratings)
        return GradientNorms(
            losses=self.local_likelihood.losses(scores, state.threshold_offsets, ratings),
            of_loss=norms * gradients.abs(),
            of_score=norms,
        )

    def _level_gradient_norms(
        self, state: State[MethodState], forecasts: Tensor, encoded: Encoded, tasks: Tasks
    ) -> GradientNorms:
        """Gradient norms by the item encoder's output layer, from forecasts [B, S, L]."""
        losses = self.losses(state, forecasts, tasks.support.ratings)
        of_loss = encoded.gradients().norms(losses)
        of_score = encoded.gradients().norms(self.expected(state, forecasts))
        return GradientNorms(losses=losses.detach(), of_loss=of_loss, of_score=of_score)

    def parameter_groups(self) -> Iterable[ParameterGroup]:
        """Shared groups first, with own rates and decays; then the method's."""
        embeddings = parameters_of(self.users.embedding, self.items.embedding, self.items.identity)
        yield ParameterGroup(parameters=embeddings, decay=1.0)
        # The prior's few parameters start at zero, far from their optimum: a higher rate.
        yield ParameterGroup(parameters=parameters_of(self.items.prior), rate=10.0, decay=0.1)
        dampings = [self.items.log_damping, self.users.log_damping]
        thresholds = parameters_of(self.likelihood, self.threshold_offsets)
        yield ParameterGroup(parameters=[*dampings, *thresholds], rate=5.0)
        yield from self._method_groups()

    def _state(self, tasks: Tasks, n: Tensor, bias: Tensor, is_cold: Tensor) -> State[MethodState]:
        """The state before any local update, from support sizes n and user biases, [B, 1]."""
        statistics = self.users.statistics(n, bias)
        vectors = torch.cat([self.dropout(self.users(tasks.users)), statistics], dim=1)
        offsets = statistics.new_zeros(len(tasks), 1)
        if self.threshold_offsets is not None:
            offsets = self.threshold_offsets(statistics)
        return State(
            vectors=vectors,
            bias=bias,
            threshold_offsets=offsets,
            is_cold=is_cold,
            method_state=self._begin(tasks, vectors),
        )

    def _positions(
        self, state: State[MethodState], known: ItemPositions, item_bias: Tensor
    ) -> Positions:
        baseline = torch.zeros_like(state.bias + item_bias)
        if self.config.network.baseline:
            baseline = self.statistics.mean + state.bias + item_bias
        side_features = self.items.side_features(known, item_bias)
        return Positions(rows=known.rows, side_features=side_features, baseline=baseline)
