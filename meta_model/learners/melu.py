"""MeLU: Meta-Learned User Preference Estimator (Lee et al., KDD 2019).

A user's and an item's attributes are embedded (eqs. 1 and 2) and concatenated (eq. 3); decision
layers with ReLU (eq. 4) turn them into a score (eq. 5). The embeddings are global. The decision
layers, the output layer among them, are adapted to a user by gradient steps on the support
(algorithm 1, lines 5-7); the local loss is the squared error (eq. 6), its sum over the support's n
interactions divided by n + `local_update.support_damping`.

    theta_2_u  =  theta_2 - a * grad_theta_2 L_u,support(theta_1, theta_2)             local
    theta      <- theta - b * grad_theta sum_u L_u,query(theta_1, theta_2_u)           global

What we add is shared by all methods (`rating_learner`), but for the local rates: one a layer and
local step, learnt (after Meta-SGD, Li et al. 2017). docs/learners/melu.md has the whole list.

Shapes: B tasks, N positions, M items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.decision_layers import DecisionLayers, Update
from meta_model.layers.layer_inputs import ConcatenatedInputs, Projected
from meta_model.layers.materialised_weights import MaterialisedWeights, materialise
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Positions, State, Support
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class AdaptedLayers:
    """Each task's decision layers: the users' part of their input, and the local update.

    `for_catalogue` turns the update, as factors, into weights.
    """

    users: Projected
    update: Update | MaterialisedWeights


class MeLU(RatingLearner[AdaptedLayers, Projected]):
    """Adapts the decision layers in closed form; the state is an update in factors."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        if config.local_update.rates == "parameter":
            raise UserError(
                "local_update.rates is 'parameter', and MeLU's update in closed form has one rate "
                "a layer; set it to layer, or choose the model maml."
            )
        self.decision = DecisionLayers(
            (self.users.vector_size, self.items.vector_size, self.items.n_side_features),
            config.network.hidden_sizes,
            config.local_update.steps,
            config.local_update.rate,
            config.local_update.rates == "layer",
        )

    def _items(self, _items: Tensor, vectors: Tensor) -> Projected:
        return self.decision.items(vectors)

    def _begin(self, _tasks: Tasks, vectors: Tensor) -> AdaptedLayers:
        return AdaptedLayers(users=self.decision.users(vectors), update=())

    def _fit(
        self, state: State[AdaptedLayers], catalogue: Projected, support: Support, _tasks: Tasks
    ) -> AdaptedLayers:
        positions = support.positions

        def loss_gradient(residual: Tensor) -> Tensor:
            return self.local_likelihood.gradients(
                positions.baseline + residual, state.threshold_offsets, support.ratings
            )

        users = state.method_state.users
        x = _inputs(users, catalogue, positions)
        is_second_order = self.config.local_update.gradient == "second_order"
        update = self.decision.adapt(x, loss_gradient, support.weight, is_second_order)
        return AdaptedLayers(users=users, update=update)

    def _forecast(
        self, state: State[AdaptedLayers], catalogue: Projected, positions: Positions
    ) -> Tensor:
        update = state.method_state.update
        x = _inputs(state.method_state.users, catalogue, positions)
        residual: Tensor = (
            update(x) if isinstance(update, MaterialisedWeights) else self.decision(x, update)
        )
        return positions.baseline + residual

    def for_catalogue(self, state: State[AdaptedLayers]) -> State[AdaptedLayers]:
        """The adapted layers as dense weights, which predict many items faster."""
        users, update = state.method_state.users, state.method_state.update
        if isinstance(update, MaterialisedWeights) or not update:
            return state
        materialised = AdaptedLayers(users=users, update=materialise(self.decision, users, update))
        return replace(state, method_state=materialised)

    @torch.no_grad()
    def _gradient_norms(
        self, state: State[AdaptedLayers], catalogue: Projected, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms by the decision layers, for all positions in one pass and in closed form."""
        users = state.method_state.users
        residual, norms = self.decision.per_example_gradient_norms(
            _inputs(users, catalogue, positions)
        )
        return self._score_gradient_norms(state, positions.baseline + residual, norms, tasks)

    def adaptation_deltas(self, state: State[AdaptedLayers]) -> dict[nn.Parameter, Tensor]:
        """Deltas of the decision layers, summed over tasks from the factors."""
        update = state.method_state.update
        assert not isinstance(update, MaterialisedWeights)  # training has no use for them
        return self.decision.adaptation_deltas(update)

    def _method_groups(self) -> Iterable[ParameterGroup]:
        yield from layer_groups(self.decision.layers)
        rates = [self.decision.log_rates] if self.decision.log_rates.requires_grad else []
        yield ParameterGroup(parameters=rates, rate=10.0)


def _inputs(users: Projected, items: Projected, positions: Positions) -> ConcatenatedInputs:
    """The decision layers' inputs at the positions."""
    return ConcatenatedInputs(
        users=users, items=items, rows=positions.rows, side_features=positions.side_features
    )
