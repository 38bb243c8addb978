"""Implicit ALS against the equation as a plain loop, and what a peer has to be beyond that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from meta_model.choice.interactions import Interactions
from meta_model.evaluation.peers import implicit_als
from meta_model.evaluation.peers.implicit_als import ImplicitAls, ials
from tests.meta_model.evaluation.literal_tasks import literal_tasks

N_USERS, N_ITEMS, N_FACTORS = 30, 12, 3
WEIGHT, SHARE = 4.0, 0.05
BLOCKS = {"_ROWS": 4, "_PIECES": 3, "_LENGTH": 5}


def _chosen(n_users: int = N_USERS) -> np.ndarray:
    """Users x items: everyone chose item 1, nobody item 12, and user 1 nothing else."""
    chosen = np.random.default_rng(1).random((n_users, N_ITEMS)) < 0.3
    chosen[:, 0], chosen[:, -1], chosen[0, 1:] = True, False, False
    return chosen


def _interactions(chosen: np.ndarray, seed: int = 2) -> Interactions:
    """The pairs, in any order."""
    users, items = map(torch.from_numpy, chosen.nonzero())
    order = torch.randperm(len(users), generator=torch.Generator().manual_seed(seed))
    return Interactions(users=users[order], items=items[order] + 1, n_items=chosen.shape[1])


def _fit(interactions: Interactions, n_iterations: int = 3, seed: int = 1) -> ImplicitAls:
    return ials(interactions, N_FACTORS, n_iterations, WEIGHT, SHARE, seed)


def _regularization(chosen: np.ndarray) -> float:
    """All but one item is chosen by somebody."""
    n_users, n_chosen = len(chosen), N_ITEMS - 1
    return float(SHARE * (1 + WEIGHT) * chosen.sum() ** 0.5 * (n_users**-0.5 + n_chosen**-0.5))


def _minimum(fixed: np.ndarray, chosen: np.ndarray, regularization: float) -> np.ndarray:
    """Hu, Koren and Volinsky's equation 4 as it is printed, of one user or one item."""
    confidence = np.diag(1 + WEIGHT * chosen)
    normal = fixed.T @ confidence @ fixed + regularization * np.eye(N_FACTORS)
    return np.linalg.solve(normal, fixed.T @ confidence @ chosen.astype(float))


def _loop(items: np.ndarray, chosen: np.ndarray, n_iterations: int) -> np.ndarray:
    penalty = _regularization(chosen)
    for _ in range(n_iterations):
        users = np.stack([_minimum(items, of_user, penalty) for of_user in chosen])
        items = np.stack([_minimum(users, of_item, penalty) for of_item in chosen.T])
    return items


def test_factors_are_those_of_a_plain_loop() -> None:
    chosen = _chosen()
    first, found = (_fit(_interactions(chosen), n).items for n in (0, 3))
    expected = _loop(first[1:].double().numpy(), chosen, 3)
    np.testing.assert_allclose(found[1:].numpy(), expected, rtol=1e-9, atol=1e-9)
    assert found.dtype == torch.float64
    assert np.abs(expected).max() > 0.1
    assert found[0].eq(0).all(), "padding"
    assert found[-1].eq(0).all(), "an item that nobody chose"


def test_a_new_user_is_folded_in_by_a_step_of_users() -> None:
    """Neither padding, nor the query, nor ratings count."""
    model = _fit(_interactions(_chosen()))
    tasks = literal_tasks(([(2, 5.0), (7, 1.0)], [(3, 4.0)]), ([(4, 2.0)], [(1, 4.0)]), ([], []))
    items, penalty = model.items[1:].numpy(), _regularization(_chosen())
    for scores, known in zip(model.scores(tasks), ([2, 7], [4], []), strict=True):
        user = _minimum(items, np.isin(np.arange(1, N_ITEMS + 1), known), penalty)
        np.testing.assert_allclose(scores[1:].numpy(), items @ user, rtol=1e-9, atol=1e-12)
    assert model.scores(tasks)[2].eq(0).all(), "of a user of whom nothing is known"


def test_without_interactions_nothing_is_known() -> None:
    model = ials(_interactions(np.zeros((0, N_ITEMS), dtype=bool)))
    assert model.scores(literal_tasks(([(2, 5.0)], []))).eq(0).all()


def test_taste_is_found_where_there_is_some() -> None:
    """Users choose half of one of three groups of items, and a tenth of the others."""
    draws = np.random.default_rng(3)
    groups = np.arange(60) % 3
    chosen = draws.random((240, 60)) < np.where(np.arange(240)[:, None] % 3 == groups, 0.5, 0.1)
    model = ials(_interactions(chosen))
    for group in range(3):
        shown, *others = [(int(item) + 1, 5.0) for item in np.flatnonzero(groups == group)[:4]]
        [scores] = model.scores(literal_tasks(([shown, *others], [])))
        scores[[item for item, _ in [shown, *others]]] = -torch.inf
        best = scores[1:].topk(10).indices.numpy()
        assert (groups[best] == group).mean() >= 0.9


def test_the_same_seed_gives_the_same_factors_to_the_bit() -> None:
    interactions = _interactions(_chosen())
    assert _fit(interactions).items.equal(_fit(interactions).items)
    assert not _fit(interactions).items.equal(_fit(interactions, seed=2).items)


def test_the_order_of_pairs_is_of_no_account() -> None:
    first, second = (_fit(_interactions(_chosen(), seed)).items for seed in (2, 3))
    torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("smaller", [{name: BLOCKS[name]} for name in BLOCKS] + [BLOCKS])
def test_factors_do_not_depend_on_the_size_of_blocks(
    monkeypatch: pytest.MonkeyPatch, smaller: dict[str, int]
) -> None:
    expected = _fit(_interactions(_chosen())).items
    for name, size in smaller.items():
        monkeypatch.setattr(implicit_als, name, size)
    torch.testing.assert_close(_fit(_interactions(_chosen())).items, expected)


class _Largest(TorchDispatchMode):
    """The most numbers of any tensor of three dimensions that is made."""

    most = 0

    def __torch_dispatch__(
        self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
    ) -> Tensor:
        made = func(*args, **(kwargs or {}))
        for each in made if isinstance(made, tuple | list) else [made]:
            if isinstance(each, Tensor) and each.ndim == 3:
                self.most = max(self.most, each.numel())
        return made


@pytest.mark.parametrize("n_users", [50, 500])
def test_a_block_is_no_larger_for_more_users_of_an_item(
    monkeypatch: pytest.MonkeyPatch, n_users: int
) -> None:
    for name, size in BLOCKS.items():
        monkeypatch.setattr(implicit_als, name, size)
    with _Largest() as largest:
        _fit(_interactions(_chosen(n_users)), 1)
    of_pieces = BLOCKS["_PIECES"] * BLOCKS["_LENGTH"] * N_FACTORS
    assert largest.most == max(BLOCKS["_ROWS"] * N_FACTORS**2, of_pieces)
