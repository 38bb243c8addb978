"""Norms of per-example gradients, by one backward pass for a whole batch (Goodfellow 2015).

The gradient of a linear layer's weight is the outer product of the gradient at the layer's output
and the layer's input, so that its norm is the product of their norms. A prediction depends on the
outputs at its position alone, so that one backward pass of the sum of all predictions gives the
gradient at the outputs for each.

I. Goodfellow, "Efficient Per-Example Gradient Computations", 2015.

Shapes: B tasks, N positions, O outputs of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class PerExampleGradients:
    """Records the layers of a forward pass, for the gradients by their weights and biases.

    outputs: of each layer, [B, N, O]; squares: squared norms of its inputs, [B, N, 1 or O]
    """

    outputs: list[Tensor] = field(default_factory=list)
    squares: list[Tensor] = field(default_factory=list)

    def add_layer(self, inputs: Sequence[Tensor], output: Tensor, has_bias: bool = True) -> None:
        """Record a linear layer with inputs [B, N, I_p], concatenated."""
        norms = [part.square().sum(-1, keepdim=True) for part in inputs]
        self.outputs.append(output)
        self.squares.append(torch.stack(torch.broadcast_tensors(*norms)).sum(0) + has_bias)

    def add_means(self, output: Tensor, weights: Tensor, n_features: int) -> None:
        """Record weighted sums of a table's rows for each feature; weights [B, N, F * W]."""
        n = max(1, n_features)  # there may be none
        squares = weights.square().unflatten(-1, (n_features, weights.shape[-1] // n)).sum(-1)
        self.outputs.append(output)
        self.squares.append(squares.repeat_interleave(output.shape[-1] // n, dim=-1))

    def norms(self, predicted: Tensor) -> Tensor:
        """The Frobenius norm [B, N] of each prediction's gradient by all recorded weights."""
        gradients = torch.autograd.grad(
            predicted.sum(), self.outputs, retain_graph=True, materialize_grads=True
        )
        pairs = zip(gradients, self.squares, strict=True)
        return torch.stack([(g.square() * square).sum(-1) for g, square in pairs]).sum(0).sqrt()
