"""Decision layers and their local update in closed form, for a batch of tasks.

The local gradient of a linear layer is a sum of outer products, one for each support position:
dL/dW = sum_s D_s X_s^T with X_s the layer's input and D_s the loss's gradient at its output. A
layer adapted by a rate a therefore maps an input x to

    x (W - a sum_s D_s X_s^T)^T + b - a sum_s D_s  =  x W^T + b - a (x X^T + 1) D

so the adapted weights of a task are never materialised: an adapted layer is the shared layer and
the factors X, D of each local step. Every operation is differentiable, so that one backward pass
gives the exact gradient of the query loss through the local update (second order). First order
detaches X and D: then only the shared layer is differentiated.

Shapes: B tasks, S support positions, N positions to predict, O a layer's outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.layer_inputs import ConcatenatedInputs, DenseInputs, Projected

Inputs = TypeVar("Inputs", ConcatenatedInputs, DenseInputs)


@dataclass(frozen=True, kw_only=True)
class Factors(Generic[Inputs]):
    """One local step of one layer: its support inputs X, the gradients D [B, S, O], the rate."""

    inputs: Inputs
    gradients: Tensor
    rate: Tensor

    def forward(self, x: Inputs) -> Tensor:
        """a (x X^T + 1) D [B, N, O]: the step changes the output for inputs x by minus this."""
        kernel = x.inner(self.inputs) + 1
        return (self.rate * kernel) @ self.gradients  # of the three, the kernel is the smallest

    def backward(self: Factors[DenseInputs], gradient: Tensor) -> Tensor:
        """a G D^T X [B, N, I]: the step changes the back-propagated gradient G by minus this.

        gradient: G [B, N, O], at the layer's output
        """
        return (self.rate * (gradient @ self.gradients.mT)) @ self.inputs.vectors

    def detach(self) -> Factors[Inputs]:
        """Detach inputs and gradients; the rate keeps its gradient (first-order update)."""
        inputs, gradients = self.inputs.detach(), self.gradients.detach()
        return Factors(inputs=inputs, gradients=gradients, rate=self.rate)


@dataclass(frozen=True, kw_only=True)
class LocalStep:
    """One local step: the factors of the first layer, and of each further layer."""

    first: Factors[ConcatenatedInputs]
    further: tuple[Factors[DenseInputs], ...]

    @property
    def layers(self) -> tuple[Factors[ConcatenatedInputs] | Factors[DenseInputs], ...]:
        """The factors of all layers, from the input to the output."""
        return (self.first, *self.further)

    def detach(self) -> LocalStep:
        """Detach the factors of all layers; learning rates keep their gradients."""
        further = tuple(factors.detach() for factors in self.further)
        return LocalStep(first=self.first.detach(), further=further)


Update = tuple[LocalStep, ...]


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

    def users(self, vectors: Tensor) -> Projected:
        """The users' vectors [B, U], projected by their columns of the first layer."""
        [first, *_] = self.linear()
        return Projected(vectors=vectors, outputs=vectors @ first.weight[:, : self.n_users].mT)

    def items(self, vectors: Tensor) -> Projected:
        """The items' vectors [M, I], projected by their columns of the first layer."""
        [first, *_] = self.linear()
        weight = first.weight[:, self.n_users : self.n_users + self.n_items]
        return Projected(vectors=vectors, outputs=vectors @ weight.mT)

    def forward(self, x: ConcatenatedInputs, update: Update) -> Tensor:
        """Predictions [B, N] by each task's adapted layers; an empty update: by the shared ones."""
        output = x.affine(self.linear()[0])
        for step in update:
            output = output - step.first.forward(x)
        *_, predicted = self._further(output, update)
        return predicted.squeeze(-1)

    def adapt(
        self,
        x: ConcatenatedInputs,
        loss_gradient: Callable[[Tensor], Tensor],
        weight: Tensor,
        second_order: bool = True,
    ) -> Update:
        """The local steps on the support x.

        loss_gradient: gives the gradient [B, S] of each position's loss by its prediction [B, S]
        weight: [B, S], of each position in its task's loss; 0 at padding
        """
        update: Update = ()
        output = x.affine(self.linear()[0])
        kernel = x.inner(x) + 1 if len(self.log_rates) > 1 else None  # the same in every step
        for rates in self.log_rates.exp():
            if update and kernel is not None:
                last = update[-1].first
                output = output - kernel @ (last.rate * last.gradients)
            *hidden, predicted = self._further(output, update)
            error = weight * loss_gradient(predicted.squeeze(-1))
            gradient, *gradients = self._output_gradients(hidden, error.unsqueeze(-1), update)
            step = LocalStep(
                first=Factors(inputs=x, gradients=gradient, rate=rates[0]),
                further=tuple(
                    Factors(inputs=DenseInputs(vectors=vectors), gradients=gradient, rate=rate)
                    for vectors, gradient, rate in zip(hidden, gradients, rates[1:], strict=True)
                ),
            )
            update = (*update, step if second_order else step.detach())
        return update

    def per_example_gradient_norms(self, x: ConcatenatedInputs) -> tuple[Tensor, Tensor]:
        """Predictions [B, N] and the Frobenius norm [B, N] of each prediction's gradient.

        The gradient is by the shared weights and biases of all layers. The norm of an outer product
        is the product of its vectors' norms (`per_example_gradients`): no backward pass is needed.
        """
        *hidden, predicted = self._further(x.affine(self.linear()[0]), ())
        gradients = self._output_gradients(hidden, torch.ones_like(predicted), ())
        inputs = [x.squares(), *(vectors.square().sum(-1) for vectors in hidden)]
        squares = torch.zeros_like(predicted.squeeze(-1))
        for square, gradient in zip(inputs, gradients, strict=True):
            squares = squares + gradient.square().sum(-1) * (square + 1)
        return predicted.squeeze(-1), squares.sqrt()

    def adaptation_deltas(self, update: Update) -> dict[nn.Parameter, Tensor]:
        """Adapted minus shared weights and biases, summed over tasks (for Reptile)."""
        deltas = [torch.zeros_like(parameter) for parameter in self.layers.parameters()]
        for step in update:
            for factors, weight, bias in zip(step.layers, deltas[::2], deltas[1::2], strict=True):
                weight -= factors.rate * factors.inputs.outer(factors.gradients)
                bias -= factors.rate * factors.gradients.sum((0, 1))
        return dict(zip(self.layers.parameters(), deltas, strict=True))

    def _further(self, output: Tensor, update: Update) -> list[Tensor]:
        """From the first layer's output: the input of each further layer, and the prediction."""
        passed = []
        for depth, layer in enumerate(self.linear()[1:]):
            inputs = DenseInputs(vectors=F.relu(output, inplace=depth > 0))
            passed.append(inputs.vectors)
            output = inputs.affine(layer)
            for step in update:
                output = output - step.further[depth].forward(inputs)
        return [*passed, output]

    def _output_gradients(
        self, hidden: list[Tensor], gradient: Tensor, update: Update
    ) -> list[Tensor]:
        """The gradient at each layer's output [B, N, O], from that at the last, [B, N, 1]."""
        gradients = [gradient]
        layers = self.linear()
        for depth in reversed(range(1, len(layers))):
            behind = gradients[0] @ layers[depth].weight
            for step in update:
                behind = behind - step.further[depth - 1].backward(gradients[0])
            # ReLU's derivative, in one pass over memory where a product with a mask takes three.
            active = hidden[depth - 1].detach()
            gradients.insert(0, torch.ops.aten.threshold_backward(behind, active, 0))
        return gradients

    def linear(self) -> list[nn.Linear]:
        """The linear layers without the activations, from the input to the output."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]
