"""What an item's attributes say of it: all that there is to say of a new one.

Shapes: B tasks, N items (by index from 1; row 0 is padding), V values of all item features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.sparse import by_rows
from meta_model.data.features import Features
from meta_model.encoders.embedding import Attributes

_DRAWN = 5.0  # trained items: so many count as the mean of all beside those with a value


@dataclass(frozen=True, kw_only=True)
class Content:
    """Attributes as vectors: `shares` [N + 1, V] and its transpose, sparse; `lengths` [N + 1]."""

    shares: Tensor
    transposed: Tensor
    lengths: Tensor

    @staticmethod
    def of(items: Features, device: torch.device) -> Content:
        """From the attributes of the whole catalogue."""
        shares = attribute_shares(items)
        squares = torch.sparse.sum(shares * shares, dim=1).to_dense()
        return Content(
            shares=by_rows(shares).to(device),
            transposed=by_rows(shares.t()).to(device),
            lengths=squares.sqrt().clamp(min=1e-9).to(device),
        )

    def near(self, chosen: Tensor) -> Tensor:
        """[B, N + 1] of chosen [B, N + 1]: the sum of the cosines with what a user chose."""
        vectors = self.transposed @ (chosen / self.lengths).T
        return (self.shares @ vectors).T / self.lengths


def popularity_by_content(items: Features, counts: Tensor) -> Tensor:
    """How often items with the same attributes are chosen, [N + 1], from `counts` [N + 1].

    Of each value of a feature it is the mean count of the trained items that have the value; of an
    item, the mean over its features and their values.
    """
    shares = attribute_shares(items)
    trained = (counts > 0).float().unsqueeze(1)
    total, n_items = (shares.t() @ column for column in (counts.float().unsqueeze(1), trained))
    return (shares @ (total / n_items.clamp(min=1e-9))).squeeze(1)


def expected_interactions(items: Features, counts: Tensor) -> Tensor:
    """How many interactions an item's attributes promise, [N + 1], from `counts` [N + 1].

    The mean over features, and over the values of a feature, of the mean count of trained items
    with the value; that is drawn to the mean of all trained items, which counts as five more. A
    feature that says nothing of an item promises the mean of all.
    """
    counts = counts.float()
    trained = (counts > 0).float()
    mean = counts.sum() / trained.sum().clamp(min=1)
    n_features = len(items.names)
    if not n_features:
        return mean.expand_as(counts)
    shares = attribute_shares(items)
    total, n_items = ((shares.t() @ each.unsqueeze(1)) for each in (counts, trained))
    of_values = (total + _DRAWN * mean) / (n_items + _DRAWN)
    said = (shares @ torch.cat([of_values, torch.ones_like(of_values)], dim=1)).unbind(1)
    return (said[0] + (n_features - said[1]) * mean) / n_features


def attribute_shares(items: Features) -> Tensor:
    """Sparse [N + 1, V]: the share of each value in its feature, 0 of what the vocabulary lacks."""
    attributes = Attributes(items)
    rows, features, places = attributes.values.nonzero(as_tuple=True)
    values = attributes.values[rows, features, places]
    size = (len(attributes.values), attributes.n_values)
    pairs, weights = torch.stack([rows, values]), attributes.weights[rows, features]
    return torch.sparse_coo_tensor(pairs, weights, size, check_invariants=True).coalesce()
