"""MeLU: Meta-Learned User Preference Estimator (Lee et al., KDD 2019).

A user's and an item's attributes are embedded (eqs. 1 and 2) and concatenated (eq. 3); decision
layers with ReLU (eq. 4) turn them into a score (eq. 5). The embeddings are global. The decision
layers, the output layer among them, are adapted to a user by gradient steps on the support
(algorithm 1, lines 5-7); the local loss is the mean squared error (eq. 6).

    theta_2_u  =  theta_2 - a * grad_theta_2 L_u,support(theta_1, theta_2)             local
    theta      <- theta - b * grad_theta sum_u L_u,query(theta_1, theta_2_u)           global

Where we add to it, each time by a switch of the config (docs/benchmarks/accuracy.md has what each
is worth):

    anchor            the network learns what is left over  mu + b_u + b_i
    content_prior     b_i = (sum(r - mu) + k g(attributes)) / (n_i + k), g and k learnt
    *_statistics      counts and biases as inputs, an item's without the task's own rating
    item_identity     an embedding of the item; items are hidden in training, as if they were cold
    learn_local_rates one rate a layer and local step (Meta-SGD, Li et al. 2017)
    likelihood        ratings as ordered levels (`rating_models`)

b_u = sum(r - mu - b_i) / (n_u + k_u) over the support is part of the local update, and so is what
else is made of the support: without one, all of it is zero.

Shapes: B tasks, N places, M items, K thresholds between rating levels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.features import Features
from meta_model.data.item_statistics import ItemStatistics, RatedPlaces
from meta_model.data.tasks import Tasks
from meta_model.layers.decision_layers import DecisionLayers, Update
from meta_model.layers.formed_layers import FormedLayers, form
from meta_model.layers.layer_inputs import Pairs, Part
from meta_model.layers.rating_models import OrdinalRatings, PlainRatings, RatingModel
from meta_model.learners.item_side import EmbeddedItems, ItemSide, KnownPlaces
from meta_model.learners.learner import Learner, ParameterGroup
from meta_model.learners.user_side import UserSide


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Embedded items, and their part of the decision layers' input."""

    items: EmbeddedItems
    part: Part


@dataclass(frozen=True, kw_only=True)
class State:
    """A batch of tasks: B users and their bias [B, 1], the thresholds' shift [B, K].

    is_hidden: [B, 1], whether all the task's items are shown as cold ones
    """

    users: Part
    user_bias: Tensor
    shift: Tensor
    is_hidden: Tensor
    update: Update | FormedLayers


class MeLU(Learner):
    def __init__(
        self,
        config: Config,
        users: Features,
        items: Features,
        statistics: ItemStatistics,
        rating_levels: tuple[float, ...],
    ) -> None:
        super().__init__()
        self.config = config
        self.statistics = statistics
        self.users = UserSide(users, config)
        self.items = ItemSide(items, statistics.counts > 0, config)
        self.dropout = nn.Dropout(config.dropout)
        self.decision = DecisionLayers(
            (self.users.vector_size, self.items.vector_size, self.items.n_details),
            config.hidden_sizes,
            config.local_steps,
            config.local_rate,
            config.learn_local_rates,
        )
        is_ordinal = config.likelihood == "ordinal"
        self.ratings: RatingModel = OrdinalRatings(rating_levels) if is_ordinal else PlainRatings()
        self.shift: nn.Linear | None = None
        if is_ordinal and self.users.n_statistics:
            self.shift = nn.Linear(self.users.n_statistics, len(rating_levels) - 1, bias=False)
            nn.init.zeros_(self.shift.weight)

    def embed(self, items: Tensor) -> Catalogue:
        embedded: EmbeddedItems = self.items(items)
        part = self.decision.items(self.dropout(embedded.vectors))
        return Catalogue(items=embedded, part=part)

    def adapt(self, tasks: Tasks, catalogue: Catalogue) -> State:
        support = tasks.support
        is_hidden = self.items.hidden_tasks(len(tasks), support.mask.device)
        known = self.items.known(catalogue.items, self.statistics.support(tasks), is_hidden)
        rest = support.ratings - self.statistics.mean - known.bias
        user_bias = self.users.bias(rest, support.mask)
        n = support.mask.sum(1, keepdim=True)
        state = self._state(tasks.users, n, user_bias, is_hidden)
        target = support.ratings - self._anchor(user_bias, known.bias)
        weight = support.mask / (n + self.config.support_damping).clamp(min=1)
        update = self.decision.adapt(
            self._pairs(state, catalogue, known),
            target,
            weight,
            second_order=self.config.gradient == "second_order",
        )
        return replace(state, update=update)

    def unadapted(self, tasks: Tasks) -> State:
        nothing = torch.zeros(len(tasks), 1, device=tasks.users.device)
        return self._state(tasks.users, nothing, nothing, nothing.bool())

    def for_catalogue(self, state: State) -> State:
        if isinstance(state.update, FormedLayers) or not state.update:
            return state
        return replace(state, update=form(self.decision, state.users, state.update))

    def predict(self, state: State, catalogue: Catalogue, places: RatedPlaces) -> Tensor:
        known = self.items.known(catalogue.items, places, state.is_hidden)
        x = self._pairs(state, catalogue, known)
        if isinstance(state.update, FormedLayers):
            rest = state.update(x)
        else:
            rest = self.decision(x, state.update)
        return self._anchor(state.user_bias, known.bias) + rest

    def losses(self, state: State, scores: Tensor, ratings: Tensor) -> Tensor:
        return self.ratings.losses(scores, state.shift, ratings)

    def expected(self, state: State, scores: Tensor) -> Tensor:
        return self.ratings.expected(scores, state.shift)

    def median(self, state: State, scores: Tensor) -> Tensor:
        return self.ratings.median(scores, state.shift)

    def sensitivity(
        self, state: State, catalogue: Catalogue, places: RatedPlaces
    ) -> tuple[Tensor, Tensor]:
        known = self.items.known(catalogue.items, places, state.is_hidden)
        rest, norms = self.decision.gradient_norms(self._pairs(state, catalogue, known))
        return self._anchor(state.user_bias, known.bias) + rest, norms

    def local_shift(self, state: State) -> dict[nn.Parameter, Tensor]:
        assert not isinstance(state.update, FormedLayers)
        return self.decision.shift(state.update)

    def parameter_groups(self) -> Iterable[ParameterGroup]:
        def of(*modules: nn.Module | None) -> list[nn.Parameter]:
            return [p for module in modules if module is not None for p in module.parameters()]

        layers = of(self.decision.layers)
        embeddings = of(self.users.embedding, self.items.embedding, self.items.identity)
        yield ParameterGroup(parameters=embeddings, decay=1.0)
        yield ParameterGroup(parameters=[p for p in layers if p.dim() > 1], decay=0.1)
        yield ParameterGroup(parameters=[p for p in layers if p.dim() == 1])
        # Few numbers with far to go: they get there by a higher rate.
        yield ParameterGroup(parameters=of(self.items.prior), rate=10.0, decay=0.1)
        rates = [self.decision.log_rates] if self.decision.log_rates.requires_grad else []
        yield ParameterGroup(parameters=rates, rate=10.0)
        dampings = [self.items.log_damping, self.users.log_damping]
        yield ParameterGroup(parameters=[*dampings, *of(self.ratings, self.shift)], rate=5.0)

    def _state(self, users: Tensor, n: Tensor, user_bias: Tensor, is_hidden: Tensor) -> State:
        """Before any local step, from users [B], the supports' sizes and the biases, [B, 1]."""
        statistics = self.users.statistics(n, user_bias)
        vectors = torch.cat([self.dropout(self.users(users)), statistics], dim=1)
        shift = statistics.new_zeros(len(users), 1)
        return State(
            users=self.decision.users(vectors),
            user_bias=user_bias,
            shift=shift if self.shift is None else self.shift(statistics),
            is_hidden=is_hidden,
            update=(),
        )

    def _pairs(self, state: State, catalogue: Catalogue, known: KnownPlaces) -> Pairs:
        """The decision layers' inputs at the places."""
        details = self.items.details(known)
        return Pairs(users=state.users, items=catalogue.part, rows=known.rows, details=details)

    def _anchor(self, user_bias: Tensor, item_bias: Tensor) -> Tensor:
        """mu + b_u + b_i [B, N], or nothing."""
        if not self.config.anchor:
            return torch.zeros_like(user_bias)
        return self.statistics.mean + user_bias + item_bias
