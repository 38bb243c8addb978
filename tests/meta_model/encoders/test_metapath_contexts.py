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
from meta_model.encoders.metapath_contexts import ItemGraph, MetapathContexts
from meta_model.learners import configured, create

CATALOGUE = torch.tensor([0, 1, 2, 4])


@pytest.fixture
def contexts(inputs: Inputs, config: Config, monkeypatch: pytest.MonkeyPatch) -> MetapathContexts:
    neighbours = torch.zeros(2, 6, 2, dtype=torch.int64)
    neighbours[0, 1], neighbours[0, 2, 0], neighbours[0, 3, 0] = torch.tensor([2, 3]), 1, 1
    neighbours[1, 1, 0], neighbours[1, 4], neighbours[1, 5, 0] = 4, torch.tensor([1, 5]), 4
    drawn = Metapaths(names=("UMUM", "UMAM"), over_users=(True, False), neighbours=neighbours)
    learner = create(config, inputs)
    made = MetapathContexts(
        learner.items, learner.statistics, drawn, size=8, n_neighbours=16, seed=config.seed
    )
    made.size = 1
    # The message of an item is its number.
    monkeypatch.setattr(made, "_messages", lambda items: items.unsqueeze(1).float())
    return made


@pytest.fixture
def graph(contexts: MetapathContexts) -> ItemGraph:
    return contexts.graph(CATALOGUE)


def _at(
    contexts: MetapathContexts, graph: ItemGraph, rows: list[int], task_items: list[int]
) -> list[list[float]]:
    found: Tensor = contexts.contexts(graph, torch.tensor([rows]), torch.tensor([task_items]))
    return found[:, 0, :, 0].tolist()


def test_a_context_is_the_mean_over_neighbours(contexts, graph) -> None:
    over_users, over_actors = _at(contexts, graph, [1, 2, 3], task_items=[0])
    assert over_users == [2.5, 1.0, 0.0]  # items 1, 2 and 4: of 2 and 3, of 1, of none
    assert over_actors == [4.0, 0.0, 3.0]  # of 4, of none, of 1 and 5


def test_a_tasks_items_are_left_out(contexts, graph) -> None:
    over_users, over_actors = _at(contexts, graph, [1, 2, 3], task_items=[3, 1, 0])
    assert over_users == [2.0, 0.0, 0.0]
    assert over_actors == [4.0, 0.0, 5.0]


def test_a_cold_item_has_no_neighbours_over_users(contexts, graph) -> None:
    cold = len(CATALOGUE) + 1  # the cold copy of item 1
    over_users, over_actors = _at(contexts, graph, [cold, 1], task_items=[0])
    assert over_users == [0.0, 2.5]
    assert over_actors == [4.0, 4.0]


def test_tasks_have_contexts_of_their_own(contexts, graph) -> None:
    rows, task_items = torch.tensor([[1], [1]]), torch.tensor([[2, 0], [0, 3]])
    found = contexts.contexts(graph, rows, task_items)
    assert found[0, :, 0, 0].tolist() == [3.0, 2.0]


def test_the_users_context_is_the_supports_mean(contexts, graph) -> None:
    items, weight = torch.tensor([[1, 4, 0]]), torch.tensor([[0.5, 0.5, 0.0]])
    assert contexts.mean(graph, items, weight).tolist() == [[2.5]]


def test_a_cold_neighbour_has_no_identity_in_its_message(inputs: Inputs, config: Config) -> None:
    """Training shows it as serving does: without ratings and without an embedding of its own."""
    all_cold = configured("metahin", like=config).having({"network.cold_item_dropout": 1 - 1e-9})
    learner = create(all_cold, inputs).train()
    items = torch.arange(1, 9)
    before = learner.contexts._messages(items)
    with torch.no_grad():
        learner.items.identity.table.weight += 1
    assert learner.contexts._messages(items).equal(before)
    assert not learner.eval().contexts._messages(items).equal(before)
