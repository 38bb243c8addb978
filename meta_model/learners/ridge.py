"""Ridge regression on learnt item features: the local update in closed form.

An item's features f(i) are learnt. A user's weights are the ridge regression of the residuals of
their ratings on these features, drawn towards a prior w_0 that is linear in the user's vector:

    f(i)  =  L x_i + g(x_i)
    w_u   =  w_0 + A^-1 F^T (e - F w_0),    A = F^T F + l I
    r_ui  =  baseline + <w_u, f(i)>

x_i is the item's vector, g has a hidden layer and sees the side features too, F has the rows f(s)
of the support's items s, and e_s = r_us - baseline. The global update differentiates through the
solution (R2-D2, Bertinetto et al., ICLR 2019, eq. 4), which is the mean of Bayesian linear
regression (ALPaCA, Harrison et al., WAFR 2018, eq. 5). docs/learners/ridge.md has the choices.

Shapes: B tasks, N positions (S of the support), M items, H the hidden layer's size, E features.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.cholesky import solved
from meta_model.layers.metric_encoder import MetricEncoder
from meta_model.layers.rows import at_rows
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Positions, State, Support

_RIDGE = 4.0  # l before training


@dataclass(frozen=True, kw_only=True)
class ItemParts:
    """What features take from items alone: linear [M, E], and for the hidden layer [M, H]."""

    linear: Tensor
    hidden: Tensor


class RidgeRegression(RatingLearner[Tensor, ItemParts]):
    """A task's state is its user's weights, [B, E]."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        hidden, size = config.network.hidden_sizes[0], config.network.hidden_sizes[-1]
        self.encoder = MetricEncoder(
            self.items.vector_size, self.items.n_side_features, hidden, size
        )
        self.linear = nn.Linear(self.items.vector_size, size, bias=False)
        self.prior = nn.Linear(self.users.vector_size, size)
        self.log_ridge = nn.Parameter(torch.tensor(_RIDGE).log())

    def _items(self, _items: Tensor, vectors: Tensor) -> ItemParts:
        return ItemParts(linear=self.linear(vectors), hidden=self.encoder.items(vectors))

    def _begin(self, _tasks: Tasks, vectors: Tensor) -> Tensor:
        prior: Tensor = self.prior(vectors)
        return prior

    def _fit(
        self, state: State[Tensor], catalogue: ItemParts, support: Support, _tasks: Tasks
    ) -> Tensor:
        prior = state.method_state
        features = self._features(catalogue, support.positions) * support.mask.unsqueeze(-1)
        surprise = support.residual.unsqueeze(-1) - features @ prior.unsqueeze(-1)
        ridge = self.log_ridge.exp().expand(features.shape[-1]).diag()
        return prior + solved(features.mT @ features + ridge, features.mT @ surprise).squeeze(-1)

    def _forecast(self, state: State[Tensor], catalogue: ItemParts, positions: Positions) -> Tensor:
        return _scores(state.method_state, self._features(catalogue, positions), positions)

    @torch.no_grad()
    def _gradient_norms(
        self, state: State[Tensor], catalogue: ItemParts, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms by the user's weights: a score's gradient is the item's features."""
        features = self._features(catalogue, positions)
        scores = _scores(state.method_state, features, positions)
        return self._score_gradient_norms(state, scores, features.norm(dim=-1), tasks)

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for layers in (self.encoder, self.linear, self.prior):
            yield from layer_groups(layers)
        yield ParameterGroup(parameters=[self.log_ridge], rate=5.0)

    def _features(self, catalogue: ItemParts, positions: Positions) -> Tensor:
        """[B, N, E], or [1, N, E] of the same items for all tasks."""
        encoded = self.encoder(catalogue.hidden, positions.rows, positions.side_features)
        features: Tensor = at_rows(catalogue.linear, positions.rows) + encoded.points
        return features


def _scores(weights: Tensor, features: Tensor, positions: Positions) -> Tensor:
    """[B, N] of weights [B, E] and features [B, N, E]."""
    return positions.baseline + (features @ weights.unsqueeze(-1)).squeeze(-1)
