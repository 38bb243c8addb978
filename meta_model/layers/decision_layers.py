"""The layers that a task adapts, and their local update in closed form, for a batch of tasks.

The local gradient of a linear layer is a sum of outer products, one a support place:
dL/dW = sum_s D_s X_s^T with X_s the layer's input and D_s the loss's gradient at its output. A
layer adapted by a rate a therefore maps an input x to

    x (W - a sum_s D_s X_s^T)^T + b - a sum_s D_s  =  x W^T + b - a (x X^T + 1) D

so the adapted weights of a task are never formed: an adapted layer is the shared layer and the
factors X, D of each local step. Everything is built of differentiable operations; the gradient of
the query loss through the local update is exact (second order), by one ordinary backward pass.
First order takes X and D for constants, so that only the shared layer is differentiated.

Shapes: B tasks, S support positions, N positions to predict, O a layer's outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.layer_inputs import Dense, Pairs, Part


@dataclass(frozen=True, kw_only=True)
class Factors:
    """One local step of one layer: its support inputs X, the gradients D [B, S, O], the rate."""

    inputs: Any  # Pairs in the first layer, Dense in the others
    gradients: Tensor
    rate: Tensor

    def forward(self, x: Any) -> Tensor:
        """a (x X^T + 1) D [B, N, O]: what the step takes from the output for inputs x like X."""
        kernel: Tensor = x.inner(self.inputs) + 1
        return (self.rate * kernel) @ self.gradients  # of the three, the kernel is the smallest

    def backward(self, gradient: Tensor) -> Tensor:
        """a G D^T X [B, N, I]: what the step takes from a gradient G [B, N, O] on its way back."""
        backward: Tensor = (self.rate * (gradient @ self.gradients.mT)) @ self.inputs.vectors
        return backward

    def detach(self) -> Factors:
        """Constants to what comes after, but for the rate."""
        inputs, gradients = self.inputs.detach(), self.gradients.detach()
        return replace(self, inputs=inputs, gradients=gradients)


Update = tuple[tuple[Factors, ...], ...]  # the local steps, and in each the factors of every layer


class DecisionLayers(nn.Module):
    """Linear layers with ReLU between them and one output, adapted task by task.

    The first layer's input is a user's vector of size U, an item's of size I, and F side features.
    """

    def __init__(
        self,
        inputs: tuple[int, int, int],
        hidden: tuple[int, ...],
        steps: int,
        rate: float,
        learn_rates: bool,
    ) -> None:
        super().__init__()
        self.n_users, self.n_items, _ = inputs
        sizes = (sum(inputs), *hidden, 1)
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(sizes))
        # Kept as logarithms: a rate stays positive however it is learnt.
        rates = torch.full((steps, len(self.layers)), rate).log()
        self.log_rates = nn.Parameter(rates, requires_grad=learn_rates)

    def users(self, vectors: Tensor) -> Part:
        """The users' part of the first layer's input, from vectors [B, U]."""
        [first, *_] = self.linear()
        return Part(vectors=vectors, outputs=vectors @ first.weight[:, : self.n_users].mT)

    def items(self, vectors: Tensor) -> Part:
        """The items' part, from vectors [M, I]."""
        [first, *_] = self.linear()
        weight = first.weight[:, self.n_users : self.n_users + self.n_items]
        return Part(vectors=vectors, outputs=vectors @ weight.mT)

    def forward(self, x: Pairs, update: Update) -> Tensor:
        """Predictions [B, N] with each task's adapted layers; the shared ones after no step."""
        output = x.affine(self.linear()[0])
        for first, *_ in update:
            output = output - first.forward(x)
        *_, predicted = self._further(output, update)
        return predicted.squeeze(-1)

    def adapt(
        self,
        x: Pairs,
        slope: Callable[[Tensor], Tensor],
        weight: Tensor,
        second_order: bool = True,
    ) -> Update:
        """The local steps on the support x, with weight [B, S] of its places; padding has 0.

        `slope` gives the derivative [B, S] of each place's loss by its prediction [B, S].
        """
        update: Update = ()
        output = x.affine(self.linear()[0])
        kernel = x.inner(x) + 1 if len(self.log_rates) > 1 else None  # the same in every step
        for rates in self.log_rates.exp():
            if update and kernel is not None:
                [last, *_] = update[-1]
                output = output - kernel @ (last.rate * last.gradients)
            *hidden, predicted = self._further(output, update)
            error = weight * slope(predicted.squeeze(-1))
            inputs = [x, *(Dense(vectors=vectors) for vectors in hidden)]
            gradients = self._output_gradients(hidden, error.unsqueeze(-1), update)
            step = tuple(
                Factors(inputs=of_layer, gradients=gradient, rate=rate)
                for of_layer, gradient, rate in zip(inputs, gradients, rates, strict=True)
            )
            update = (*update, step if second_order else tuple(f.detach() for f in step))
        return update

    def gradient_norms(self, x: Pairs) -> tuple[Tensor, Tensor]:
        """Predictions [B, N] and the Frobenius norm [B, N] of each prediction's own gradient.

        Taken before any local update, over all weights and biases of these layers. The norm of an
        outer product is the product of its vectors' norms, so no place needs a backward pass.
        """
        *hidden, predicted = self._further(x.affine(self.linear()[0]), ())
        gradients = self._output_gradients(hidden, torch.ones_like(predicted), ())
        inputs = [x.squares(), *(vectors.square().sum(-1) for vectors in hidden)]
        squares = torch.zeros_like(predicted.squeeze(-1))
        for square, gradient in zip(inputs, gradients, strict=True):
            squares = squares + gradient.square().sum(-1) * (square + 1)
        return predicted.squeeze(-1), squares.sqrt()

    def shift(self, update: Update) -> dict[nn.Parameter, Tensor]:
        """How far the update moves each layer's weight and bias, summed over tasks."""
        moved = [torch.zeros_like(parameter) for parameter in self.layers.parameters()]
        for step in update:
            for factors, weight, bias in zip(step, moved[::2], moved[1::2], strict=True):
                weight -= factors.rate * factors.inputs.outer(factors.gradients)
                bias -= factors.rate * factors.gradients.sum((0, 1))
        return dict(zip(self.layers.parameters(), moved, strict=True))

    def _further(self, output: Tensor, update: Update) -> list[Tensor]:
        """From the first layer's output: every further layer's input, and last the prediction."""
        passed = []
        for depth, layer in enumerate(self.linear()[1:], start=1):
            inputs = Dense(vectors=F.relu(output, inplace=depth > 1))
            passed.append(inputs.vectors)
            output = inputs.affine(layer)
            for step in update:
                output = output - step[depth].forward(inputs)
        return [*passed, output]

    def _output_gradients(
        self, hidden: list[Tensor], gradient: Tensor, update: Update
    ) -> list[Tensor]:
        """The gradient at every layer's output [B, N, O], from that at the last, [B, N, 1]."""
        gradients = [gradient]
        layers = self.linear()
        for depth in reversed(range(1, len(layers))):
            behind = gradients[0] @ layers[depth].weight
            for step in update:
                behind = behind - step[depth].backward(gradients[0])
            # ReLU's derivative, in one pass over memory where a product with a mask takes three.
            active = hidden[depth - 1].detach()
            gradients.insert(0, torch.ops.aten.threshold_backward(behind, active, 0))
        return gradients

    def linear(self) -> list[nn.Linear]:
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]
