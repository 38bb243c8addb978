"""The layers that a task adapts, and their local update in closed form, for a batch of tasks.

The local gradient of a linear layer is a sum of outer products, one a support place:
dL/dW = sum_s D_s X_s^T with X_s the layer's input and D_s the loss's gradient at its output. A
layer adapted by a rate a therefore maps an input x to

    x (W - a sum_s D_s X_s^T)^T + b - a sum_s D_s  =  x W^T + b - a (x X^T + 1) D

so the adapted weights of a task are never formed: an adapted layer is the shared layer and the
factors X, D of each local step. Everything is built of differentiable operations; the gradient of
the query loss through the local update is exact (second order), by one ordinary backward pass.

Shapes: B tasks, S support places, N places to predict, I and O a layer's inputs and outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Factors:
    """One local step of one layer: inputs [B, S, I], gradients times the rate [B, S, O]."""

    inputs: Tensor
    gradients: Tensor


Update = list[list[Factors]]  # for each layer, its local steps so far


class DecisionLayers(nn.Module):
    """Linear layers with ReLU between them and one output, adapted task by task."""

    def __init__(
        self, inputs: int, hidden: tuple[int, ...], steps: int, rate: float, learn_rates: bool
    ) -> None:
        super().__init__()
        sizes = (inputs, *hidden, 1)
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(sizes))
        # Kept as logarithms: a rate stays positive however it is learnt.
        rates = torch.full((steps, len(self.layers)), rate).log()
        self.log_rates = nn.Parameter(rates, requires_grad=learn_rates)

    def no_update(self) -> Update:
        return [[] for _ in self.layers]

    def forward(self, x: Tensor, update: Update) -> Tensor:
        """Predictions [B, N] for inputs [B, N, I] with each task's adapted layers."""
        return self._activations(x, update)[-1].squeeze(-1)

    def adapt(self, x: Tensor, target: Tensor, weight: Tensor) -> Update:
        """The local steps on a squared error: x [B, S, I]; target and weight [B, S].

        The loss of a task is sum_s weight_s (prediction_s - target_s)^2; padding has weight 0.
        """
        update = self.no_update()
        for rates in self.log_rates.exp():
            activations = self._activations(x, update)
            error = 2 * weight * (activations[-1].squeeze(-1) - target)
            gradients = self.output_gradients(activations, error.unsqueeze(-1), update)
            update = [
                [*steps, Factors(inputs=inputs, gradients=rate * gradient)]
                for steps, inputs, rate, gradient in zip(
                    update, activations[:-1], rates, gradients, strict=True
                )
            ]
        return update

    def _activations(self, x: Tensor, update: Update) -> list[Tensor]:
        """The input of every layer, and last the output [B, N, 1]."""
        activations = [x]
        for depth, (layer, steps) in enumerate(zip(self.layers, update, strict=True)):
            output = layer(activations[-1])
            for step in steps:
                output = output - (activations[-1] @ step.inputs.mT + 1) @ step.gradients
            is_last = depth == len(self.layers) - 1
            activations.append(output if is_last else torch.relu(output))
        return activations

    def output_gradients(
        self, activations: list[Tensor], gradient: Tensor, update: Update
    ) -> list[Tensor]:
        """The gradient at every layer's output [B, N, O], from that at the last, [B, N, 1]."""
        gradients = [gradient]
        for depth in range(len(self.layers) - 1, 0, -1):
            layer = self.layers[depth]
            assert isinstance(layer, nn.Linear)
            behind = gradients[0] @ layer.weight
            for step in update[depth]:
                behind = behind - (gradients[0] @ step.gradients.mT) @ step.inputs
            gradients.insert(0, behind * (activations[depth] > 0))
        return gradients

    def gradient_norms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions [B, N] and the Frobenius norm [B, N] of each prediction's own gradient.

        Taken before any local update, over all weights and biases of these layers. The norm of an
        outer product is the product of its vectors' norms, so no place needs a backward pass.
        """
        update = self.no_update()
        activations = self._activations(x, update)
        gradients = self.output_gradients(activations, torch.ones_like(activations[-1]), update)
        squares = sum(
            gradient.square().sum(-1) * (inputs.square().sum(-1) + 1)
            for inputs, gradient in zip(activations[:-1], gradients, strict=True)
        )
        assert isinstance(squares, Tensor)
        return activations[-1].squeeze(-1), squares.sqrt()
