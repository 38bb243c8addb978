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

from meta_model.baselines import ITEM_DAMPING, USER_DAMPING
from meta_model.config import Config
from meta_model.decision_layers import DecisionLayers, Update
from meta_model.features import Features
from meta_model.formed_layers import FormedLayers, form
from meta_model.item_statistics import ItemStatistics, RatedPlaces
from meta_model.layer_inputs import Pairs, Part, at_rows
from meta_model.learners.embedding import Attributes, Identity, ValueEmbedding
from meta_model.learners.learner import Learner, ParameterGroup
from meta_model.rating_models import OrdinalRatings, PlainRatings, RatingModel
from meta_model.tasks import Tasks

_EMBEDDING_STD = 0.1
_STATISTICS = 3  # inputs that say how much is known of a user (an item), and what
_LOG_SCALE = 4.0  # brings logarithms of counts to the size of the other inputs


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Items as a part of the decision layers' input, M of them, with the prior of their bias [M].

    Where training hides items, 2M: rows M and after show the same items as cold ones. `is_hidden`
    [M] says which of them all tasks see so.
    """

    items: Part
    prior: Tensor
    is_hidden: Tensor


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
        size, is_trained = config.embedding_size, statistics.counts > 0
        self.user_attributes, self.item_attributes = Attributes(users), Attributes(items)
        self.user_embedding = ValueEmbedding(self.user_attributes, size, _EMBEDDING_STD)
        self.item_embedding = ValueEmbedding(self.item_attributes, size, _EMBEDDING_STD)
        self.identity = Identity(is_trained, size) if config.item_identity else None
        self.prior: ValueEmbedding | None = None
        if config.content_prior:
            self.prior = ValueEmbedding(self.item_attributes, 1, std=0.0)
        self.log_dampings = nn.Parameter(torch.tensor([ITEM_DAMPING, USER_DAMPING]).log())
        self.dropout = nn.Dropout(config.dropout)
        n_user_statistics = _STATISTICS if config.user_statistics else 0
        self.decision = DecisionLayers(
            (
                self.user_embedding.output_size + n_user_statistics,
                self.item_embedding.output_size + (size if config.item_identity else 0),
                _STATISTICS if config.item_statistics else 0,
            ),
            config.hidden_sizes,
            config.local_steps,
            config.local_rate,
            config.learn_local_rates,
        )
        is_ordinal = config.likelihood == "ordinal"
        self.ratings: RatingModel = OrdinalRatings(rating_levels) if is_ordinal else PlainRatings()
        self.shift: nn.Linear | None = None
        if is_ordinal and n_user_statistics:
            self.shift = nn.Linear(n_user_statistics, len(rating_levels) - 1, bias=False)
            nn.init.zeros_(self.shift.weight)

    def embed(self, items: Tensor) -> Catalogue:
        values = self.item_attributes(items)
        content = self.item_embedding(*values)
        prior = content.new_zeros(len(items)) if self.prior is None else self.prior(*values).sum(1)
        is_hidden = torch.zeros_like(items, dtype=torch.bool)
        if self._hides:
            is_hidden = torch.rand(len(items), device=items.device) < self.config.hide_item
        vectors = content
        if self.identity is not None:
            identity = self.identity(items)
            vectors = torch.cat([content, identity], dim=1)
            if self._hides:
                cold = torch.cat([content, torch.zeros_like(identity)], dim=1)
                vectors = torch.cat([vectors, cold])
        parts = self.decision.items(self.dropout(vectors))
        return Catalogue(items=parts, prior=prior, is_hidden=is_hidden)

    def adapt(self, tasks: Tasks, catalogue: Catalogue) -> State:
        is_hidden = tasks.support.mask.new_zeros(len(tasks), 1)
        if self._hides:
            draws = torch.rand(is_hidden.shape, device=is_hidden.device)
            is_hidden = draws < self.config.hide_task
        rows, counts, item_bias = self._known(catalogue, self.statistics.support(tasks), is_hidden)
        mask = tasks.support.mask
        n = mask.sum(1, keepdim=True)
        rest = (tasks.support.ratings - self.statistics.mean - item_bias) * mask
        user_bias = rest.sum(1, keepdim=True) / (n + self.log_dampings[1].exp())
        users, shift = self._users(tasks.users, n, user_bias)
        x = self._pairs(users, catalogue, rows, counts, item_bias)
        target = tasks.support.ratings - self._anchor(user_bias, item_bias)
        weight = mask / (n + self.config.support_damping).clamp(min=1)
        is_exact = self.config.gradient == "second_order"
        update = self.decision.adapt(x, target, weight, second_order=is_exact)
        return State(
            users=users, user_bias=user_bias, shift=shift, is_hidden=is_hidden, update=update
        )

    def unadapted(self, tasks: Tasks) -> State:
        nothing = torch.zeros(len(tasks), 1, device=tasks.users.device)
        users, shift = self._users(tasks.users, nothing, nothing)
        return State(
            users=users,
            user_bias=nothing,
            shift=shift,
            is_hidden=nothing.bool(),
            update=(),
        )

    def for_catalogue(self, state: State) -> State:
        assert isinstance(state.update, tuple)
        if not state.update:
            return state
        return replace(state, update=form(self.decision, state.users, state.update))

    def predict(self, state: State, catalogue: Catalogue, places: RatedPlaces) -> Tensor:
        x, anchor = self._inputs(state, catalogue, places)
        if isinstance(state.update, FormedLayers):
            return anchor + state.update(x)
        rest: Tensor = self.decision(x, state.update)
        return anchor + rest

    def losses(self, state: State, scores: Tensor, ratings: Tensor) -> Tensor:
        return self.ratings.losses(scores, state.shift, ratings)

    def expected(self, state: State, scores: Tensor) -> Tensor:
        return self.ratings.expected(scores, state.shift)

    def median(self, state: State, scores: Tensor) -> Tensor:
        return self.ratings.median(scores, state.shift)

    def sensitivity(
        self, state: State, catalogue: Catalogue, places: RatedPlaces
    ) -> tuple[Tensor, Tensor]:
        x, anchor = self._inputs(state, catalogue, places)
        rest, norms = self.decision.gradient_norms(x)
        return anchor + rest, norms

    def local_shift(self, state: State) -> dict[nn.Parameter, Tensor]:
        assert isinstance(state.update, tuple)
        return self.decision.shift(state.update)

    def parameter_groups(self) -> Iterable[ParameterGroup]:
        def of(*modules: nn.Module | None) -> list[nn.Parameter]:
            return [p for module in modules if module is not None for p in module.parameters()]

        layers = list(self.decision.layers.parameters())
        yield ParameterGroup(
            parameters=of(self.user_embedding, self.item_embedding, self.identity), decay=1.0
        )
        yield ParameterGroup(parameters=[p for p in layers if p.dim() > 1], decay=0.1)
        yield ParameterGroup(parameters=[p for p in layers if p.dim() == 1])
        # Few numbers with far to go: they get there by a higher rate.
        yield ParameterGroup(parameters=of(self.prior), rate=10.0, decay=0.1)
        rates = [self.decision.log_rates] if self.decision.log_rates.requires_grad else []
        yield ParameterGroup(parameters=rates, rate=10.0)
        yield ParameterGroup(
            parameters=[self.log_dampings, *of(self.ratings, self.shift)], rate=5.0
        )

    @property
    def _hides(self) -> bool:
        """Whether some items are shown as cold ones now."""
        return self.training and self.config.hide_item + self.config.hide_task > 0

    def _known(
        self, catalogue: Catalogue, places: RatedPlaces, is_hidden: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What is known at the places, [B, N] each: rows of the catalogue, counts, item biases."""
        hidden = is_hidden | catalogue.is_hidden[places.rows]
        counts = places.counts.masked_fill(hidden, 0)
        deviation = places.deviation.masked_fill(hidden, 0)
        damping = self.log_dampings[0].exp()
        prior = at_rows(catalogue.prior.unsqueeze(1), places.rows).squeeze(-1)
        rows = places.rows
        if len(catalogue.items.vectors) > len(catalogue.prior):  # cold ones come after them
            rows = rows + len(catalogue.prior) * hidden
        return rows, counts, (deviation + damping * prior) / (counts + damping)

    def _users(self, users: Tensor, n: Tensor, user_bias: Tensor) -> tuple[Part, Tensor]:
        """The users [B] as inputs, and thresholds' shifts [B, K], from n and the bias, [B, 1]."""
        embedded = self.dropout(self.user_embedding(*self.user_attributes(users)))
        no_shift = embedded.new_zeros(len(embedded), 1)
        if not self.config.user_statistics:
            return self.decision.users(embedded), no_shift
        statistics = torch.cat([n.log1p() / _LOG_SCALE, user_bias, (n == 0).float()], dim=1)
        shift = no_shift if self.shift is None else self.shift(statistics)
        return self.decision.users(torch.cat([embedded, statistics], dim=1)), shift

    def _pairs(
        self, users: Part, catalogue: Catalogue, rows: Tensor, counts: Tensor, bias: Tensor
    ) -> Pairs:
        details = bias.unsqueeze(-1)[..., :0]
        if self.config.item_statistics:
            columns = [counts.log1p() / _LOG_SCALE, bias, (counts == 0).float()]
            details = torch.stack(columns, dim=-1)
        return Pairs(users=users, items=catalogue.items, rows=rows, details=details)

    def _inputs(
        self, state: State, catalogue: Catalogue, places: RatedPlaces
    ) -> tuple[Pairs, Tensor]:
        """The decision layers' inputs at the places, and the anchors [B, N]."""
        rows, counts, item_bias = self._known(catalogue, places, state.is_hidden)
        x = self._pairs(state.users, catalogue, rows, counts, item_bias)
        return x, self._anchor(state.user_bias, item_bias)

    def _anchor(self, user_bias: Tensor, item_bias: Tensor) -> Tensor:
        if not self.config.anchor:
            return torch.zeros_like(user_bias)
        return self.statistics.mean + user_bias + item_bias
