"""The layers that a task adapts, and their local update in closed form, for a batch of tasks.

The local gradient of a linear layer is a sum of outer products, one a support place:
dL/dW = sum_s D_s X_s^T with X_s the layer's input and D_s the loss's gradient at its output. A
layer adapted by a rate a therefore maps an input x to

    x (W - a sum_s D_s X_s^T)^T + b - a sum_s D_s  =  x W^T + b - a (x X^T + 1) D

so the adapted weights of a task are never formed: an adapted layer is the shared layer and the
factors X, D of each local step. Everything is built of differentiable operations; the gradient of
the query loss through the local update is exact (second order), by one ordinary backward pass.
First order takes X and D for constants, so that only the shared layer is differentiated.

Shapes: B tasks, S support places, N places to predict, O a layer's outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from meta_model.layer_inputs import Dense, Pairs


@dataclass(frozen=True, kw_only=True)
class Factors:
    """One update of one layer: its support inputs, and their gradients times the rate [B, S, O]."""

    inputs: Dense
    gradients: Tensor


@dataclass(frozen=True, kw_only=True)
class Update:
    """The local steps of a batch of tasks.

    The first layer's input is the same in every step, so its steps add up to one pair of factors:
    `support` and `first` [B, S, O]. `deeper` holds each further layer's factors, one a step.
    """

    support: Pairs
    first: Tensor
    deeper: tuple[tuple[Factors, ...], ...]


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

    def forward(self, x: Pairs, update: Update | None) -> Tensor:
        """Predictions [B, N] with each task's adapted layers, or the shared ones."""
        kernel = None if update is None else x.inner(update.support) + 1
        return self._outputs(x, update, kernel)[-1].squeeze(-1)

    def adapt(self, x: Pairs, target: Tensor, weight: Tensor, second_order: bool = True) -> Update:
        """The local steps on a squared error at the support x: target and weight [B, S].

        The loss of a task is sum_s weight_s (prediction_s - target_s)^2; padding has weight 0.
        """
        update = None
        all_rates = self.log_rates.exp()
        kernel = x.inner(x) + 1 if len(all_rates) > 1 else None
        for rates in all_rates:
            outputs = self._outputs(x, update, kernel)
            error = 2 * weight * (outputs[-1].squeeze(-1) - target)
            gradients = self._output_gradients(outputs, error.unsqueeze(-1), update)
            if not second_order:
                outputs = [output.detach() for output in outputs]
                gradients = [gradient.detach() for gradient in gradients]
            moves = [rate * gradient for rate, gradient in zip(rates, gradients, strict=True)]
            update = _stepped(update, x if second_order else x.detach(), outputs, moves)
        assert update is not None
        return update

    def gradient_norms(self, x: Pairs) -> tuple[Tensor, Tensor]:
        """Predictions [B, N] and the Frobenius norm [B, N] of each prediction's own gradient.

        Taken before any local update, over all weights and biases of these layers. The norm of an
        outer product is the product of its vectors' norms, so no place needs a backward pass.
        """
        outputs = self._outputs(x, None, None)
        gradients = self._output_gradients(outputs, torch.ones_like(outputs[-1]), None)
        inputs = [x.squares(), *(output.square().sum(-1) for output in outputs[:-1])]
        squares = torch.zeros_like(outputs[-1].squeeze(-1))
        for square, gradient in zip(inputs, gradients, strict=True):
            squares = squares + gradient.square().sum(-1) * (square + 1)
        return outputs[-1].squeeze(-1), squares.sqrt()

    def shift(self, update: Update) -> dict[nn.Parameter, Tensor]:
        """How far the update moves each layer's weight and bias, summed over tasks."""
        moved = [(-update.support.outer(update.first), -update.first.sum((0, 1)))]
        for steps in update.deeper:
            weights = [step.inputs.outer(step.gradients) for step in steps]
            biases = [step.gradients.sum((0, 1)) for step in steps]
            moved.append((-torch.stack(weights).sum(0), -torch.stack(biases).sum(0)))
        parameters = list(self.layers.parameters())  # weight and bias, layer by layer
        return dict(zip(parameters, (part for pair in moved for part in pair), strict=True))

    def _outputs(self, x: Pairs, update: Update | None, kernel: Tensor | None) -> list[Tensor]:
        """Every layer's output [B, N, O], ReLU applied to all but the last.

        `kernel` [B, N, S] is x's inner products with the support, plus 1.
        """
        first, *deeper = self._linear()
        output = x.affine(first)
        if update is not None and kernel is not None:
            output = output - kernel @ update.first
        outputs = [output]
        for depth, layer in enumerate(deeper):
            inputs = Dense(vectors=torch.relu(outputs.pop()))
            output = inputs.affine(layer)
            for step in () if update is None else update.deeper[depth]:
                output = output - (inputs.inner(step.inputs) + 1) @ step.gradients
            outputs += [inputs.vectors, output]
        return outputs

    def _output_gradients(
        self, outputs: list[Tensor], gradient: Tensor, update: Update | None
    ) -> list[Tensor]:
        """The gradient at every layer's output [B, N, O], from that at the last, [B, N, 1]."""
        gradients = [gradient]
        deeper = self._linear()[1:]
        for depth in reversed(range(len(deeper))):
            behind = gradients[0] @ deeper[depth].weight
            for step in () if update is None else update.deeper[depth]:
                behind = behind - (gradients[0] @ step.gradients.mT) @ step.inputs.vectors
            gradients.insert(0, behind * (outputs[depth] > 0))
        return gradients

    def _linear(self) -> list[nn.Linear]:
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]


def _stepped(update: Update | None, x: Pairs, outputs: list[Tensor], moves: list[Tensor]) -> Update:
    """The update after one more step, whose gradients times rates are `moves`."""
    factors = [
        (Factors(inputs=Dense(vectors=output), gradients=move),)
        for output, move in zip(outputs[:-1], moves[1:], strict=True)
    ]
    if update is None:
        return Update(support=x, first=moves[0], deeper=tuple(factors))
    deeper = tuple(past + new for past, new in zip(update.deeper, factors, strict=True))
    return Update(support=x, first=update.first + moves[0], deeper=deeper)
