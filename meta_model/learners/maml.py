"""MAML: Model-Agnostic Meta-Learning (Finn, Abbeel and Levine, ICML 2017), every layer local.

A task adapts all of MeLU's network: the decision layers, and the embeddings of the user's and the
support items' attributes.

    theta_u  =  theta - a * grad_theta L_u,support(theta)                               local
    theta    <- theta - b * grad_theta sum_u L_u,query(theta_u)                         global

`gradient` chooses exact second order, first order (section 5.2) or Reptile (Nichol, Achiam and
Schulman 2018); `local_update.rates` fixed rates a, one a layer and step, or Meta-SGD's (Li et al.
2017) one for each parameter. A task moves only those rows of a table that its support has the
values of; they are kept as differences from the shared rows. docs/learners/maml.md says where we
differ.

Shapes: B tasks, N positions (S of the support), M items, K values of all features of an item, P
rows of the items' table that the tasks of a batch adapt in all, E the size of an embedding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.encoders.local_tables import FeatureValues, found_means, means, slots_of
from meta_model.layers.fast_weights import FastWeightLayers
from meta_model.layers.local_update import LocalUpdate, Weights
from meta_model.layers.per_example_gradients import PerExampleGradients
from meta_model.layers.rows import at_rows
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups, parameters_of
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Positions, State, Support


@dataclass(frozen=True, kw_only=True)
class MAMLItems:
    """A catalogue: vectors [M, V], or [2M, V] with cold copies of the items; feature values."""

    vectors: Tensor
    values: FeatureValues

    def values_at(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """FeatureValues and weights [B, N, K] at rows [B, N]; a cold copy has its item's values."""
        rows = rows % len(self.values.numbers)
        return at_rows(self.values.numbers, rows), at_rows(self.values.weights, rows)


@dataclass(frozen=True, kw_only=True)
class AdaptedParameters:
    """Each task's adapted parameters: table rows, as differences from the shared ones, and layers.

    users: the feature values of the tasks' users
    slots: [B, values in all], the number of a value's adapted row of the items' table, 1 to P; 0
    where the task does not adapt the value
    rows: [P], the numbers of these rows in the shared table
    weights: the users' differences, the items' [P, E], and the layers' weights and biases
    """

    users: FeatureValues
    slots: Tensor
    rows: Tensor
    weights: Weights


class MAML(RatingLearner[AdaptedParameters, MAMLItems]):
    """Adapts embeddings and layers by gradient steps; the state is every adapted parameter."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        users, items = self.users.embedding.output_size, self.items.embedding.output_size
        sizes = (users, self.users.vector_size - users, items, self.items.vector_size - items)
        self.layers = FastWeightLayers(
            (*sizes, self.items.n_side_features), (*config.network.hidden_sizes, 1)
        )
        tables = [self.users.embedding.table.shape, self.items.embedding.table.shape]
        shapes = [*tables, *self.layers.shapes()]
        self.update = LocalUpdate(shapes, config.local_update.steps, config.local_update)

    def _items(self, items: Tensor, vectors: Tensor) -> MAMLItems:
        return MAMLItems(vectors=vectors, values=FeatureValues.of(self.items.attributes, items))

    def _begin(self, tasks: Tasks, vectors: Tensor) -> AdaptedParameters:
        values = FeatureValues.of(self.users.attributes, tasks.users)
        slots = tasks.users.new_zeros(len(tasks), self.items.attributes.n_values)
        return self._unmoved(values, slots, vectors)

    def _fit(
        self, state: State[AdaptedParameters], catalogue: MAMLItems, support: Support, _tasks: Tasks
    ) -> AdaptedParameters:
        values, _ = catalogue.values_at(support.positions.rows)
        slots = slots_of(values, support.mask, self.items.attributes.n_values)
        initial = self._unmoved(state.method_state.users, slots, state.vectors)

        def losses(weights: Weights) -> Tensor:
            residual = self._residual(state, initial, weights, catalogue, support.positions)
            scores = support.positions.baseline + residual
            of_positions = self.local_likelihood.losses(
                scores, state.threshold_offsets, support.ratings
            )
            return (of_positions * support.weight).sum(1)

        rows = {0: initial.users.numbers, 1: initial.rows}
        moved, _ = self.update(losses, initial.weights, rows)
        return AdaptedParameters(users=initial.users, slots=slots, rows=initial.rows, weights=moved)

    def _forecast(
        self, state: State[AdaptedParameters], catalogue: MAMLItems, positions: Positions
    ) -> Tensor:
        adapted = state.method_state
        return positions.baseline + self._residual(
            state, adapted, adapted.weights, catalogue, positions
        )

    def _gradient_norms(
        self,
        state: State[AdaptedParameters],
        catalogue: MAMLItems,
        positions: Positions,
        tasks: Tasks,
    ) -> GradientNorms:
        """Norms by everything that a task adapts: embeddings and layers."""
        gradients = PerExampleGradients()
        residual = self._residual(
            state,
            state.method_state,
            state.method_state.weights,
            catalogue,
            positions,
            gradients,
        )
        scores = (positions.baseline + residual).detach()
        return self._score_gradient_norms(state, scores, gradients.norms(residual), tasks)

    def adaptation_deltas(self, state: State[AdaptedParameters]) -> dict[nn.Parameter, Tensor]:
        """Deltas of layers and tables; a table's rows are summed over the tasks."""
        adapted = state.method_state
        of_users, of_items, *layers = adapted.weights
        deltas = self.layers.adaptation_deltas(tuple(layers))
        for table, rows, by in (
            (self.users.embedding.table, adapted.users.numbers.flatten(), of_users.flatten(0, 1)),
            (self.items.embedding.table, adapted.rows, of_items),
        ):
            deltas[table] = torch.zeros_like(table).index_add(0, rows, by)
        return deltas

    def _method_groups(self) -> Iterable[ParameterGroup]:
        yield from layer_groups(self.layers)
        yield ParameterGroup(parameters=parameters_of(self.update), rate=10.0)

    def _unmoved(self, users: FeatureValues, slots: Tensor, like: Tensor) -> AdaptedParameters:
        """The parameters before any step: zero differences, and the shared layers."""
        rows = slots.nonzero()[:, 1]
        size = self.config.network.embedding_size
        of_users, of_items = (
            like.new_zeros(*shape, size, requires_grad=True)
            for shape in (users.numbers.shape, rows.shape)
        )
        weights = (of_users, of_items, *self.layers.start(len(slots)))
        return AdaptedParameters(users=users, slots=slots, rows=rows, weights=weights)

    def _residual(
        self,
        state: State[AdaptedParameters],
        adapted: AdaptedParameters,
        weights: Weights,
        items: MAMLItems,
        positions: Positions,
        gradients: PerExampleGradients | None = None,
    ) -> Tensor:
        """The predicted residuals over the baseline, [B, N]."""
        of_users, of_items, *layers = weights
        n_positions = positions.rows.shape[1]
        n_of_users, n_of_items = (side.attributes.n_features for side in (self.users, self.items))
        moved = means(of_users, adapted.users.weights, n_of_users).unsqueeze(1)
        values, weight = items.values_at(positions.rows)
        content = found_means(adapted.slots, values, weight, of_items, n_of_items)
        if gradients is not None:
            moved = moved.expand(-1, n_positions, -1)  # one for each position, to differentiate by
            gradients.add_means(moved, adapted.users.weights.unsqueeze(1), n_of_users)
            gradients.add_means(content, weight, n_of_items)
        users, statistics = _split(state.vectors.unsqueeze(1), self.users.embedding.output_size)
        vectors, identity = _split(
            at_rows(items.vectors, positions.rows), self.items.embedding.output_size
        )
        parts = [users + moved, statistics, vectors + content, identity, positions.side_features]
        residual: Tensor = self.layers(tuple(layers), parts, gradients)
        return residual.squeeze(-1)


def _split(vectors: Tensor, at: int) -> tuple[Tensor, Tensor]:
    return vectors[..., :at], vectors[..., at:]
