"""Users and items as vectors: an embedding for every value of every feature, by index.

Shapes: N entities, F features, W values of a feature, E the size of an embedding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model import device
from meta_model.data.features import Features
from meta_model.layers.rows import at_rows, sums_by_row

EMBEDDING_STD = 0.1
N_STATISTICS = 3  # of a user (an item): the number of ratings, the bias, whether there are none
LOG_SCALE = 4.0  # brings logarithms of counts to the size of the other inputs


class Attributes(nn.Module):
    """The feature values of every user (item), by dense index: data, not saved with a model.

    The values of all features are numbered together from 1, so that one table can hold all their
    embeddings; 0 is padding, and a value that the vocabulary lacks.
    """

    values: Tensor
    weights: Tensor

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.starts = torch.tensor([0, *(size - 1 for size in features.sizes)]).cumsum(0)
        values = torch.where(features.values > 0, features.values + self.starts[:-1, None], 0)
        counts = (features.values >= 0).sum(2)
        self.register_buffer("values", values, persistent=False)
        self.register_buffer("weights", 1 / counts.clamp(min=1), persistent=False)
        self.n_features = len(features.sizes)
        self.n_values = 1 + int(self.starts[-1])

    def forward(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Values [N, F, W], and the weight [N, F] of each in its feature's mean."""
        return self.values[indices], self.weights[indices]


class FeatureEmbedding(nn.Module):
    """The embeddings of an entity's features, concatenated; a feature's values are averaged.

    A value that the vocabulary lacks is the zero vector, and counts in the average.
    """

    def __init__(self, attributes: Attributes, size: int, std: float) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(attributes.n_values, size) * std)
        with torch.no_grad():
            self.table[0] = 0
        self.output_size = size * attributes.n_features

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """[N, F * E] from values [N, F, W] and weights [N, F]."""
        means = weighted_sum(self.table, values.flatten(0, 1), weights.flatten())
        return means.view(len(values), self.output_size)


def weighted_sum(table: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """The sum [K, E] of the table rows of values [K, W], times a weight [K] for each sum.

    Row 0 of the table must be zero: value 0 is padding, adds nothing and gets no gradient.
    """
    summed: Tensor = _WeightedSum.apply(table, values, weights)  # type: ignore[no-untyped-call]
    return summed


class _WeightedSum(torch.autograd.Function):
    """An embedding bag; the gradient of PyTorch's own sorts all values: three times as long."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, values: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(values, weights)
        ctx.table_size = table.shape
        return F.embedding_bag(values, table, mode="sum") * weights.unsqueeze(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        values, weights = ctx.saved_tensors
        weighted = gradient * weights.unsqueeze(1)
        if device.works_ahead(values.device):  # to leave padding out would be to wait for a GPU
            of_values = weighted.unsqueeze(1).expand(-1, values.shape[1], -1)
            table = sums_by_row(ctx.table_size[0], values.flatten(), of_values.flatten(0, 1))
            return table, None, None
        rows, columns = torch.nonzero(values, as_tuple=True)
        of_values = weighted.index_select(0, rows)
        table = gradient.new_zeros(ctx.table_size)
        return table.index_add_(0, values[rows, columns], of_values), None, None


class ItemIdEmbedding(nn.Module):
    """An embedding of each item id; the zero vector for items without a training rating."""

    is_trained: Tensor

    def __init__(self, is_trained: Tensor, size: int) -> None:
        super().__init__()
        self.register_buffer("is_trained", is_trained, persistent=False)
        self.table = nn.Embedding(len(is_trained), size, padding_idx=0)
        nn.init.normal_(self.table.weight, std=EMBEDDING_STD)
        nn.init.zeros_(self.table.weight[0])

    def forward(self, items: Tensor) -> Tensor:
        """[N, E]"""
        return at_rows(self.table.weight, items) * self.is_trained[items].unsqueeze(1)
