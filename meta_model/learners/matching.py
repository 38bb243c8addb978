"""Matching network (Vinyals et al., NIPS 2016): ratings by attention to similar support items.

Items are encoded by f; a query item i attends to the support items s by the softmax of scaled
cosines (section 2.1.1), and the probability of a rating level is the attention of its items
(eq. 1). The loss is the cross entropy, the score the expected rating.

    a_s(i)       =  softmax_s( c cos(f(i), f(s)) )
    P(l | i, u)  =  sum_s a_s(i) 1[r_us = l]  +  a_0(i) pi_l(i, u)

A query item also attends to a prior, with the learnt logit c_0: a softmax pi over levels, computed
from the item and the user's features. It keeps every probability above 0, and is the prediction for
an empty support. docs/learners/matching.md says where else we differ.

Shapes: B tasks, N positions (S of the support), L rating levels, E the size of the space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.likelihoods import Categorical
from meta_model.layers.metric_encoder import Encoded, MetricEncoder
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Catalogue, Positions, State, Support

_INVERSE_TEMPERATURE = 10.0  # c before training


@dataclass(frozen=True, kw_only=True)
class EncodedSupport:
    """The encoded support: unit vectors [B, S, E], one-hot levels [B, S, L] and mask [B, S]."""

    directions: Tensor
    levels: Tensor
    mask: Tensor


class MatchingNetwork(RatingLearner[EncodedSupport, Tensor]):
    """Compares items with the support's by cosine; the state is the encoded support."""

    likelihood: Categorical

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        hidden, size = config.network.hidden_sizes[0], config.network.hidden_sizes[-1]
        n_levels = len(inputs.rating_levels)
        self.encoder = MetricEncoder(
            self.items.vector_size, self.items.n_side_features, hidden, size
        )
        self.item_prior = nn.Linear(size, n_levels)
        self.user_prior = nn.Linear(self.users.vector_size, n_levels, bias=False)
        self.log_inverse_temperature = nn.Parameter(torch.tensor(_INVERSE_TEMPERATURE).log())
        self.prior_logit = nn.Parameter(torch.tensor(_INVERSE_TEMPERATURE))

    def _make_likelihood(self, levels: tuple[float, ...]) -> Categorical:
        return Categorical(levels)

    def _items(self, _items: Tensor, vectors: Tensor) -> Tensor:
        return self.encoder.items(vectors)

    def _begin(self, tasks: Tasks, vectors: Tensor) -> EncodedSupport:
        nothing = vectors.new_zeros(len(tasks), 0, self.config.network.hidden_sizes[-1])
        levels = vectors.new_zeros(len(tasks), 0, len(self.likelihood.levels))
        return EncodedSupport(directions=nothing, levels=levels, mask=levels[:, :, 0].bool())

    def _fit(
        self, _state: State[EncodedSupport], catalogue: Tensor, support: Support, _tasks: Tasks
    ) -> EncodedSupport:
        encoded = self.encoder(catalogue, support.positions.rows, support.positions.side_features)
        return EncodedSupport(
            directions=F.normalize(encoded.points, dim=-1),
            levels=self.likelihood.one_hot(support.ratings).to(encoded.points.dtype),
            mask=support.mask,
        )

    def _forecast(
        self, state: State[EncodedSupport], catalogue: Tensor, positions: Positions
    ) -> Tensor:
        encoded = self.encoder(catalogue, positions.rows, positions.side_features)
        return self._matched(state, encoded, state.method_state.mask.unsqueeze(1))

    def _before_reactions(
        self, tasks: Tasks, catalogue: Catalogue[Tensor]
    ) -> State[EncodedSupport]:
        """A reaction beside the user's others; as the only one, it would match nothing."""
        return self.adapt(tasks, catalogue)

    def _gradient_norms(
        self, state: State[EncodedSupport], catalogue: Tensor, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms by the item encoder's output layer."""
        encoded = self.encoder(catalogue, positions.rows, positions.side_features)
        others = ~torch.eye(positions.rows.shape[1], dtype=torch.bool, device=positions.rows.device)
        forecasts = self._matched(state, encoded, state.method_state.mask.unsqueeze(1) & others)
        return self._level_gradient_norms(state, forecasts, encoded, tasks)

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for layers in (self.encoder, self.item_prior, self.user_prior):
            yield from layer_groups(layers)
        yield ParameterGroup(parameters=[self.log_inverse_temperature, self.prior_logit], rate=5.0)

    def _matched(self, state: State[EncodedSupport], encoded: Encoded, mask: Tensor) -> Tensor:
        """Log probabilities [B, N, L] of the encoded items.

        mask: [B, 1, S] or [B, N, S], the support ratings that each may attend to
        """
        encoded_support = state.method_state
        prior = self.item_prior(encoded.points) + self.user_prior(state.vectors).unsqueeze(1)
        cosines = F.normalize(encoded.points, dim=-1) @ encoded_support.directions.mT
        logits = (self.log_inverse_temperature.exp() * cosines).masked_fill(~mask, -torch.inf)
        logits = torch.cat([self.prior_logit.expand(*logits.shape[:-1], 1), logits], dim=-1)
        attention = logits.softmax(-1)
        levels: Tensor = (
            attention[..., :1] * prior.softmax(-1) + attention[..., 1:] @ encoded_support.levels
        )
        # At a low temperature the prior's share may round to zero.
        return levels.clamp(min=torch.finfo(levels.dtype).tiny).log()
