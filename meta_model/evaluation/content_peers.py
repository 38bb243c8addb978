"""Simple methods that can rank new items: all they know of an item is its attributes.

Shapes: B tasks, N items (by index from 1; row 0 is padding), V values of all item features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.choice.interactions import known_items
from meta_model.data.features import Features
from meta_model.data.tasks import Tasks
from meta_model.encoders.embedding import Attributes


class ContentKnn:
    """The sum of the cosines of an item's attributes and those of the items that a user chose."""

    def __init__(self, items: Features) -> None:
        self.shares = attribute_shares(items)
        squares = torch.sparse.sum(self.shares * self.shares, dim=1).to_dense()
        self.lengths = squares.sqrt().clamp(min=1e-9)  # [N + 1]

    def scores(self, tasks: Tasks) -> Tensor:
        chosen = known_items(tasks, len(self.lengths) - 1) / self.lengths
        return (self.shares @ (self.shares.t() @ chosen.T)).T / self.lengths


def content_popularity(items: Features, counts: Tensor) -> Tensor:
    """How often items with the same attributes are chosen, [N + 1], from `counts` [N + 1].

    Of each value of a feature it is the mean count of the trained items that have the value; of an
    item, the mean over its features and their values.
    """
    shares = attribute_shares(items)
    trained = (counts > 0).float().unsqueeze(1)
    total, n_items = (shares.t() @ column for column in (counts.float().unsqueeze(1), trained))
    return (shares @ (total / n_items.clamp(min=1e-9))).squeeze(1)


def attribute_shares(items: Features) -> Tensor:
    """Sparse [N + 1, V]: the share of each value in its feature, 0 of what the vocabulary lacks."""
    attributes = Attributes(items)
    rows, features, places = attributes.values.nonzero(as_tuple=True)
    values = attributes.values[rows, features, places]
    size = (len(attributes.values), attributes.n_values)
    weights = attributes.weights[rows, features]
    return torch.sparse_coo_tensor(torch.stack([rows, values]), weights, size).coalesce()
