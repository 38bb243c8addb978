"""Users and items as vectors: an embedding for every value of every feature, by index."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from meta_model.config import Config
from meta_model.features import Features


class ProfileEmbedding(nn.Module):
    """The concatenated embeddings of an entity's features; a multi-valued one is their mean.

    Index 0, the unknown value, is the zero vector: what is not known says nothing.
    """

    single: Tensor

    def __init__(self, features: Features, size: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(
            nn.Embedding(values, size, padding_idx=0) for values in features.sizes
        )
        for table in self.tables:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=size**-0.5)
            nn.init.zeros_(table.weight[0])
        # Attributes are data, not weights: the artefact leaves them out.
        self.register_buffer("single", features.single, persistent=False)
        self.n_multi = len(features.multi)
        for position, values in enumerate(features.multi):
            self.register_buffer(f"multi_{position}", values, persistent=False)
        self.output_size = size * len(features.sizes)

    def forward(self, indices: Tensor) -> Tensor:
        """[..., output_size] for entity indices [...]; each distinct entity is embedded once."""
        distinct, places = torch.unique(indices, return_inverse=True)
        n_single = self.single.shape[1]
        single = self.single[distinct]
        parts = [self.tables[f](single[:, f]) for f in range(n_single)]
        for f in range(self.n_multi):
            values = self.get_buffer(f"multi_{f}")[distinct]
            known = (values > 0).sum(1, keepdim=True).clamp(min=1)
            parts.append(self.tables[n_single + f](values).sum(1) / known)
        return torch.cat(parts, dim=1)[places]


class ItemEmbedding(nn.Module):
    """An item's attributes and, if configured, an embedding of the item itself.

    The item's own is the zero vector for items without training ratings, and, in training, for a
    random share of all: so that the layers above learn what attributes alone can say of an item.
    """

    is_trained: Tensor

    def __init__(self, features: Features, is_trained: Tensor, config: Config) -> None:
        super().__init__()
        self.attributes = ProfileEmbedding(features, config.embedding_size)
        self.output_size = self.attributes.output_size
        self.hide_share = config.hide_identity
        self.identity: nn.Embedding | None = None
        if config.item_identity:
            self.identity = nn.Embedding(len(is_trained), config.embedding_size, padding_idx=0)
            nn.init.normal_(self.identity.weight, std=0.1)
            nn.init.zeros_(self.identity.weight[0])
            self.output_size += config.embedding_size
        self.register_buffer("is_trained", is_trained, persistent=False)

    def forward(self, items: Tensor) -> Tensor:
        """[..., output_size] for item indices [...]."""
        attributes: Tensor = self.attributes(items)
        if self.identity is None:
            return attributes
        shown = self.is_trained
        if self.training:
            shown = shown & (torch.rand(len(shown), device=shown.device) >= self.hide_share)
        return torch.cat([attributes, self.identity(items * shown[items])], dim=-1)
