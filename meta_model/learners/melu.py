"""MeLU: Meta-Learned User Preference Estimator (Lee et al., KDD 2019).

A user's and an item's attributes are embedded (eqs. 1 and 2) and concatenated (eq. 3); decision
layers with ReLU (eq. 4) turn them into a rating (eq. 5). The embeddings are global. The decision
layers, the output layer among them, are adapted to a user by gradient steps on the support
(algorithm 1, lines 5-7); the loss of a user is the mean squared error (eq. 6).

    theta_2_u  =  theta_2 - a * grad_theta_2 L_u,support(theta_1, theta_2)             local
    theta      <- theta - b * grad_theta sum_u L_u,query(theta_1, theta_2_u)           global

Where we differ, each by a switch of the config: the network predicts what is left over the damped
bias mu + b_i + b_u (`anchor`; b_u, made of the support, is part of the local update), an embedding
of the item itself beside its attributes (`item_identity`), several local steps (`local_steps`),
and local rates learnt for each layer and step (`learn_local_rates`; Meta-SGD, Li et al. 2017).

Shapes: B tasks, S support places, N places to predict, E size of both embeddings together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.decision_layers import DecisionLayers, Update
from meta_model.features import Features
from meta_model.item_statistics import Biases, ItemStatistics
from meta_model.learners.embedding import ItemEmbedding, ProfileEmbedding
from meta_model.learners.learner import Learner
from meta_model.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class State:
    """A batch of adapted tasks: embedded users [B, 1, E_u], user biases [B, 1], local updates."""

    users: Tensor
    user_bias: Tensor
    update: Update


class MeLU(Learner):
    def __init__(
        self, config: Config, users: Features, items: Features, statistics: ItemStatistics
    ) -> None:
        super().__init__()
        self.statistics = statistics
        self.anchor = config.anchor
        self.user_embedding = ProfileEmbedding(users, config.embedding_size)
        self.item_embedding = ItemEmbedding(items, statistics.counts > 0, config)
        self.dropout = nn.Dropout(config.dropout)
        self.decision = DecisionLayers(
            self.user_embedding.output_size + self.item_embedding.output_size,
            config.hidden_sizes,
            config.local_steps,
            config.local_rate,
            config.learn_local_rates,
        )

    def adapt(self, tasks: Tasks, biases: Biases) -> State:
        users = self.user_embedding(tasks.users).unsqueeze(1)
        user_bias = self.statistics.user_bias(tasks, biases).unsqueeze(1)
        x = self._inputs(users, tasks.support_items)
        target = tasks.support_ratings - self._anchor(user_bias, biases.support)
        weight = tasks.support_mask / tasks.support_mask.sum(1, keepdim=True).clamp(min=1)
        update = self.decision.adapt(x, target, weight)
        return State(users=users, user_bias=user_bias, update=update)

    def unadapted(self, tasks: Tasks) -> State:
        users = self.user_embedding(tasks.users).unsqueeze(1)
        unknown_bias = torch.zeros_like(users[..., 0])
        return State(users=users, user_bias=unknown_bias, update=self.decision.no_update())

    def predict(self, state: State, items: Tensor, item_bias: Tensor) -> Tensor:
        rest: Tensor = self.decision(self._inputs(state.users, items), state.update)
        return self._anchor(state.user_bias, item_bias) + rest

    def sensitivity(self, state: State, items: Tensor, item_bias: Tensor) -> tuple[Tensor, Tensor]:
        rest, norms = self.decision.gradient_norms(self._inputs(state.users, items))
        return self._anchor(state.user_bias, item_bias) + rest, norms

    def _inputs(self, users: Tensor, items: Tensor) -> Tensor:
        """[B, N, E] from embedded users [B, 1, E_u] and item indices [B or 1, N]."""
        embedded = self.item_embedding(items).expand(len(users), -1, -1)
        x: Tensor = self.dropout(torch.cat([users.expand(-1, items.shape[1], -1), embedded], -1))
        return x

    def _anchor(self, user_bias: Tensor, item_bias: Tensor) -> Tensor:
        if not self.anchor:
            return torch.zeros_like(user_bias)
        return self.statistics.mean + user_bias + item_bias
