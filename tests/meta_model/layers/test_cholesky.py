"""Solutions as PyTorch has them, and NaN instead of an error where there is none."""

from __future__ import annotations

import torch

from meta_model.layers.cholesky import solved


def test_solutions_are_pytorchs_to_the_bit() -> None:
    draws = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(1))
    matrices, targets = draws @ draws.mT + torch.eye(5), draws[:, :, :2]
    expected = torch.cholesky_solve(targets, torch.linalg.cholesky(matrices))
    assert solved(matrices, targets).equal(expected)


def test_what_has_no_factor_is_nan_and_leaves_the_others_alone() -> None:
    eye = torch.eye(2)
    matrices = torch.stack([eye, -eye, eye * torch.nan, eye * torch.inf, 2 * eye])
    found = solved(matrices, torch.ones(5, 2, 1)).squeeze(2)
    assert found[1:4].isnan().all()
    assert found[[0, 4]].equal(torch.tensor([[1.0, 1.0], [0.5, 0.5]]))
