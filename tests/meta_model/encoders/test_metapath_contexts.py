"""Contexts on a drawn graph: who is a neighbour over what, and who is left out.

users who rated both     1 - 2,  1 - 3
an actor in both         1 - 4,  4 - 5
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.metapaths import Metapaths
from meta_model.encoders.metapath_contexts import MetapathContexts, Neighbourhood
from meta_model.learners import create

CATALOGUE = torch.tensor([0, 1, 2, 4])


@pytest.fixture
def contexts(inputs: Inputs, config: Config, monkeypatch: pytest.MonkeyPatch) -> MetapathContexts:
    neighbours = torch.zeros(2, 6, 2, dtype=torch.int64)
    neighbours[0, 1], neighbours[0, 2, 0], neighbours[0, 3, 0] = torch.tensor([2, 3]), 1, 1
    neighbours[1, 1, 0], neighbours[1, 4], neighbours[1, 5, 0] = 4, torch.tensor([1, 5]), 4
    drawn = Metapaths(names=("UMUM", "UMAM"), over_users=(True, False), neighbours=neighbours)
    learner = create(config, inputs)
    made = MetapathContexts(learner.items, learner.statistics, drawn, config)
    made.size = 1
    # What an item says is its own number.
    monkeypatch.setattr(made, "_say", lambda items: items.unsqueeze(1).float())
    return made


@pytest.fixture
def around(contexts: MetapathContexts) -> Neighbourhood:
    return contexts.neighbourhood(CATALOGUE)


def _at(
    contexts: MetapathContexts, around: Neighbourhood, rows: list[int], own: list[int]
) -> list[list[float]]:
    found: Tensor = contexts.contexts(around, torch.tensor([rows]), torch.tensor([own]))
    return found[:, 0, :, 0].tolist()


def test_a_context_is_the_mean_over_neighbours(contexts, around) -> None:
    over_users, over_actors = _at(contexts, around, [1, 2, 3], own=[0])
    assert over_users == [2.5, 1.0, 0.0]  # items 1, 2 and 4: of 2 and 3, of 1, of none
    assert over_actors == [4.0, 0.0, 3.0]  # of 4, of none, of 1 and 5


def test_a_tasks_own_items_are_left_out(contexts, around) -> None:
    over_users, over_actors = _at(contexts, around, [1, 2, 3], own=[3, 1, 0])
    assert over_users == [2.0, 0.0, 0.0]
    assert over_actors == [4.0, 0.0, 5.0]


def test_shown_as_cold_an_item_has_met_no_user(contexts, around) -> None:
    cold = len(CATALOGUE) + 1  # item 1 again, further down
    over_users, over_actors = _at(contexts, around, [cold, 1], own=[0])
    assert over_users == [0.0, 2.5]
    assert over_actors == [4.0, 4.0]


def test_tasks_have_contexts_of_their_own(contexts, around) -> None:
    rows, own = torch.tensor([[1], [1]]), torch.tensor([[2, 0], [0, 3]])
    found = contexts.contexts(around, rows, own)
    assert found[0, :, 0, 0].tolist() == [3.0, 2.0]


def test_the_users_own_context_is_the_supports_mean(contexts, around) -> None:
    items, weight = torch.tensor([[1, 4, 0]]), torch.tensor([[0.5, 0.5, 0.0]])
    assert contexts.mean(around, items, weight).tolist() == [[2.5]]
