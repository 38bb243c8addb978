"""The support-aggregating estimator: a user is a learnt aggregate of the items they reacted to.

Items are encoded by f; a reaction's value v is computed from the item and the residual of its
rating over the baseline. The user is the mean of the values, or their attention-weighted mean
(after DIN, Zhou et al., KDD 2018; over sets, Zaheer et al., NIPS 2017).

    v_s    =  relu( W_v [f(s), r_us - baseline, f(s) (r_us - baseline)] )
    p_u    =  W_p [ sum_s a_s v_s,  profile of u ]
    r_ui   =  baseline  +  <p_u, f(i)>            or  c cos(p_u, f(i))

a_s is 1 / (n_u + d), where d is `local_update.support_damping`, or a softmax of logits made of the
same inputs as v, in which one more position, of logit 0, takes what no reaction claims. The loss is
that of the likelihood; for implicit feedback that is the cross entropy with sampled negatives.
docs/learners/aggregating.md has the choices.

Shapes: B tasks, N positions (S of the support), E the size of the space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.config import Config, MethodConfig, option
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.metric_encoder import Encoded, MetricEncoder
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Positions, State, Support


@dataclass(frozen=True, kw_only=True)
class AggregatingConfig(MethodConfig):
    """Options of the aggregating estimator beside those of all learners."""

    aggregate: Literal["attention", "mean"] = option(
        "attention", "how a support becomes one vector"
    )
    similarity: Literal["inner", "cosine"] = option("inner", "of user and item")


class AggregatingEstimator(RatingLearner[Tensor, Tensor]):
    """A task's state is its user's point, [B, E]."""

    method_config = AggregatingConfig

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        self.method = config.of_method(AggregatingConfig)
        hidden, size = config.network.hidden_sizes[0], config.network.hidden_sizes[-1]
        self.encoder = MetricEncoder(
            self.items.vector_size, self.items.n_side_features, hidden, size
        )
        self.value = nn.Linear(2 * size + 1, size)
        self.attention = (
            nn.Linear(2 * size + 1, 1) if self.method.aggregate == "attention" else None
        )
        self.user = nn.Linear(size + self.users.vector_size, size)
        self.log_inverse_temperature = nn.Parameter(
            torch.zeros(()), self.method.similarity == "cosine"
        )

    def _items(self, _items: Tensor, vectors: Tensor) -> Tensor:
        return self.encoder.items(vectors)

    def _begin(self, tasks: Tasks, vectors: Tensor) -> Tensor:
        return self._point(vectors.new_zeros(len(tasks), self.value.out_features), vectors)

    def _fit(
        self, state: State[Tensor], catalogue: Tensor, support: Support, _tasks: Tasks
    ) -> Tensor:
        points = self.encoder(
            catalogue, support.positions.rows, support.positions.side_features
        ).points
        residual = support.residual.unsqueeze(-1)
        reactions = torch.cat([points, residual, points * residual], dim=-1)
        weights = support.weight
        if self.attention is not None:
            logits = self.attention(reactions).squeeze(-1).masked_fill(~support.mask, -torch.inf)
            logits = torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1)
            weights = logits.softmax(1)[:, 1:]
        values = F.relu(self.value(reactions))
        return self._point((weights.unsqueeze(-1) * values).sum(1), state.vectors)

    def _forecast(self, state: State[Tensor], catalogue: Tensor, positions: Positions) -> Tensor:
        encoded = self.encoder(catalogue, positions.rows, positions.side_features)
        return positions.baseline + self._residual(state.method_state, encoded)

    def _gradient_norms(
        self, state: State[Tensor], catalogue: Tensor, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms by the item encoder's output layer."""
        encoded = self.encoder(catalogue, positions.rows, positions.side_features)
        residual = self._residual(state.method_state, encoded)
        norms = encoded.gradients().norms(residual)
        return self._score_gradient_norms(
            state, (positions.baseline + residual).detach(), norms, tasks
        )

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for layers in (self.encoder, self.value, self.user):
            yield from layer_groups(layers)
        if self.attention is not None:
            yield from layer_groups(self.attention)
        is_learnt = self.log_inverse_temperature.requires_grad
        parameters = [self.log_inverse_temperature] if is_learnt else []
        yield ParameterGroup(parameters=parameters, rate=5.0)

    def _point(self, aggregate: Tensor, vectors: Tensor) -> Tensor:
        point: Tensor = self.user(torch.cat([aggregate, vectors], dim=1))
        return point

    def _residual(self, users: Tensor, encoded: Encoded) -> Tensor:
        """The predicted residuals [B, N]: the similarity of users and encoded items."""
        points = encoded.points
        if self.method.similarity == "cosine":
            users, points = F.normalize(users, dim=-1), F.normalize(points, dim=-1)
            users = users * self.log_inverse_temperature.exp()
        return (points @ users.unsqueeze(-1)).squeeze(-1)
