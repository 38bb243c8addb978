"""Linear layers with ReLU between them and fast weights: each task has its own copy.

Shapes: B tasks, N positions, I inputs and O outputs of a layer. The first layer's input comes in
parts, so that a part that is the same at all positions, or in all tasks, is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.local_update import Weights
from meta_model.layers.per_example_gradients import PerExampleGradients


class FastWeightLayers(nn.Module):
    """The shared (slow) weights [I, O] and biases [O], from which the tasks' fast weights start."""

    def __init__(self, parts: Sequence[int], outputs: Sequence[int]) -> None:
        super().__init__()
        self.parts = list(parts)
        linear = [nn.Linear(i, o) for i, o in pairwise([sum(parts), *outputs])]
        self.weights = nn.ParameterList(
            tensor for layer in linear for tensor in (layer.weight.detach().mT.clone(), layer.bias)
        )

    def shapes(self) -> list[torch.Size]:
        """Shapes of the shared weights, weight and bias of each layer in turn."""
        return [weight.shape for weight in self.weights]

    def start(self, n_tasks: int) -> Weights:
        """The initial fast weights, [B, I, O] and [B, O] of each layer: the shared ones."""
        return tuple(weight.expand(n_tasks, *weight.shape) for weight in self.weights)

    def forward(
        self,
        weights: Weights,
        parts: Sequence[Tensor],
        gradients: PerExampleGradients | None = None,
    ) -> Tensor:
        """Outputs [B, N, O] by fast weights, for parts [B, N, I_p]; B or N is 1 where all are
        equal.

        gradients: records each layer
        """
        split = weights[0].split(self.parts, dim=1)
        output = weights[1].unsqueeze(1)
        for part, weight in zip(parts, split, strict=True):
            if part.shape[-1]:
                output = output + part @ weight
        if gradients is not None:
            gradients.add_layer(parts, output)
        for weight, bias in zip(weights[2::2], weights[3::2], strict=True):
            hidden = F.relu(output)
            output = hidden @ weight + bias.unsqueeze(1)
            if gradients is not None:
                gradients.add_layer([hidden], output)
        return output

    def adaptation_deltas(self, weights: Weights) -> dict[nn.Parameter, Tensor]:
        """Adapted minus shared weights, summed over tasks (for Reptile)."""
        pairs = zip(self.weights, weights, strict=True)
        return {shared: adapted.sum(0) - len(adapted) * shared for shared, adapted in pairs}
