"""Levels from forecasts, by hand; and gradients as autograd has them."""

from __future__ import annotations

import pytest
import torch

from meta_model.layers.likelihoods import (
    Categorical,
    CumulativeLogit,
    ScoreLikelihood,
    SquaredError,
)

NO_OFFSETS = torch.zeros(2, 1)


@pytest.mark.parametrize("likelihood", [SquaredError(), CumulativeLogit((1.0, 2.0, 3.0))])
def test_gradients_are_autograds(likelihood: ScoreLikelihood) -> None:
    scores = torch.tensor([[0.3, 2.2], [2.9, 1.0]], requires_grad=True)
    ratings = torch.tensor([[1.0, 3.0], [2.0, 2.0]])
    losses = likelihood.losses(scores, NO_OFFSETS, ratings)
    [gradient] = torch.autograd.grad(losses.sum(), scores)
    torch.testing.assert_close(likelihood.gradients(scores, NO_OFFSETS, ratings), gradient)


def test_the_loss_of_two_levels_is_the_cross_entropy() -> None:
    """The ordinal likelihood then has one threshold, at one half, and a width of one half."""
    scores, ratings = torch.tensor([[1.5, -0.5]]), torch.tensor([[1.0, 1.0]])
    losses = CumulativeLogit((0.0, 1.0)).losses(scores, torch.zeros(1, 1), ratings)
    expected = -torch.sigmoid((scores - 0.5) / 0.5).log()
    torch.testing.assert_close(losses, expected)


def test_levels_by_hand() -> None:
    likelihood = Categorical((1.0, 2.0, 4.0))
    forecasts = torch.tensor([[[0.5, 0.2, 0.3], [0.1, 0.3, 0.6]]]).log()
    ratings = torch.tensor([[4.0, 2.0]])
    torch.testing.assert_close(
        likelihood.expected(forecasts, NO_OFFSETS), torch.tensor([[2.1, 3.1]])
    )
    torch.testing.assert_close(likelihood.median(forecasts, NO_OFFSETS), torch.tensor([[1.0, 4.0]]))
    losses = likelihood.losses(forecasts, NO_OFFSETS, ratings)
    torch.testing.assert_close(losses, -torch.tensor([[0.3, 0.3]]).log())


def test_a_median_is_one_of_the_levels_where_thresholds_cross() -> None:
    """A score between the two is above the second level and not above the first."""
    likelihood = CumulativeLogit((1.0, 2.0, 5.0))
    with torch.no_grad():
        likelihood.thresholds.copy_(torch.tensor([4.0, 3.0]))
    medians = likelihood.median(torch.tensor([[2.0, 3.5, 4.5]]), torch.zeros(1, 1))
    assert medians.tolist() == [[1.0, 2.0, 5.0]]
