"""MAMO: Memory-Augmented Meta-Optimization (Dong et al., KDD 2020).

Memories of profiles, of first local gradients and of preferences (`memories`: eqs. 3 to 8) move
each task's initial weights towards those of similar users; a local update then adapts them.

    e_u      =  relu(FC_theta_u(p_u)),   e_i = relu(FC_theta_i(p_i))                  (1)
    y_ui     =  FC_theta_r(M_u,I [e_u, e_i])                                           (2)
    theta_u <-  phi_u - tau b_u,  theta_i <- phi_i,  theta_r <- phi_r              (9, 10)
    theta_* <-  theta_* - rho grad_theta_* L_u,support,  M_u,I likewise               (11)
    phi_*   <-  phi_* - lambda grad_phi_* sum_u L_u,query                             (12)

A profile p is the user's (item's) embedded attributes, whose tables are global; y is the residual
over the baseline. A training batch writes the memories after (12); they are saved with the model
and frozen after it. docs/learners/mamo.md says where we differ, and why.

Shapes: B tasks, N positions (S of the support), K kinds of users, E the size of an embedding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from meta_model.config import Config, MethodConfig, option
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.layers.fast_weights import FastWeightLayers
from meta_model.layers.local_update import LocalUpdate, Weights
from meta_model.layers.memories import Memories
from meta_model.layers.per_example_gradients import PerExampleGradients
from meta_model.layers.rows import at_rows
from meta_model.learners.learner import GradientNorms, ParameterGroup
from meta_model.learners.parameters import layer_groups, parameters_of
from meta_model.learners.rating_learner import RatingLearner
from meta_model.learners.task_state import Positions, State, Support


@dataclass(frozen=True, kw_only=True)
class MamoConfig(MethodConfig):
    """Options of MAMO beside those of all learners."""

    memory_slots: int = option(8, "kinds of users in the memories (K)", above=0)
    memory_bias_rate: float = option(0.1, "how far a memory shifts the user layers (tau)")
    profile_mix: float = option(
        0.1, "share of a memory of profiles that a batch replaces (alpha)", least=0, below=1
    )
    gradient_mix: float = option(0.1, "the same of fast gradients (beta)", least=0, below=1)
    preference_mix: float = option(0.05, "the same of preferences (gamma)", least=0, below=1)
    memory_decay: Literal["attended", "whole"] = option(
        "whole", "a memory fades where a user attends, or also where nobody does"
    )


@dataclass(frozen=True, kw_only=True)
class AdaptedWeights:
    """Each task's adapted weights, and what it reads and writes the memories by.

    attention: [B, K]; profiles: [B, D]
    weights: theta_u, theta_i, theta_r, and last M_u,I [B, E, 2E]
    gradients: those of theta_u in the first local step; none before it
    """

    attention: Tensor
    profiles: Tensor
    weights: Weights
    gradients: Weights = ()


class MAMO(RatingLearner[AdaptedWeights, Tensor]):
    """Adapts layers that start from memories of kinds of users; the state is the layers."""

    method_config = MamoConfig

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__(config, inputs)
        self.method = config.of_method(MamoConfig)
        size, n_profile = config.network.embedding_size, self.users.embedding.output_size
        self.of_users = FastWeightLayers((n_profile,), (size,))
        self.of_items = FastWeightLayers((self.items.vector_size,), (size,))
        n_statistics = self.users.vector_size - n_profile
        inputs_of_rating = (size, n_statistics, self.items.n_side_features)
        self.of_ratings = FastWeightLayers(inputs_of_rating, (*config.network.hidden_sizes, 1))
        shapes = self.of_users.shapes()
        self.memory = Memories(self.method.memory_slots, n_profile, shapes, size)
        networks = (self.of_users, self.of_items, self.of_ratings)
        adapted = [shape for network in networks for shape in network.shapes()]
        preference = self.memory.preferences.shape[1:]
        self.update = LocalUpdate(
            [*adapted, preference], config.local_update.steps, config.local_update
        )
        self.sizes = [len(network.shapes()) for network in networks]

    def _items(self, _items: Tensor, vectors: Tensor) -> Tensor:
        return vectors

    def _begin(self, tasks: Tasks, vectors: Tensor) -> AdaptedWeights:
        profiles = vectors[:, : self.users.embedding.output_size]
        attention = self.memory.attention(profiles)  # (3)
        shared = self.of_users.start(len(tasks))
        bias = self.memory.bias(attention)  # (4)
        rate = self.method.memory_bias_rate
        started = [weight - rate * b for weight, b in zip(shared, bias, strict=True)]  # (9)
        others = (*self.of_items.start(len(tasks)), *self.of_ratings.start(len(tasks)))  # (10)
        preference = self.memory.preference(attention)  # (7)
        if not preference.requires_grad:
            preference = preference.requires_grad_()  # so that (11) can differentiate by it
        weights = (*started, *others, preference)
        return AdaptedWeights(attention=attention, profiles=profiles, weights=weights)

    def _fit(
        self, state: State[AdaptedWeights], catalogue: Tensor, support: Support, _tasks: Tasks
    ) -> AdaptedWeights:
        def losses(weights: Weights) -> Tensor:
            scores = support.positions.baseline + self._residual(
                state, weights, catalogue, support.positions
            )
            of_positions = self.local_likelihood.losses(
                scores, state.threshold_offsets, support.ratings
            )
            return (of_positions * support.weight).sum(1)

        initial = state.method_state
        weights, gradients = self.update(losses, initial.weights)  # (11)
        return AdaptedWeights(
            attention=initial.attention,
            profiles=initial.profiles,
            weights=weights,
            gradients=gradients[: self.sizes[0]],
        )

    def _forecast(
        self, state: State[AdaptedWeights], catalogue: Tensor, positions: Positions
    ) -> Tensor:
        return positions.baseline + self._residual(
            state, state.method_state.weights, catalogue, positions
        )

    def _gradient_norms(
        self, state: State[AdaptedWeights], catalogue: Tensor, positions: Positions, tasks: Tasks
    ) -> GradientNorms:
        """Norms by everything that a task adapts, preferences included."""
        gradients = PerExampleGradients()
        residual = self._residual(
            state, state.method_state.weights, catalogue, positions, gradients
        )
        scores = (positions.baseline + residual).detach()
        return self._score_gradient_norms(state, scores, gradients.norms(residual), tasks)

    def memories(self) -> Sequence[Tensor]:
        """The buffers of `Memories.all`."""
        return self.memory.all()

    def memory_writes(self, state: State[AdaptedWeights]) -> Sequence[Tensor]:
        """Attention-weighted profiles, gradients and preferences, summed over tasks."""
        adapted = state.method_state
        return self.memory.writes(
            adapted.attention, adapted.profiles, adapted.gradients, adapted.weights[-1]
        )

    @torch.no_grad()
    def write_memories(self, writes: Sequence[Tensor]) -> None:
        """Equations (5), (6) and (8), by the mixes of the config."""
        method = self.method
        mixes = (method.profile_mix, method.gradient_mix, method.preference_mix)
        self.memory.write(writes, mixes, is_whole=method.memory_decay == "whole")

    def _method_groups(self) -> Iterable[ParameterGroup]:
        for network in (self.of_users, self.of_items, self.of_ratings):
            yield from layer_groups(network)
        yield ParameterGroup(parameters=parameters_of(self.update), rate=10.0)

    def _residual(
        self,
        state: State[AdaptedWeights],
        weights: Weights,
        vectors: Tensor,
        positions: Positions,
        gradients: PerExampleGradients | None = None,
    ) -> Tensor:
        """(1) and (2): the predicted residuals over the baseline, [B, N]."""
        of_users, of_items, of_ratings, preference = self._split(weights)
        users = state.method_state.profiles.unsqueeze(1)
        if gradients is not None:
            users = users.expand(
                -1, positions.rows.shape[1], -1
            )  # one for each position, to be traced
        users = F.relu(self.of_users(of_users, [users], gradients))
        items = F.relu(self.of_items(of_items, [at_rows(vectors, positions.rows)], gradients))
        to_users, to_items = preference.mT.split(users.shape[-1], dim=1)
        taste = users @ to_users + items @ to_items
        if gradients is not None:
            gradients.add_layer([users, items], taste, has_bias=False)
        statistics = state.vectors[:, state.method_state.profiles.shape[1] :].unsqueeze(1)
        parts = [taste, statistics, positions.side_features]
        residual: Tensor = self.of_ratings(of_ratings, parts, gradients)
        return residual.squeeze(-1)

    def _split(self, weights: Weights) -> tuple[Weights, Weights, Weights, Tensor]:
        n_users, n_items, _ = self.sizes
        after = n_users + n_items
        return weights[:n_users], weights[n_users:after], weights[after:-1], weights[-1]
