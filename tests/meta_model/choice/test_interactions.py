"""Who chose two items: counted by a plain loop, and in blocks of one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from meta_model.choice import interactions
from meta_model.choice.interactions import Interactions

N_ITEMS = 11


def _drawn(n_users: int, n_items: int, n_pairs: int) -> Interactions:
    """Distinct pairs in no order; the last user has one."""
    draws = torch.Generator().manual_seed(7)
    cells = torch.randperm((n_users - 1) * n_items, generator=draws)[: n_pairs - 1]
    users = torch.cat([cells // n_items, torch.tensor([n_users - 1])])
    items = torch.cat([cells % n_items, torch.tensor([0])]) + 1
    return Interactions(users=users, items=items, n_items=n_items)


def _by_loop(chosen: Interactions, items: Sequence[int]) -> Tensor:
    users_of: dict[int, set[int]] = {item: set() for item in items}
    for user, item in zip(chosen.users.tolist(), chosen.items.tolist(), strict=True):
        users_of.setdefault(item, set()).add(user)
    counts = [len(users_of[one] & users_of[other]) for one, other in product(items, items)]
    return torch.tensor(counts, dtype=torch.float32).view(len(items), len(items))


def test_what_training_saw_of_users_is_that_of_a_plain_loop() -> None:
    """In any order, of a user twice, and nothing of those whom training has not seen."""
    known = torch.arange(37) * 3 + 5
    chosen = replace(_drawn(37, N_ITEMS, 150), user_indices=known)
    users = torch.tensor([8, 5, 113, 4, 6, 999, 8], dtype=torch.int32)
    pairs = set(zip(known[chosen.users].tolist(), chosen.items.tolist(), strict=True))
    expected = [[(user, item) in pairs for item in range(N_ITEMS + 1)] for user in users.tolist()]
    assert chosen.met_by(users).tolist() == expected
    assert chosen.met_by(users[:0]).shape == (0, N_ITEMS + 1)


def test_nobody_chose_two_items_where_nobody_chose_any() -> None:
    nobody = Interactions(
        users=torch.zeros(0, dtype=torch.int64), items=torch.zeros(0, dtype=torch.int64), n_items=3
    )
    assert nobody.together().equal(torch.zeros(4, 4))
    assert nobody.together(torch.zeros(0, dtype=torch.int64)).shape == (0, 0)


@pytest.mark.parametrize("items", [None, [2, 3, 7, 10]])
@pytest.mark.parametrize("block_users", [1, 5, 37, 10_000])
@pytest.mark.parametrize("block_columns", [1, 3, 512])
def test_pairs_are_those_of_a_plain_loop_whatever_the_blocks(
    monkeypatch: pytest.MonkeyPatch, items: list[int] | None, block_users: int, block_columns: int
) -> None:
    monkeypatch.setattr(interactions, "_USERS", block_users)
    monkeypatch.setattr(interactions, "_COLUMNS", block_columns)
    chosen = _drawn(37, N_ITEMS, 150)
    found = chosen.together(None if items is None else torch.tensor(items))
    assert found.equal(_by_loop(chosen, range(N_ITEMS + 1) if items is None else items))


class _DenseCells(TorchFunctionMode):
    """The most cells of a dense matrix of floats that any operation made."""

    most = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and made.layout is torch.strided and made.is_floating_point():
            self.most = max(self.most, made.numel() if made.dim() == 2 else 0)
        return made


def test_more_users_make_no_larger_dense_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactions, "_USERS", 50)
    monkeypatch.setattr(interactions, "_COLUMNS", 8)
    n_columns = N_ITEMS + 1
    for n_users in (400, 1_600):
        chosen = _drawn(n_users, N_ITEMS, 3 * n_users)
        with _DenseCells() as cells:
            chosen.together()
        assert cells.most == max(50 * 8, n_columns * n_columns)
