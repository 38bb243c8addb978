"""User encoder: feature embeddings, and the statistics of the support.

Shapes: B tasks, S support positions, K thresholds between rating levels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from meta_model.config import NetworkConfig
from meta_model.data.features import Features
from meta_model.data.item_statistics import USER_DAMPING
from meta_model.encoders.embedding import (
    EMBEDDING_STD,
    LOG_SCALE,
    N_STATISTICS,
    Attributes,
    FeatureEmbedding,
)


class UserEncoder(nn.Module):
    """Encodes users as vectors of `vector_size` numbers: features, and support statistics."""

    def __init__(self, users: Features, config: NetworkConfig) -> None:
        super().__init__()
        self.attributes = Attributes(users)
        self.embedding = FeatureEmbedding(self.attributes, config.embedding_size, EMBEDDING_STD)
        self.log_damping = nn.Parameter(torch.tensor(USER_DAMPING).log())
        self.n_statistics = N_STATISTICS if config.user_statistics else 0
        self.vector_size = self.embedding.output_size + self.n_statistics

    def bias(self, residual: Tensor, mask: Tensor) -> Tensor:
        """The user bias b_u [B, 1] = sum(r - mu - b_i) / (n_u + k_u).

        residual: [B, S], r - mu - b_i of the support's ratings; mask: [B, S]
        """
        n = mask.sum(1, keepdim=True)
        return (residual * mask).sum(1, keepdim=True) / (n + self.log_damping.exp())

    def statistics(self, n: Tensor, bias: Tensor) -> Tensor:
        """Statistics [B, F] of the users' supports, from their sizes n and user biases, [B, 1]."""
        if not self.n_statistics:
            return bias[:, :0]
        return torch.cat([n.log1p() / LOG_SCALE, bias, (n == 0).float()], dim=1)

    def forward(self, users: Tensor) -> Tensor:
        """The feature embeddings of users [B], concatenated."""
        vectors: Tensor = self.embedding(*self.attributes(users))
        return vectors
