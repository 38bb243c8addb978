"""Prototypical network (Snell, Swersky and Zemel, NIPS 2017), a prototype for each rating level.

Items are encoded by f; a level's prototype is the mean of the support items rated with it (eq. 1).
The probability of a level falls with the item's distance from its prototype (eq. 2, with squared
Euclidean distances). The loss is the cross entropy, the score the expected rating.

    c_l          =  (k c0_l + sum_s f(s) 1[r_us = l]) / (k + n_ul)
    P(l | i, u)  =  softmax_l( log q_l(u) - w |f(i) - c_l|^2 )
    q_l(u)       =  (m q0_l + n_ul) / (m + n_u)

c0_l and q0 are learnt: prototype and share of a level for an empty support. Few users have used
every level: the others get c0_l as their prototype.
docs/learners/prototypical.md says where else we differ.

Shapes: B tasks, N positions (S of the support), L rating levels, E the size of the space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.likelihoods import Categorical
from meta_model.layers.metric_encoder import MetricEncoder
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Positions, State, Support

_DAMPING = 3.0  # k and m before training, in ratings


@dataclass(frozen=True, kw_only=True)
class Prototypes:
    """Each task's prototypes [B, L, E] and the logarithms of its levels' shares [B, L]."""

    points: Tensor
    log_shares: Tensor


class PrototypicalNetwork(RatingLearner[Prototypes, Tensor]):
    """Compares items with a prototype of each rating level; the state is the prototypes."""

    likelihood: Categorical

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        hidden, size = config.network.hidden_sizes[0], config.network.hidden_sizes[-1]
        n_levels = len(inputs.rating_levels)
        self.encoder = MetricEncoder(
            self.items.vector_size, self.items.n_side_features, hidden, size
        )
        self.prior = nn.Parameter(torch.randn(n_levels, size) / size**0.5)
        self.of_users = nn.Linear(self.users.vector_size, n_levels)
        self.log_dampings = nn.Parameter(torch.full((2,), _DAMPING).log())  # k, m
        self.log_inverse_temperature = nn.Parameter(torch.zeros(()))  # of w

    def _make_likelihood(self, levels: tuple[float, ...]) -> Categorical:
        return Categorical(levels)

    def _items(self, _items: Tensor, vectors: Tensor) -> Tensor:
        return self.encoder.items(vectors)

    def _begin(self, _tasks: Tasks, vectors: Tensor) -> Prototypes:
        points = self.prior.expand(len(vectors), -1, -1)
        return Prototypes(points=points, log_shares=self.of_users(vectors).log_softmax(-1))

    def _fit(
        self, state: State[Prototypes], catalogue: Tensor, support: Support, _tasks: Tasks
    ) -> Prototypes:
        encoded = self.encoder(catalogue, support.positions.rows, support.positions.side_features)
        levels = self.likelihood.one_hot(support.ratings) & support.mask.unsqueeze(-1)
        levels = levels.to(encoded.points.dtype)
        counts = levels.sum(1)
        damping, of_shares = self.log_dampings.exp()
        sums = damping * self.prior + levels.mT @ encoded.points
        shares = of_shares * state.method_state.log_shares.exp() + counts
        return Prototypes(
            points=sums / (damping + counts).unsqueeze(-1),
            log_shares=(shares / (of_shares + counts.sum(1, keepdim=True))).log(),
        )

    def _forecast(
        self, state: State[Prototypes], catalogue: Tensor, positions: Positions
    ) -> Tensor:
        encoded = self.encoder(catalogue, positions.rows, positions.side_features)
        return self._nearest(state.method_state, encoded.points)

    def _gradient_norms(
        self, state: State[Prototypes], catalogue: Tensor, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms by the item encoder's output layer."""
        encoded = self.encoder(catalogue, positions.rows, positions.side_features)
        forecasts = self._nearest(state.method_state, encoded.points)
        return self._level_gradient_norms(state, forecasts, encoded, tasks)

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for layers in (self.encoder, self.of_users):
            yield from layer_groups(layers)
        yield ParameterGroup(parameters=[self.prior])
        yield ParameterGroup(parameters=[self.log_dampings, self.log_inverse_temperature], rate=5.0)

    def _nearest(self, prototypes: Prototypes, points: Tensor) -> Tensor:
        """Log probabilities [B, N, L] of points [B, N, E]."""
        # |f|^2 is the same for all levels, and the softmax cancels it.
        distances = prototypes.points.square().sum(-1).unsqueeze(1) - 2 * (
            points @ prototypes.points.mT
        )
        logits = prototypes.log_shares.unsqueeze(1) - self.log_inverse_temperature.exp() * distances
        return logits.log_softmax(-1)
