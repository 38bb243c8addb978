"""Items as a learner knows them: by attributes, by themselves, and by their training ratings.

Shapes: B tasks, N positions, M distinct items, E the size of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.data.damping import ITEM_DAMPING
from meta_model.data.features import Features
from meta_model.data.item_statistics import ItemPositions
from meta_model.encoders.embedding import (
    EMBEDDING_STD,
    LOG_SCALE,
    N_STATISTICS,
    Attributes,
    Identity,
    ValueEmbedding,
)
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class EmbeddedItems:
    """Items as vectors [M, V], with the prior of their bias [M].

    Where training hides items, the vectors are [2M]: rows M and after show the same items as cold
    ones. `is_hidden` [M] says which items all tasks see so.
    """

    vectors: Tensor
    prior: Tensor
    is_hidden: Tensor


class ItemSide(nn.Module):
    """Encodes items: vectors of `vector_size` numbers, and `n_side_features` at each position."""

    def __init__(self, items: Features, is_trained: Tensor, config: Config) -> None:
        super().__init__()
        size = config.embedding_size
        self.config = config
        self.attributes = Attributes(items)
        self.embedding = ValueEmbedding(self.attributes, size, EMBEDDING_STD)
        self.identity = Identity(is_trained, size) if config.item_identity else None
        self.prior: ValueEmbedding | None = None
        if config.content_prior:
            self.prior = ValueEmbedding(self.attributes, 1, std=0.0)
        self.log_damping = nn.Parameter(torch.tensor(ITEM_DAMPING).log())
        self.vector_size = self.embedding.output_size + (size if config.item_identity else 0)
        self.n_side_features = N_STATISTICS if config.item_statistics else 0
        self.uses_ratings = config.anchor or config.item_statistics or config.user_statistics

    @property
    def hides(self) -> bool:
        """Whether some items are shown as cold ones now."""
        return self.training and self.config.hide_item + self.config.hide_task > 0

    def forward(self, items: Tensor) -> EmbeddedItems:
        """The distinct items [M]."""
        values = self.attributes(items)
        content = self.embedding(*values)
        prior = content.new_zeros(len(items)) if self.prior is None else self.prior(*values).sum(1)
        is_hidden = torch.zeros_like(items, dtype=torch.bool)
        if self.hides:
            is_hidden = torch.rand(len(items), device=items.device) < self.config.hide_item
        vectors = content
        if self.identity is not None:
            identity = self.identity(items)
            vectors = torch.cat([content, identity], dim=1)
            if self.hides:
                cold = torch.cat([content, torch.zeros_like(identity)], dim=1)
                vectors = torch.cat([vectors, cold])
        return EmbeddedItems(vectors=vectors, prior=prior, is_hidden=is_hidden)

    def hidden_tasks(self, n_tasks: int, device: torch.device) -> Tensor:
        """Which tasks [B, 1] see all their items as cold ones: some in training, none after it."""
        if not self.hides:
            return torch.zeros(n_tasks, 1, dtype=torch.bool, device=device)
        return torch.rand(n_tasks, 1, device=device) < self.config.hide_task

    def known(
        self, items: EmbeddedItems, positions: ItemPositions, is_hidden: Tensor
    ) -> tuple[ItemPositions, Tensor]:
        """The positions after cold-start dropout, and the item bias b_i [B, N] at each.

            b_i = (sum(r - mu) + k g) / (n_i + k)

        is_hidden: [B, 1], whether all items of a task are shown as cold ones. A cold item has the
        row of its cold copy and no training ratings: n_i = 0.
        """
        rows, hidden = positions.rows, is_hidden | items.is_hidden[positions.rows]
        if len(items.vectors) > len(items.prior):  # the cold copies come after the items
            rows = rows + len(items.prior) * hidden
        if not self.uses_ratings:
            nothing = torch.zeros_like(positions.counts)
            return ItemPositions(rows=rows, counts=nothing, deviation=nothing), nothing
        counts = positions.counts.masked_fill(hidden, 0)
        deviation = positions.deviation.masked_fill(hidden, 0)
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
