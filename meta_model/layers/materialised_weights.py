"""The materialised weights of adapted layers, task by task: they predict a whole catalogue.

To predict N positions through k steps on S support positions costs N k S (I + O) by factors and N I
O by materialised weights. A query has few positions, and factors win by far; a catalogue has many,
and the weights of a batch of tasks, materialised once, win where k S is more than a few dozen.

Shapes: B tasks, N positions, I inputs and O outputs of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from meta_model.layers.decision_layers import DecisionLayers, Factors, Inputs, Update
from meta_model.layers.layer_inputs import ConcatenatedInputs, Projected
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class MaterialisedWeights:
    """The weights of the adapted layers of B tasks.

    of_items: [B, I, O], of_side_features: [B, F, O], the first layer's columns for both
    constant: [B, 1, O], the first layer's output for the user alone, its bias included
    further: the weight [B, I, O] and bias [B, 1, O] of each further layer
    """

    of_items: Tensor
    of_side_features: Tensor
    constant: Tensor
    further: tuple[tuple[Tensor, Tensor], ...]

    def __call__(self, x: ConcatenatedInputs) -> Tensor:
        """Predictions [B, N] for the same items in all tasks: x.rows [1, N]."""
        output = x.items.vectors[x.rows[0]] @ self.of_items + self.constant
        if x.side_features.shape[-1]:
            output = output + x.side_features @ self.of_side_features
        for weight, bias in self.further:
            output = torch.baddbmm(bias, F.relu(output, inplace=True), weight)
        return output.squeeze(-1)


def materialise(layers: DecisionLayers, users: Projected, update: Update) -> MaterialisedWeights:
    """The weights of the layers after `update`, for the tasks of these users."""
    first, *further = layers.linear()
    ends = (layers.n_users, layers.n_users + layers.n_items)
    of_items, of_side_features = first.weight[:, ends[0] : ends[1]], first.weight[:, ends[1] :]
    steps = [step.first for step in update]
    user_kernel = users.vectors.square().sum(-1, keepdim=True).unsqueeze(1) + 1
    return MaterialisedWeights(
        of_items=of_items.mT - _outer(steps, [_item_vectors(step.inputs) for step in steps]),
        of_side_features=of_side_features.mT
        - _outer(steps, [step.inputs.side_features for step in steps]),
        constant=(users.outputs + first.bias).unsqueeze(1) - user_kernel * _sums(steps),
        further=tuple(
            (
                layer.weight.mT - _outer(of_layer, [f.inputs.vectors for f in of_layer]),
                layer.bias - _sums(of_layer),
            )
            for layer, of_layer in zip(
                further, zip(*(step.further for step in update), strict=True), strict=True
            )
        ),
    )


def _item_vectors(x: ConcatenatedInputs) -> Tensor:
    return at_rows(x.items.vectors, x.rows)


def _outer(steps: Sequence[Factors[Inputs]], vectors: Sequence[Tensor]) -> Tensor:
    """The steps' sum of a X^T D, [B, I, O]."""
    products = (x.mT @ (f.rate * f.gradients) for f, x in zip(steps, vectors, strict=True))
    return torch.stack(list(products)).sum(0)


def _sums(steps: Sequence[Factors[Inputs]]) -> Tensor:
    """The steps' sum of a D over the support, [B, 1, O]."""
    return torch.stack([f.rate * f.gradients.sum(1, keepdim=True) for f in steps]).sum(0)
