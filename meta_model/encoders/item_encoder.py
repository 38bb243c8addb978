"""Item encoder: feature and item-id embeddings, training statistics and cold-start dropout.

Shapes: B tasks, N positions, M distinct items, E the size of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import NetworkConfig
from meta_model.data.features import Features
from meta_model.data.item_statistics import ITEM_DAMPING, ItemPositions
from meta_model.encoders.embedding import (
    EMBEDDING_STD,
    LOG_SCALE,
    N_STATISTICS,
    Attributes,
    FeatureEmbedding,
    ItemIdEmbedding,
)
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class EmbeddedItems:
    """Items as vectors [M, V], with the prior of their bias [M].

    With cold-start dropout the vectors are [2M, V]: rows M and after are the same items as cold
    ones. `is_cold` [M] says which items all tasks see as cold ones.
    """

    vectors: Tensor
    prior: Tensor
    is_cold: Tensor


class ItemEncoder(nn.Module):
    """Encodes items: vectors of `vector_size` numbers, and `n_side_features` at each position.

    Training applies cold-start dropout (DropoutNet, Volkovs et al., NIPS 2017): it shows a share of
    items, and all items of a share of tasks, without id embedding and training ratings.
    """

    def __init__(self, items: Features, is_trained: Tensor, config: NetworkConfig) -> None:
        super().__init__()
        size = config.embedding_size
        self.config = config
        self.attributes = Attributes(items)
        self.embedding = FeatureEmbedding(self.attributes, size, EMBEDDING_STD)
        self.identity = ItemIdEmbedding(is_trained, size) if config.item_identity else None
        self.prior: FeatureEmbedding | None = None
        if config.content_prior:
            self.prior = FeatureEmbedding(self.attributes, 1, std=0.0)
        self.log_damping = nn.Parameter(torch.tensor(ITEM_DAMPING).log())
        self.vector_size = self.embedding.output_size + (size if config.item_identity else 0)
        self.n_side_features = N_STATISTICS if config.item_statistics else 0
        self.uses_ratings = config.baseline or config.item_statistics or config.user_statistics

    @property
    def has_dropout(self) -> bool:
        """Whether cold-start dropout applies now: in training, where the config asks for it."""
        return self.training and self.config.cold_item_dropout + self.config.cold_task_dropout > 0

    def forward(self, items: Tensor) -> EmbeddedItems:
        """The vectors and the bias prior of distinct items [M]."""
        values = self.attributes(items)
        content = self.embedding(*values)
        prior = content.new_zeros(len(items)) if self.prior is None else self.prior(*values).sum(1)
        is_cold = torch.zeros_like(items, dtype=torch.bool)
        if self.has_dropout:
            is_cold = torch.rand(len(items), device=items.device) < self.config.cold_item_dropout
        vectors = content
        if self.identity is not None:
            identity = self.identity(items)
            vectors = torch.cat([content, identity], dim=1)
            if self.has_dropout:
                cold = torch.cat([content, torch.zeros_like(identity)], dim=1)
                vectors = torch.cat([vectors, cold])
        return EmbeddedItems(vectors=vectors, prior=prior, is_cold=is_cold)

    def cold_tasks(self, n_tasks: int, device: torch.device) -> Tensor:
        """The tasks [B, 1] that see all their items as cold ones; none after training."""
        if not self.has_dropout:
            return torch.zeros(n_tasks, 1, dtype=torch.bool, device=device)
        return torch.rand(n_tasks, 1, device=device) < self.config.cold_task_dropout

    def known(
        self, items: EmbeddedItems, positions: ItemPositions, is_cold: Tensor
    ) -> tuple[ItemPositions, Tensor]:
        """The positions after cold-start dropout, and the item bias b_i [B, N] at each.

            b_i = (sum(r - mu) + k g) / (n_i + k)

        is_cold: [B, 1], whether all items of a task are shown as cold ones. A cold item has the
        row of its cold copy and no training ratings: n_i = 0.
        """
        rows, cold = positions.rows, is_cold | items.is_cold[positions.rows]
        if len(items.vectors) > len(items.prior):  # the cold copies come after the items
            rows = rows + len(items.prior) * cold
        if not self.uses_ratings:
            nothing = torch.zeros_like(positions.counts)
            return ItemPositions(rows=rows, counts=nothing, deviation=nothing), nothing
        counts = positions.counts.masked_fill(cold, 0)
        deviation = positions.deviation.masked_fill(cold, 0)
        damping = self.log_damping.exp()
        prior = at_rows(items.prior.unsqueeze(1), positions.rows).squeeze(-1)
        bias = (deviation + damping * prior) / (counts + damping)
        return ItemPositions(rows=rows, counts=counts, deviation=deviation), bias

    def side_features(self, positions: ItemPositions, bias: Tensor) -> Tensor:
        """Side features [B, N, F] of the items: the number of their ratings, and the item bias."""
        if not self.n_side_features:
            return bias.new_zeros(*bias.shape, 0)
        counts = positions.counts
        return torch.stack([counts.log1p() / LOG_SCALE, bias, (counts == 0).float()], dim=-1)
