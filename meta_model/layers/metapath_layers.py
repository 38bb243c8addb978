"""The layers of MetaHIN on each meta-path (Lu et al., KDD 2020): what they read, and their state.

    x_ui^p   =  relu(W_phi c_ui^p + b_phi)                  semantic layer (1)
    r_ui^p   =  h(u, i, x_ui^p, e_ui^p)                     rating layers (2, 3)
    omega^p  =  omega * kappa(x_u^p)                        transformed prior (7)

x_u^p is the damped mean of x_us^p over the support, a sum over n + d (`learners.metahin`).
Every pair of a task and a path has fast weights of its own.

Shapes: B tasks, P paths with UM, Z = B * P pairs, the paths of a task one after the other; T items
of a task, N positions, M items of a catalogue, C the size of a context, H of x, F side features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.fast_weights import FastWeightLayers
from meta_model.layers.local_update import Weights
from meta_model.layers.per_example_gradients import PerExampleGradients
from meta_model.layers.residual_propagation import N_PROPAGATED, SupportMemory
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class PathInputs:
    """What the layers of all pairs read at positions.

    users: [B, H], e_u; items: [M, H], e_i of a catalogue, which `rows` [B, N] or [1, N] point into
    side_features: [B, N, F] or [1, N, F]; contexts: [Z, N, C], c_ui^p
    """

    users: Tensor
    items: Tensor
    rows: Tensor
    side_features: Tensor
    contexts: Tensor


@dataclass(frozen=True, kw_only=True)
class Semantics:
    """Each task's context and adapted weights on each meta-path.

    items: [B, T], the task's items, which its contexts leave out
    user: [B, H], e_u; taste: [B, C], the context of UM
    phi, omega: the adapted weights of Z pairs; attention: [B, P], the weight of each path
    """

    items: Tensor
    user: Tensor
    taste: Tensor
    memory: SupportMemory
    phi: Weights
    omega: Weights
    attention: Tensor


class SemanticLayer(FastWeightLayers):
    """W_phi and b_phi: from a context to x."""

    def embedded(
        self, phi: Weights, contexts: Tensor, gradients: PerExampleGradients | None = None
    ) -> Tensor:
        """(1): x [Z, N, H] of contexts [Z, N, C]."""
        return F.relu(self(phi, [contexts], gradients))


class RatingLayers(FastWeightLayers):
    """h: from user, item, side features, x and propagated residuals to one output."""

    def __init__(
        self, n_paths: int, size: int, n_side_features: int, outputs: Sequence[int]
    ) -> None:
        super().__init__((size, size, n_side_features, size, N_PROPAGATED), outputs)
        self.n_paths = n_paths

    def residuals(
        self,
        omega: Weights,
        inputs: PathInputs,
        x: Tensor,
        propagated: Tensor,
        gradients: PerExampleGradients | None = None,
    ) -> Tensor:
        """(2) and (3): the residuals over the baseline that each path predicts, [Z, N].

        x: [Z, N, H]; propagated: [Z, N, 2], e_ui^p
        """
        users = paired(inputs.users, self.n_paths).unsqueeze(1)
        # What all tasks share is not repeated; side features may differ where the items do not.
        both = (at_rows(inputs.items, inputs.rows), inputs.side_features)
        items, side_features = (
            paired(part, self.n_paths) if len(part) > 1 else part for part in both
        )
        parts = [users, items, side_features, x, propagated]
        residuals: Tensor = self(omega, parts, gradients)
        return residuals.squeeze(-1)


class TransformedPrior(nn.Linear):
    """kappa: scales the outputs of each layer, by 1 before training."""

    def __init__(self, size: int, outputs: Sequence[int]) -> None:
        super().__init__(size, sum(outputs))
        nn.init.zeros_(self.weight)  # at first, the prior is the same for every context
        nn.init.zeros_(self.bias)
        self.outputs = list(outputs)

    def transformed(self, weights: Weights, seen: Tensor) -> Weights:
        """(7): the shared weights of all layers, scaled by each support's damped mean x, [Z, H]."""
        scales = 2 * self(seen).sigmoid()
        of_layers = scales.split(self.outputs, dim=1)
        return tuple(
            scaled
            for scale, weight, bias in zip(of_layers, weights[::2], weights[1::2], strict=True)
            for scaled in (weight * scale.unsqueeze(1), bias * scale)
        )


def paired(of_tasks: Tensor, n_paths: int) -> Tensor:
    """A tensor [B, ...], repeated for each path: [Z, ...]."""
    return of_tasks.repeat_interleave(n_paths, dim=0)
