"""Linear layers with ReLU between them, of which every task has weights of its own.

Shapes: B tasks, N positions, I inputs and O outputs of a layer. The first layer's input comes in
parts, so that what is the same at all places, or in all tasks, is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.local_update import Weights


@dataclass(frozen=True)
class Trace:
    """What adapted weights make at each place, [B, N, O] each, and the squares of what they weigh.

    A prediction depends on the outputs at its own place alone, so that one backward pass finds the
    gradients of all; and the norm of an outer product is the product of its vectors' norms.
    """

    outputs: list[Tensor] = field(default_factory=list)
    squares: list[Tensor] = field(default_factory=list)  # [B, N, 1 or O]

    def add_layer(self, inputs: Sequence[Tensor], output: Tensor, has_bias: bool = True) -> None:
        """A linear layer; inputs [B, N, I_p]."""
        norms = [part.square().sum(-1, keepdim=True) for part in inputs]
        self.outputs.append(output)
        self.squares.append(torch.stack(torch.broadcast_tensors(*norms)).sum(0) + has_bias)

    def add_means(self, output: Tensor, weights: Tensor, n_features: int) -> None:
        """Weighted sums of a table's rows, a feature beside the other; weights [B, N, F * W]."""
        n = max(1, n_features)  # there may be none
        squares = weights.square().unflatten(-1, (n_features, weights.shape[-1] // n)).sum(-1)
        self.outputs.append(output)
        self.squares.append(squares.repeat_interleave(output.shape[-1] // n, dim=-1))

    def norms(self, predicted: Tensor) -> Tensor:
        """The Frobenius norm [B, N] of each prediction's gradient by all adapted weights."""
        gradients = torch.autograd.grad(
            predicted.sum(), self.outputs, retain_graph=True, materialize_grads=True
        )
        pairs = zip(gradients, self.squares, strict=True)
        return torch.stack([(g.square() * square).sum(-1) for g, square in pairs]).sum(0).sqrt()


class FastLayers(nn.Module):
    """The shared weights [I, O] and biases [O] that every task's own start from."""

    def __init__(self, parts: Sequence[int], outputs: Sequence[int]) -> None:
        super().__init__()
        self.parts = list(parts)
        linear = [nn.Linear(i, o) for i, o in pairwise([sum(parts), *outputs])]
        self.weights = nn.ParameterList(
            tensor for layer in linear for tensor in (layer.weight.detach().mT.clone(), layer.bias)
        )

    def shapes(self) -> list[torch.Size]:
        return [weight.shape for weight in self.weights]

    def start(self, n_tasks: int) -> Weights:
        """Every task's own weights, [B, I, O] and [B, O] a layer, still the shared ones."""
        return tuple(weight.expand(n_tasks, *weight.shape) for weight in self.weights)

    def forward(
        self, weights: Weights, parts: Sequence[Tensor], trace: Trace | None = None
    ) -> Tensor:
        """Outputs [B, N, O] for parts [B, N, I_p], with 1 for B or N where it is all the same."""
        split = weights[0].split(self.parts, dim=1)
        output = weights[1].unsqueeze(1)
        for part, weight in zip(parts, split, strict=True):
            if part.shape[-1]:
                output = output + part @ weight
        if trace is not None:
            trace.add_layer(parts, output)
        for weight, bias in zip(weights[2::2], weights[3::2], strict=True):
            hidden = F.relu(output)
            output = hidden @ weight + bias.unsqueeze(1)
            if trace is not None:
                trace.add_layer([hidden], output)
        return output

    def adaptation_deltas(self, weights: Weights) -> dict[nn.Parameter, Tensor]:
        """Adapted minus shared weights, summed over tasks (for Reptile)."""
        pairs = zip(self.weights, weights, strict=True)
        return {shared: adapted.sum(0) - len(adapted) * shared for shared, adapted in pairs}
