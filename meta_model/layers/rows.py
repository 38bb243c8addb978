"""Table rows at the positions of a batch, and sums over the positions of each row.

Many positions have one row: padding has row 0, and popular items fill a batch. A GPU adds the
gradients of one row one after the other, above all where results must repeat to the bit; there,
several copies of each row are summed first. Nothing here waits for a GPU to count.

Shapes: R rows, N positions, V values of a row.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta_model import device

_COPIES_AT_MOST = 64
_UNUSED_ROWS = 256


def at_rows(table: Tensor, rows: Tensor) -> Tensor:
    """The table's rows [B, N, V] at [B, N]; its gradient takes half the time of F.embedding's."""
    flat = rows.flatten()
    if not device.works_ahead(table.device):
        return table.index_select(0, flat).view(*rows.shape, -1)
    found: Tensor = AtRows.apply(table, flat)  # type: ignore[no-untyped-call]
    return found.view(*rows.shape, -1)


class AtRows(torch.autograd.Function):
    """`index_select` of rows, with a gradient that is summed in copies."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        """Rows [N, V] of the table [R, V] at [N]."""
        ctx.save_for_backward(rows)
        ctx.n_rows = len(table)
        return table.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient of the table [R, V], summed in copies and then over the copies."""
        [rows] = ctx.saved_tensors
        copies = min(_COPIES_AT_MOST, max(1, len(rows) // ctx.n_rows))
        copy = torch.arange(len(rows), device=rows.device) % copies
        sums = gradient.new_zeros(copies * ctx.n_rows, *gradient.shape[1:])
        sums = sums.index_add(0, copy * ctx.n_rows + rows, gradient)
        return sums.unflatten(0, (copies, ctx.n_rows)).sum(0), None


def sums_by_row(n_rows: int, rows: Tensor, values: Tensor) -> Tensor:
    """[R, V]: the sum of the values [N, V] of each row but row 0, which gets nothing.

    Values of row 0 are added to spare rows behind the table, which are dropped.
    """
    unused = n_rows + torch.arange(len(rows), device=rows.device) % _UNUSED_ROWS
    sums = values.new_zeros(n_rows + _UNUSED_ROWS, *values.shape[1:])
    return sums.index_add(0, torch.where(rows > 0, rows, unused), values)[:n_rows]
