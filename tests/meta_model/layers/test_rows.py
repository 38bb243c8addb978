"""Sums by row are those of a plain loop, in copies or not, and twice differentiable."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from meta_model.layers.rows import AtRows, sums_by_row


def _found(table: Tensor, rows: Tensor) -> Tensor:
    return AtRows.apply(table, rows)


@pytest.mark.parametrize("n_rows", [1, 3, 50])
def test_rows_have_the_gradient_of_a_loop(n_rows: int) -> None:
    """With one row there are 40 copies, with 3 there are 13, with 50 there is one."""
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(n_rows, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    rows = torch.randint(n_rows, (40,), generator=generator)
    weights = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    (_found(table, rows) * weights).sum().backward()
    expected = torch.zeros(n_rows, 2, dtype=torch.float64)
    for row, weight in zip(rows.tolist(), weights, strict=True):
        expected[row] += weight
    torch.testing.assert_close(table.grad, expected)
    assert torch.equal(_found(table, rows), table[rows])


def test_rows_are_twice_differentiable() -> None:
    table = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    rows = torch.tensor([0, 2, 2, 0, 0, 1, 0])
    squared = lambda table: _found(table, rows).square()  # noqa: E731
    assert torch.autograd.gradcheck(squared, table)
    assert torch.autograd.gradgradcheck(squared, table)


def test_row_0_gets_nothing() -> None:
    rows = torch.tensor([0, 2, 0, 1, 2, 0])
    values = torch.arange(12.0).view(6, 2)
    assert sums_by_row(4, rows, values).tolist() == [[0, 0], [6, 7], [10, 12], [0, 0]]
