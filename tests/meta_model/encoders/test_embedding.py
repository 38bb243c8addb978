"""The embedding of attributes against a literal mean, values and gradients."""

from __future__ import annotations

import torch

from meta_model.data.features import Features
from meta_model.encoders.embedding import Attributes, FeatureEmbedding

# Two features of three entities: 3 and 2 known values; 0 is a value the vocabulary lacks, -1 none.
VALUES = torch.tensor(
    [
        [[-1, -1, -1], [-1, -1, -1]],
        [[1, 2, -1], [1, -1, -1]],
        [[3, 0, 0], [2, -1, -1]],
        [[0, -1, -1], [-1, -1, -1]],
    ]
)
FEATURES = Features(names=("age", "gender"), values=VALUES, sizes=(4, 3))


def _literal(table: torch.Tensor) -> torch.Tensor:
    """Rows 1 to 3 of the table are the first feature's values, 4 and 5 the second's."""
    nothing = torch.zeros(2)
    return torch.stack(
        [
            torch.cat([nothing, nothing]),
            torch.cat([(table[1] + table[2]) / 2, table[4]]),
            torch.cat([table[3] / 3, table[5]]),  # one known value of three
            torch.cat([nothing, nothing]),
        ]
    )


def test_a_feature_is_the_mean_of_its_values_the_unknown_ones_counted() -> None:
    torch.manual_seed(1)
    attributes = Attributes(FEATURES)
    embedding = FeatureEmbedding(attributes, size=2, std=1.0)
    found = embedding(*attributes(torch.arange(4)))
    torch.testing.assert_close(found, _literal(embedding.table))


def test_its_gradient_is_that_of_the_literal_mean() -> None:
    torch.manual_seed(1)
    attributes = Attributes(FEATURES)
    embedding = FeatureEmbedding(attributes, size=2, std=1.0)
    weights = torch.randn(4, 4)
    rows = torch.tensor([2, 1, 2])
    [ours] = torch.autograd.grad(
        (embedding(*attributes(rows)) * weights[rows]).sum(), embedding.table
    )
    [literal] = torch.autograd.grad(
        (_literal(embedding.table)[rows] * weights[rows]).sum(), embedding.table
    )
    torch.testing.assert_close(ours, literal)
    assert not ours[0].any()
