"""MetricEncoder of metric-based methods: items as points, of which users like near ones alike.

Shapes: B tasks, N positions, M items, F side features, H the hidden layer's size, E the space's.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.per_example_gradients import PerExampleGradients
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Points [B, N, E], and the hidden layer [B, N, H] that they are made of."""

    points: Tensor
    hidden: Tensor

    def gradients(self) -> PerExampleGradients:
        """Gradients by the output layer, the last layer before the points."""
        recorded = PerExampleGradients()
        recorded.add_layer([self.hidden.detach()], self.points)
        return recorded


class MetricEncoder(nn.Module):
    """Two linear layers with ReLU between them; the first one's item part is made once an item."""

    def __init__(self, n_items: int, n_side_features: int, hidden: int, size: int) -> None:
        super().__init__()
        self.of_items = nn.Linear(n_items, hidden)
        self.of_side_features = (
            nn.Linear(n_side_features, hidden, bias=False) if n_side_features else None
        )
        self.output = nn.Linear(hidden, size)

    def items(self, vectors: Tensor) -> Tensor:
        """The items' part [M, H] from their vectors [M, V]."""
        part: Tensor = self.of_items(vectors)
        return part

    def forward(self, items: Tensor, rows: Tensor, side_features: Tensor) -> Encoded:
        """The points at rows [B, N] of the items' part, with side_features [B, N, F]."""
        hidden = at_rows(items, rows)
        if self.of_side_features is not None:
            hidden = hidden + self.of_side_features(side_features)
        hidden = F.relu(hidden)
        return Encoded(points=self.output(hidden), hidden=hidden)
