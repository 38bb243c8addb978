"""Residual propagation by hand: two paths; on the first nothing propagates."""

from __future__ import annotations

from math import exp, log1p

import pytest
import torch

from meta_model.layers.residual_propagation import ResidualPropagation, SupportMemory


@pytest.fixture
def propagation() -> ResidualPropagation:
    made = ResidualPropagation(2)
    with torch.no_grad():
        made.log_inverse_temperature.fill_(torch.tensor(2.0).log())
        made.log_damping.fill_(torch.tensor(3.0).log())
    return made


def _memory(residual: list[float], mask: list[bool]) -> SupportMemory:
    """One task's support on both paths: three contexts, the last of which is empty."""
    contexts = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    return SupportMemory(
        contexts=contexts.expand(2, -1, -1),
        residual=torch.tensor(residual).expand(2, -1),
        mask=torch.tensor(mask).expand(2, -1),
    )


def test_residuals_propagate_to_similar_contexts(propagation: ResidualPropagation) -> None:
    contexts = torch.tensor([[3.0, 0.0], [0.0, 0.0]]).expand(2, -1, -1)
    found = propagation(contexts, _memory([1.0, -1.0, 7.0], [True] * 3))
    assert found[0].abs().max() == 0  # the path of the user's items
    weights = [1.0, exp(-2)]  # cosines 1 and 0; an empty context propagates nothing
    propagated = (weights[0] - weights[1]) / (3 + sum(weights))
    expected = torch.tensor([[propagated, log1p(sum(weights)) / 4], [0.0, 0.0]])
    torch.testing.assert_close(found[1], expected)


def test_the_support_receives_the_others_residuals_and_no_padding(
    propagation: ResidualPropagation,
) -> None:
    memory = _memory([1.0, -1.0, 7.0], [True, True, True])
    found = propagation(memory.contexts, memory, is_support=True)
    expected = torch.tensor([-exp(-2), exp(-2), 0.0]) / torch.tensor([3 + exp(-2)] * 2 + [3.0])
    torch.testing.assert_close(found[1, :, 0], expected)
    alone = propagation(
        memory.contexts, _memory([1.0, -1.0, 7.0], [True, False, True]), is_support=True
    )
    assert alone[1, 0].abs().max() == 0


def test_an_empty_support_propagates_nothing(propagation: ResidualPropagation) -> None:
    contexts = torch.ones(2, 4, 2)
    assert propagation(contexts, propagation.empty_memory(2, 2, contexts)).abs().max() == 0
