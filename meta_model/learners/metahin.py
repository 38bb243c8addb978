"""MetaHIN: meta-learning on a heterogeneous network (Lu, Fang and Shi, KDD 2020).

Each meta-path p describes a user and an item by a context c_ui^p: the items that the path leads to
from the item (`metapath_contexts`; for UM, from the user). The model adapts twice on each path, and
fuses the paths' predictions by their losses on the support.

    x_ui^p     =  relu(W_phi c_ui^p + b_phi),   r_ui^p = h(u, i, x_ui^p, e_ui^p)  (1) to (3)
    phi_u^p    =  phi - alpha grad_phi L_u,support(omega, phi)           semantic-wise (6)
    omega^p    =  omega * kappa(mean_s x_us^p)                      transformed prior (7)
    omega_u^p  =  omega^p - beta grad L_u,support(omega^p, phi_u^p)          task-wise (8)
    a_u^p      =  softmax_p( -g L_u,support(omega_u^p, phi_u^p) )             fusion (10)
    r_ui       =  baseline + sum_p a_u^p r_ui^p                                         (9)

The losses that weigh the paths are the support's; the published code takes the query's. e_ui^p, the
support's residuals propagated along the path (`residual_propagation`), is our addition.
docs/learners/metahin.md says where else we differ, and why.

Shapes: B tasks, N positions (S of the support), P paths with UM, C the size of a context, H of x.
Networks run on the B * P pairs of a task and a path, the paths of a task one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.config import Config, MethodConfig, option
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.encoders.metapath_contexts import ItemGraph, MetapathContexts
from meta_model.layers.fast_weights import FastWeightLayers
from meta_model.layers.local_update import LocalUpdate, Weights
from meta_model.layers.per_example_gradients import PerExampleGradients
from meta_model.layers.residual_propagation import N_PROPAGATED, ResidualPropagation, SupportMemory
from meta_model.layers.rows import at_rows
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.rating_learner import RatingLearner, layer_groups, parameters_of
from meta_model.learners.task_state import Positions, State, Support


@dataclass(frozen=True, kw_only=True)
class MetaHINConfig(MethodConfig):
    """Options of MetaHIN beside those of all learners."""

    contexts: bool = option(True, "without them the same model sees empty contexts")
    context_size: int = option(
        16, "neighbours of an item that are read for each meta-path", above=0
    )


@dataclass(frozen=True, kw_only=True)
class MetaHINItems:
    """A catalogue: e_i [M, C], or [2M, C] with cold copies of the items; the item graph."""

    vectors: Tensor
    graph: ItemGraph


@dataclass(frozen=True, kw_only=True)
class Semantics:
    """Each task's context and adapted weights on each meta-path.

    items: [B, T], the task's items, which its contexts leave out
    user: [B, C], e_u; taste: [B, C], the context of UM
    phi, omega: the adapted weights of B * P networks; attention: [B, P], the weight of each path
    """

    items: Tensor
    user: Tensor
    taste: Tensor
    memory: SupportMemory
    phi: Weights
    omega: Weights
    attention: Tensor


class MetaHIN(RatingLearner[Semantics, MetaHINItems]):
    """Adapts two networks on each meta-path; the state is contexts, weights and attention."""

    method_config = MetaHINConfig

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        self.method = config.of_method(MetaHINConfig)
        size = config.network.embedding_size
        self.contexts = MetapathContexts(
            self.items,
            self.statistics,
            inputs.metapaths,
            size=size,
            n_neighbours=self.method.context_size,
            seed=config.seed,
        )
        self.n_paths = 1 + len(inputs.metapaths.names)
        self.semantic = FastWeightLayers((self.contexts.size,), (size,))
        self.of_users = nn.Linear(self.users.vector_size, size)
        self.of_items = nn.Linear(self.items.vector_size, size)
        outputs = (*config.network.hidden_sizes, 1)
        inputs_of_rating = (size, size, self.items.n_side_features, size, N_PROPAGATED)
        self.rating = FastWeightLayers(inputs_of_rating, outputs)
        self.propagation = ResidualPropagation(self.n_paths)
        self.kappa = nn.Linear(size, sum(outputs))
        nn.init.zeros_(self.kappa.weight)  # at first, the prior is the same for every context
        nn.init.zeros_(self.kappa.bias)
        self.log_inverse_temperature = nn.Parameter(torch.zeros(()))  # of g
        self.semantic_wise = LocalUpdate(self.semantic.shapes(), 1, config.local_update)
        self.task_wise = LocalUpdate(
            self.rating.shapes(), config.local_update.steps, config.local_update
        )

    def _items(self, items: Tensor, vectors: Tensor) -> MetaHINItems:
        return MetaHINItems(vectors=self.of_items(vectors), graph=self.contexts.graph(items))

    def _begin(self, tasks: Tasks, vectors: Tensor) -> Semantics:
        n_pairs = len(tasks) * self.n_paths
        phi = self.semantic.start(n_pairs)
        nothing = vectors.new_zeros(n_pairs, self.kappa.in_features)
        return Semantics(
            items=tasks.items[tasks.query.rows],
            user=self.of_users(vectors),
            taste=vectors.new_zeros(len(tasks), self.contexts.size),
            memory=self.propagation.empty_memory(n_pairs, self.contexts.size, vectors),
            phi=phi,
            omega=self._transformed(nothing),
            attention=vectors.new_full((len(tasks), self.n_paths), 1 / self.n_paths),
        )

    def _fit(
        self, state: State[Semantics], catalogue: MetaHINItems, support: Support, tasks: Tasks
    ) -> Semantics:
        rated = tasks.items[tasks.support.rows]
        initial = state.method_state
        semantics = replace(
            initial,
            items=torch.cat([initial.items, rated], dim=1),
            taste=self.contexts.mean(catalogue.graph, rated, support.weight),
        )
        contexts = self._contexts(semantics, catalogue, support.positions)
        weight = self._paired(support.weight)
        memory = SupportMemory(
            contexts=contexts, residual=self._paired(support.residual), mask=weight > 0
        )
        semantics = replace(semantics, memory=memory)
        path_inputs = (contexts, self.propagation(contexts, memory, is_support=True))

        def losses(phi: Weights, omega: Weights) -> Tensor:
            residual = self._residual(state, phi, omega, catalogue, support.positions, path_inputs)
            scores = self._paired(support.positions.baseline) + residual
            ratings, offsets = self._paired(support.ratings), self._paired(state.threshold_offsets)
            return (self.local_likelihood.losses(scores, offsets, ratings) * weight).sum(1)

        shared = self.rating.start(len(weight))
        phi, _ = self.semantic_wise(lambda phi: losses(phi, shared), initial.phi)
        seen = (F.relu(self.semantic(phi, [contexts])) * weight.unsqueeze(-1)).sum(1)
        prior = self._transformed(seen)
        omega, _ = self.task_wise(lambda omega: losses(phi, omega), prior)
        fit = losses(phi, omega).view(-1, self.n_paths)
        attention = (-self.log_inverse_temperature.exp() * fit).softmax(1)
        return replace(semantics, phi=phi, omega=omega, attention=attention)

    def _forecast(
        self, state: State[Semantics], catalogue: MetaHINItems, positions: Positions
    ) -> Tensor:
        semantics = state.method_state
        contexts = self._contexts(semantics, catalogue, positions)
        path_inputs = (contexts, self.propagation(contexts, semantics.memory))
        residual = self._residual(
            state, semantics.phi, semantics.omega, catalogue, positions, path_inputs
        )
        return positions.baseline + self._fused(semantics, residual)

    def _gradient_norms(
        self, state: State[Semantics], catalogue: MetaHINItems, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms over all paths: the root of the sum of their squares."""
        gradients = PerExampleGradients()
        semantics = replace(state.method_state, items=tasks.items[tasks.support.rows])
        contexts = self._contexts(semantics, catalogue, positions)
        path_inputs = (contexts, self.propagation(contexts, semantics.memory))
        residual = self._residual(
            state,
            semantics.phi,
            semantics.omega,
            catalogue,
            positions,
            path_inputs,
            gradients,
        )
        fused = self._fused(semantics, residual)
        of_paths = gradients.norms(fused).unflatten(0, (-1, self.n_paths))
        norms = of_paths.square().sum(1).sqrt()
        return self._score_gradient_norms(
            state, (positions.baseline + fused).detach(), norms, tasks
        )

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for layers in (
            *(self.of_users, self.of_items, self.semantic, self.rating, self.kappa, self.contexts),
        ):
            yield from layer_groups(layers)
        rates = parameters_of(self.semantic_wise, self.task_wise)
        yield ParameterGroup(parameters=rates, rate=10.0)
        yield ParameterGroup(
            parameters=[self.log_inverse_temperature, *parameters_of(self.propagation)], rate=5.0
        )

    def _contexts(
        self, semantics: Semantics, catalogue: MetaHINItems, positions: Positions
    ) -> Tensor:
        """Contexts [B * P, N, C]: the user's for UM, the items' for the other paths."""
        n_positions = positions.rows.shape[1]
        of_items = self.contexts.contexts(catalogue.graph, positions.rows, semantics.items)
        of_items = of_items.transpose(0, 1)
        of_user = semantics.taste[:, None, None].expand(-1, 1, n_positions, -1)
        contexts = torch.cat([of_user, of_items], dim=1).flatten(0, 1)
        return contexts if self.method.contexts else torch.zeros_like(contexts)

    def _residual(
        self,
        state: State[Semantics],
        phi: Weights,
        omega: Weights,
        catalogue: MetaHINItems,
        positions: Positions,
        path_inputs: tuple[Tensor, Tensor],
        gradients: PerExampleGradients | None = None,
    ) -> Tensor:
        """The residuals over the baseline that each path predicts, [B * P, N].

        path_inputs: contexts [B * P, N, C] and propagated residuals [B * P, N, 2]
        """
        contexts, propagated = path_inputs
        x = F.relu(self.semantic(phi, [contexts], gradients))
        users = self._paired(state.method_state.user).unsqueeze(1)
        # What all tasks share is not repeated; side features may differ where the items do not.
        both = (at_rows(catalogue.vectors, positions.rows), positions.side_features)
        items, side_features = (self._paired(part) if len(part) > 1 else part for part in both)
        residual: Tensor = self.rating(
            omega, [users, items, side_features, x, propagated], gradients
        )
        return residual.squeeze(-1)

    def _transformed(self, seen: Tensor) -> Weights:
        """(7), from the mean x of the supports [B * P, H]: each layer's outputs, scaled."""
        scales = 2 * self.kappa(seen).sigmoid()
        weights = self.rating.start(len(seen))
        of_layers = scales.split([len(bias) for bias in list(self.rating.weights)[1::2]], dim=1)
        return tuple(
            scaled
            for scale, weight, bias in zip(of_layers, weights[::2], weights[1::2], strict=True)
            for scaled in (weight * scale.unsqueeze(1), bias * scale)
        )

    def _fused(self, semantics: Semantics, residual: Tensor) -> Tensor:
        """(9): the paths' predictions [B * P, N], weighted by attention, [B, N]."""
        of_paths: Tensor = residual.unflatten(0, (-1, self.n_paths))
        return (semantics.attention.unsqueeze(-1) * of_paths).sum(1)

    def _paired(self, of_tasks: Tensor) -> Tensor:
        """A tensor [B, ...], repeated for each path: [B * P, ...]."""
        return of_tasks.repeat_interleave(self.n_paths, dim=0)
