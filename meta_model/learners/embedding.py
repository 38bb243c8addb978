"""Users and items as vectors: an embedding for every value of every feature, by index.

Shapes: N entities, W values of a feature, E the size of an embedding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from meta_model.features import Features

Values = list[Tensor]  # for each feature its vocabulary indices [N, W], 0 where there is none


class Attributes(nn.Module):
    """The features' values of every user (item), by dense index; data, and no part of a model."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.n_features = len(features.sizes)
        columns = (*torch.split(features.single, 1, dim=1), *features.multi)
        for number, values in enumerate(columns):
            self.register_buffer(f"feature_{number}", values, persistent=False)

    def forward(self, indices: Tensor) -> Values:
        return [self.get_buffer(f"feature_{n}")[indices] for n in range(self.n_features)]


class ColdAttributes(nn.Module):
    """Makes the attributes of trained items as little known as a cold item's are.

    New items come with new years, directors and authors, which the vocabulary does not hold. So
    each value is dropped with the share of its feature's values that cold items lack, by what the
    trained ones have.
    """

    shares: Tensor

    def __init__(self, attributes: Attributes, is_trained: Tensor) -> None:
        super().__init__()
        is_cold = ~is_trained
        is_cold[0] = False
        shares = []
        for number in range(attributes.n_features):
            known = (attributes.get_buffer(f"feature_{number}") > 0).sum(1).double()
            of_trained, of_cold = known[is_trained].mean(), known[is_cold].mean()
            shares.append((1 - of_cold / of_trained).nan_to_num(0.0).clamp(0, 1))
        self.register_buffer("shares", torch.tensor(shares), persistent=False)

    def forward(self, values: Values) -> Values:
        return [
            value * (torch.rand(value.shape, device=value.device) >= share)
            for value, share in zip(values, self.shares, strict=True)
        ]


class ValueEmbedding(nn.Module):
    """The embeddings of all features' values, one after the other; of several values, their mean.

    Index 0, the unknown value, is the zero vector: what is not known says nothing.
    """

    def __init__(self, sizes: tuple[int, ...], size: int, std: float) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(values, size, padding_idx=0) for values in sizes)
        for table in self.tables:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=std)
            nn.init.zeros_(table.weight[0])
        self.output_size = size * len(sizes)

    def forward(self, values: Values) -> Tensor:
        """[N, features * E]"""
        parts = [
            table(of_feature).sum(1) / (of_feature > 0).sum(1, keepdim=True).clamp(min=1)
            for table, of_feature in zip(self.tables, values, strict=True)
        ]
        return torch.cat(parts, dim=1)


class Identity(nn.Module):
    """An embedding of the item itself: the zero vector for those without a training rating."""

    is_trained: Tensor

    def __init__(self, is_trained: Tensor, size: int) -> None:
        super().__init__()
        self.register_buffer("is_trained", is_trained, persistent=False)
        self.table = nn.Embedding(len(is_trained), size, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        nn.init.zeros_(self.table.weight[0])

    def forward(self, items: Tensor) -> Tensor:
        """[N, E]"""
        embedded: Tensor = self.table(items * self.is_trained[items])
        return embedded
