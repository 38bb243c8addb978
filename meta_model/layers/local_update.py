"""Local update (inner loop): gradient steps on the fast weights of a batch of tasks.

The loss of a batch is the sum of its tasks' losses, and a task's loss depends on its fast weights
alone: one backward pass gives the gradients of all tasks. `decision_layers` has a closed form of
this for linear layers; this one takes any loss.

    w_u  <-  w_u - a * grad_w L_u(w_u)

The steps are differentiable (second order); first order, an option, takes the gradients for
constants (Finn, Abbeel and Levine, ICML 2017, section 5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from meta_model.config import LocalUpdateConfig

Weights = tuple[Tensor, ...]


class LocalUpdate(nn.Module):
    """`steps` local steps with local rates, learnt or fixed.

    There is one rate for each step and weight tensor, or (Meta-SGD, Li et al. 2017) for each step
    and parameter.
    """

    def __init__(self, shapes: Sequence[torch.Size], steps: int, config: LocalUpdateConfig) -> None:
        super().__init__()
        self.steps = steps
        self.is_second_order = config.gradient == "second_order"
        is_single = config.rates != "parameter"
        # As logarithms, so that learnt rates stay positive.
        self.log_rates = nn.ParameterList(
            nn.Parameter(
                torch.full((steps, *(1 for _ in shape)) if is_single else (steps, *shape), 1.0)
                * torch.tensor(config.rate).log(),
                requires_grad=config.rates != "fixed",
            )
            for shape in shapes
        )

    def forward(
        self,
        loss: Callable[[Weights], Tensor],
        weights: Weights,
        rows: Mapping[int, Tensor] | None = None,
    ) -> tuple[Weights, Weights]:
        """The weights after all steps, and the gradients of the first step.

        loss: gives the tasks' losses [B] for weights like these
        weights: each [B, ...]. Those with their number in `rows` are table rows instead, [P, ...],
        each adapted by one task; `rows` has their numbers [P] in the shared table
        """
        first: Weights = ()
        for step in range(self.steps):
            gradients = gradients_of(loss, weights, self.is_second_order)
            first = first or gradients
            rates = [self._rate(number, step, rows or {}) for number in range(len(weights))]
            moved = zip(weights, rates, gradients, strict=True)
            weights = tuple(weight - rate * gradient for weight, rate, gradient in moved)
        return weights, first

    def _rate(self, number: int, step: int, rows: Mapping[int, Tensor]) -> Tensor:
        rate: Tensor = self.log_rates[number][step].exp()
        return rate[rows[number]] if number in rows and len(rate) > 1 else rate


def gradients_of(
    loss: Callable[[Weights], Tensor], weights: Weights, is_second_order: bool
) -> Weights:
    """The gradients of the tasks' losses, in the weights' shapes; second order with a graph."""
    differentiable = is_second_order and torch.is_grad_enabled()
    if not torch.is_grad_enabled():
        weights = tuple(weight.detach().requires_grad_() for weight in weights)
    with torch.enable_grad():
        total = loss(weights).sum()
        # Without attributes a layer's input is empty, and its gradient zero.
        return torch.autograd.grad(
            total, weights, create_graph=differentiable, materialize_grads=True
        )
