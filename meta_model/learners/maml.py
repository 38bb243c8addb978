"""MAML: Model-Agnostic Meta-Learning (Finn, Abbeel and Levine, ICML 2017), every layer local.

MeLU's network, of which a task adapts all: the decision layers, and the embeddings of the user's
and the support items' attributes as well.

    theta_u  =  theta - a * grad_theta L_u,support(theta)                               local
    theta    <- theta - b * grad_theta sum_u L_u,query(theta_u)                         global

`gradient` chooses exact second order, first order (section 5.2) or Reptile (Nichol, Achiam and
Schulman 2018); `local_rates` fixed rates a, one a layer and step, or Meta-SGD's (Li et al. 2017)
one for each parameter. A task moves only those rows of a table that its support has the values of;
they are kept as differences from the shared rows. docs/learners/maml.md says where we differ.

Shapes: B tasks, N places (S of the support), M items, K values of all features of an item, P rows
of the items' table that the tasks of a batch adapt in all, E the size of an embedding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.fast_layers import FastLayers, Trace
from meta_model.layers.layer_inputs import at_rows
from meta_model.layers.local_update import LocalUpdate, Weights
from meta_model.learners.embedding import Attributes
from meta_model.learners.learner import ParameterGroup, Sensitivity
from meta_model.learners.rating_learner import (
    Catalogue,
    Places,
    RatingLearner,
    State,
    Support,
    layer_groups,
    parameters_of,
)


@dataclass(frozen=True, kw_only=True)
class Values:
    """Entities' values of all features [N, K], and each one's weight in its feature's mean."""

    numbers: Tensor
    weights: Tensor

    @staticmethod
    def of(attributes: Attributes, indices: Tensor) -> Values:
        values, weights = attributes(indices)
        known = weights.unsqueeze(-1) * (values > 0)
        return Values(numbers=values.flatten(1), weights=known.flatten(1))


@dataclass(frozen=True, kw_only=True)
class Items:
    """A catalogue: vectors [M, V], or [2M, V] with the items once more as cold ones."""

    vectors: Tensor
    values: Values

    def values_at(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Values and weights [B, N, K] at rows [B, N]: a cold item has the values it has."""
        rows = rows % len(self.values.numbers)
        return at_rows(self.values.numbers, rows), at_rows(self.values.weights, rows)


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """Each task's own weights: the tables' rows as differences from the shared ones, the layers.

    users: the values of the tasks' users; slots: [B, values in all], where in the adapted rows 1..P
    of the items' table a value is; rows: [P], the tables' rows that these are; 0 is for none
    """

    users: Values
    slots: Tensor
    rows: Tensor
    weights: Weights


class MAML(RatingLearner):
    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        users, items = self.users.embedding.output_size, self.items.embedding.output_size
        sizes = (users, self.users.vector_size - users, items, self.items.vector_size - items)
        self.layers = FastLayers((*sizes, self.items.n_details), (*config.hidden_sizes, 1))
        tables = [self.users.embedding.table.shape, self.items.embedding.table.shape]
        shapes = [*tables, *self.layers.shapes()]
        self.update = LocalUpdate(shapes, config.local_steps, config)

    def _items(self, items: Tensor, vectors: Tensor) -> Items:
        return Items(vectors=vectors, values=Values.of(self.items.attributes, items))

    def _begin(self, tasks: Tasks, vectors: Tensor) -> Adapted:
        values = Values.of(self.users.attributes, tasks.users)
        slots = tasks.users.new_zeros(len(tasks), self.items.attributes.n_values)
        return self._unmoved(values, slots, vectors)

    def _fit(self, state: State, catalogue: Items, support: Support, _tasks: Tasks) -> Adapted:
        slots = self._slots(catalogue, support)
        begun = self._unmoved(state.own.users, slots, state.vectors)

        def losses(weights: Weights) -> Tensor:
            rest = self._rest(state, begun, weights, catalogue, support.places)
            scores = support.places.anchor + rest
            of_places = self.local.losses(scores, state.shift, support.ratings)
            return (of_places * support.weight).sum(1)

        rows = {0: begun.users.numbers, 1: begun.rows}
        moved, _ = self.update(losses, begun.weights, rows)
        return Adapted(users=begun.users, slots=slots, rows=begun.rows, weights=moved)

    def _forecast(self, state: State, catalogue: Items, places: Places) -> Tensor:
        own = state.own
        return places.anchor + self._rest(state, own, own.weights, catalogue, places)

    @torch.enable_grad()
    def sensitivity(self, tasks: Tasks, catalogue: Catalogue) -> Sensitivity:
        state, trace = self.unadapted(tasks), Trace()
        known = self.items.known(catalogue.items, self.statistics.support(tasks), state.is_hidden)
        places = self._places(state, known)
        rest = self._rest(state, state.own, state.own.weights, catalogue.own, places, trace)
        scores = (places.anchor + rest).detach()
        return self._sensitivity(state, scores, trace.norms(rest), tasks)

    def local_shift(self, state: State) -> dict[nn.Parameter, Tensor]:
        own: Adapted = state.own
        of_users, of_items, *layers = own.weights
        moved = self.layers.shift(tuple(layers))
        for table, rows, by in (
            (self.users.embedding.table, own.users.numbers.flatten(), of_users.flatten(0, 1)),
            (self.items.embedding.table, own.rows, of_items),
        ):
            moved[table] = torch.zeros_like(table).index_add(0, rows, by)
        return moved

    def _own_groups(self) -> Iterable[ParameterGroup]:
        yield from layer_groups(self.layers)
        yield ParameterGroup(parameters=parameters_of(self.update), rate=10.0)

    def _slots(self, items: Items, support: Support) -> Tensor:
        """Where the rows are that the support's items adapt, [B, values in all]."""
        values, _ = items.values_at(support.places.rows)
        n_tasks, n_values = len(values), self.items.attributes.n_values
        seen = torch.zeros(n_tasks, n_values, dtype=torch.bool, device=values.device)
        seen.scatter_(1, (values * support.mask.unsqueeze(-1)).flatten(1), value=True)
        seen[:, 0] = False
        return seen.flatten().cumsum(0).view_as(seen) * seen

    def _unmoved(self, users: Values, slots: Tensor, like: Tensor) -> Adapted:
        """The state before any step: the differences are zero, the layers the shared ones."""
        rows = slots.nonzero()[:, 1]
        size = self.config.embedding_size
        of_users, of_items = (
            like.new_zeros(*shape, size, requires_grad=True)
            for shape in (users.numbers.shape, rows.shape)
        )
        weights = (of_users, of_items, *self.layers.start(len(slots)))
        return Adapted(users=users, slots=slots, rows=rows, weights=weights)

    def _rest(
        self,
        state: State,
        own: Adapted,
        weights: Weights,
        items: Items,
        places: Places,
        trace: Trace | None = None,
    ) -> Tensor:
        """What is predicted beyond the anchor, [B, N]."""
        of_users, of_items, *layers = weights
        n_places = places.rows.shape[1]
        moved = self._means(of_users, own.users.weights, self.users.attributes).unsqueeze(1)
        values, weight = items.values_at(places.rows)
        content = self._content(own.slots, values, weight, of_items)
        if trace is not None:
            moved = moved.expand(-1, n_places, -1)  # a place's own, to be differentiated by
            trace.add_means(moved, own.users.weights.unsqueeze(1), self.users.attributes.n_features)
            trace.add_means(content, weight, self.items.attributes.n_features)
        users, statistics = _split(state.vectors.unsqueeze(1), self.users.embedding.output_size)
        vectors, identity = _split(
            at_rows(items.vectors, places.rows), self.items.embedding.output_size
        )
        parts = [users + moved, statistics, vectors + content, identity, places.details]
        rest: Tensor = self.layers(tuple(layers), parts, trace)
        return rest.squeeze(-1)

    def _content(self, slots: Tensor, values: Tensor, weights: Tensor, moved: Tensor) -> Tensor:
        """What the adapted rows, moved [P, E], add to items at places: [B, N, F * E].

        Of the values [B, N, K] most are padding, or not in the task's support: only the others are
        looked up.
        """
        n_tasks, n_places, n_values = len(slots), values.shape[1], values.shape[2]
        found = slots.gather(1, values.flatten(1).expand(n_tasks, -1))
        tasks, places = found.nonzero(as_tuple=True)
        weight = weights.flatten(1).expand(n_tasks, -1)[tasks, places]
        rows = moved.index_select(0, found[tasks, places] - 1) * weight.unsqueeze(1)
        n_features = self.items.attributes.n_features
        cells = (tasks * (n_places * n_values) + places) // (n_values // n_features)
        sums = rows.new_zeros(n_tasks * n_places * n_features, moved.shape[-1])
        return sums.index_add(0, cells, rows).view(n_tasks, n_places, -1)

    def _means(self, rows: Tensor, weights: Tensor, attributes: Attributes) -> Tensor:
        """Each feature's weighted sum [..., F * E] of rows [..., K, E], by weights [..., K]."""
        weighted: Tensor = rows * weights.unsqueeze(-1)
        weighted = weighted.unflatten(-2, (attributes.n_features, -1))
        return weighted.sum(-2).flatten(-2)


def _split(vectors: Tensor, at: int) -> tuple[Tensor, Tensor]:
    return vectors[..., :at], vectors[..., at:]
