"""MetaHIN: meta-learning on a heterogeneous network (Lu, Fang and Shi, KDD 2020).

Each meta-path p describes a user and an item by a context c_ui^p: the items that the path leads to
from the item (`metapath_contexts`; for UM, from the user). The model adapts twice on each path, and
fuses the paths' predictions by their losses on the support.

    x_ui^p     =  relu(W_phi c_ui^p + b_phi),   r_ui^p = h(u, i, x_ui^p, e_ui^p)  (1) to (3)
    phi_u^p    =  phi - alpha grad_phi L_u,support(omega, phi)           semantic-wise (6)
    omega^p    =  omega * kappa( sum_s x_us^p / (n + d) )           transformed prior (7)
    omega_u^p  =  omega^p - beta grad L_u,support(omega^p, phi_u^p)          task-wise (8)
    a_u^p      =  softmax_p( -g L_u,support(omega_u^p, phi_u^p) )             fusion (10)
    r_ui       =  baseline + sum_p a_u^p r_ui^p                                         (9)

n is the size of the support, d `local_update.support_damping`; L_u,support divides by n + d, too.
The losses that weigh the paths are the support's; the published code takes the query's. e_ui^p, the
support's residuals along the path (`residual_propagation`), is ours; see docs/learners/metahin.md.

Shapes: B tasks, N positions, M items; P, C, H and Z as in `metapath_layers`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from meta_model.config import Config, MethodConfig, option
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.encoders.metapath_contexts import ItemGraph, MetapathContexts
from meta_model.layers.local_update import LocalUpdate, Weights
from meta_model.layers.metapath_layers import (
    PathInputs,
    RatingLayers,
    SemanticLayer,
    Semantics,
    TransformedPrior,
    paired,
)
from meta_model.layers.per_example_gradients import PerExampleGradients
from meta_model.layers.residual_propagation import ResidualPropagation, SupportMemory
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups, parameters_of
from meta_model.learners.rating_learner import RatingLearner
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
    """A catalogue: e_i [M, H], or [2M, H] with cold copies of the items; the item graph."""

    vectors: Tensor
    graph: ItemGraph


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
        self.semantic = SemanticLayer((self.contexts.size,), (size,))
        self.of_users = nn.Linear(self.users.vector_size, size)
        self.of_items = nn.Linear(self.items.vector_size, size)
        outputs = (*config.network.hidden_sizes, 1)
        self.rating = RatingLayers(self.n_paths, size, self.items.n_side_features, outputs)
        self.propagation = ResidualPropagation(self.n_paths)
        self.kappa = TransformedPrior(size, outputs)
        self.log_inverse_temperature = nn.Parameter(torch.zeros(()))  # of g
        local = config.local_update
        self.semantic_wise = LocalUpdate(self.semantic.shapes(), 1, local)
        self.task_wise = LocalUpdate(self.rating.shapes(), local.steps, local)

    def _items(self, items: Tensor, vectors: Tensor) -> MetaHINItems:
        return MetaHINItems(vectors=self.of_items(vectors), graph=self.contexts.graph(items))

    def _begin(self, tasks: Tasks, vectors: Tensor) -> Semantics:
        n_pairs = len(tasks) * self.n_paths
        nothing = vectors.new_zeros(n_pairs, self.kappa.in_features)
        return Semantics(
            # The network has the queries of training tasks alone; no other may know its query.
            items=tasks.items[tasks.query.rows * tasks.in_statistics.unsqueeze(1)],
            user=self.of_users(vectors),
            taste=vectors.new_zeros(len(tasks), self.contexts.size),
            memory=self.propagation.empty_memory(n_pairs, self.contexts.size, vectors),
            phi=self.semantic.start(n_pairs),
            omega=self.kappa.transformed(self.rating.start(n_pairs), nothing),
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
        n, weight = self.n_paths, paired(support.weight, self.n_paths)
        inputs = self._inputs(semantics, catalogue, support.positions)
        memory = SupportMemory(
            contexts=inputs.contexts, residual=paired(support.residual, n), mask=weight > 0
        )
        propagated = self.propagation(inputs.contexts, memory, is_support=True)

        def losses(phi: Weights, omega: Weights) -> Tensor:
            x = self.semantic.embedded(phi, inputs.contexts)
            residuals = self.rating.residuals(omega, inputs, x, propagated)
            scores = paired(support.positions.baseline, n) + residuals
            ratings, offsets = paired(support.ratings, n), paired(state.threshold_offsets, n)
            return (self.local_likelihood.losses(scores, offsets, ratings) * weight).sum(1)

        shared = self.rating.start(len(weight))
        phi, _ = self.semantic_wise(lambda phi: losses(phi, shared), initial.phi)  # (6)
        seen = (self.semantic.embedded(phi, inputs.contexts) * weight.unsqueeze(-1)).sum(1)
        prior = self.kappa.transformed(self.rating.start(len(weight)), seen)  # (7)
        omega, _ = self.task_wise(lambda omega: losses(phi, omega), prior)  # (8)
        fit = losses(phi, omega).view(-1, n)
        attention = (-self.log_inverse_temperature.exp() * fit).softmax(1)  # (10)
        return replace(semantics, memory=memory, phi=phi, omega=omega, attention=attention)

    def _forecast(
        self, state: State[Semantics], catalogue: MetaHINItems, positions: Positions
    ) -> Tensor:
        return positions.baseline + self._fused(state.method_state, catalogue, positions)

    def _gradient_norms(
        self, state: State[Semantics], catalogue: MetaHINItems, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms over all paths: the root of the sum of their squares."""
        gradients = PerExampleGradients()
        semantics = replace(state.method_state, items=tasks.items[tasks.support.rows])
        fused = self._fused(semantics, catalogue, positions, gradients)
        norms = gradients.norms(fused).unflatten(0, (-1, self.n_paths)).square().sum(1).sqrt()
        scores = (positions.baseline + fused).detach()
        return self._score_gradient_norms(state, scores, norms, tasks)

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for layers in (self.of_users, self.of_items, self.semantic, self.rating, self.kappa):
            yield from layer_groups(layers)
        yield from layer_groups(self.contexts)
        rates = parameters_of(self.semantic_wise, self.task_wise)
        yield ParameterGroup(parameters=rates, rate=10.0)
        scales = [self.log_inverse_temperature, *parameters_of(self.propagation)]
        yield ParameterGroup(parameters=scales, rate=5.0)

    def _inputs(
        self, semantics: Semantics, catalogue: MetaHINItems, positions: Positions
    ) -> PathInputs:
        """What the layers of all paths read; contexts are zero if the option `contexts` is off."""
        contexts = self.contexts.of_paths(
            catalogue.graph, positions.rows, semantics.items, semantics.taste
        )
        return PathInputs(
            users=semantics.user,
            items=catalogue.vectors,
            rows=positions.rows,
            side_features=positions.side_features,
            contexts=contexts if self.method.contexts else torch.zeros_like(contexts),
        )

    def _fused(
        self,
        semantics: Semantics,
        catalogue: MetaHINItems,
        positions: Positions,
        gradients: PerExampleGradients | None = None,
    ) -> Tensor:
        """(9): the residuals of the paths, weighted by attention, [B, N]."""
        inputs = self._inputs(semantics, catalogue, positions)
        propagated = self.propagation(inputs.contexts, semantics.memory)
        x = self.semantic.embedded(semantics.phi, inputs.contexts, gradients)
        residuals = self.rating.residuals(semantics.omega, inputs, x, propagated, gradients)
        of_paths: Tensor = residuals.unflatten(0, (-1, self.n_paths))
        return (semantics.attention.unsqueeze(-1) * of_paths).sum(1)
