"""Parameters of networks, grouped for an optimizer."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from meta_model.learners.learner import ParameterGroup


def layer_groups(layers: nn.Module) -> Iterable[ParameterGroup]:
    """A network's weights with a little decay, and its biases with none."""
    parameters = parameters_of(layers)
    yield ParameterGroup(parameters=[p for p in parameters if p.dim() > 1], decay=0.1)
    yield ParameterGroup(parameters=[p for p in parameters if p.dim() == 1])


def parameters_of(*modules: nn.Module | None) -> list[nn.Parameter]:
    """The trained parameters of those modules that there are."""
    there = (module for module in modules if module is not None)
    return [p for module in there for p in module.parameters() if p.requires_grad]
