"""What is near to a user's items, by its definition on data of six users and five items."""

from __future__ import annotations

import pytest
import torch

from meta_model.choice import neighbours
from meta_model.choice.interactions import Interactions
from meta_model.choice.neighbours import Neighbours, cosines, ease
from tests.meta_model.evaluation.literal_tasks import literal_tasks

CHOSEN = torch.tensor(  # users x items; item 5 is new
    [[1, 1, 0, 0, 0], [1, 1, 0, 1, 0], [1, 0, 1, 0, 0], [0, 1, 1, 0, 0], [1, 0, 0, 1, 0]]
)
USERS, COLUMNS = CHOSEN.nonzero().T
INTERACTIONS = Interactions(users=USERS, items=COLUMNS + 1, n_items=5)
CPU = torch.device("cpu")
# One user shows items 2 and 1, one item 5, which nobody chose, one nothing.
TASKS = literal_tasks(([(2, 5.0), (1, 1.0)], [(3, 4.0)]), ([(5, 3.0)], []), ([], [(1, 4.0)]))


@pytest.mark.parametrize("most_items", [0, 10])
def test_near_is_the_sum_over_the_known_items(
    monkeypatch: pytest.MonkeyPatch, most_items: int
) -> None:
    """Of the cosines; and of the linear model where the catalogue is small."""
    monkeypatch.setattr(neighbours, "_MOST_ITEMS", most_items)
    found = Neighbours(read=lambda: INTERACTIONS, device=CPU).near(TASKS)
    of_cosines = cosines(INTERACTIONS)[[1, 2]].sum(0)
    expected = of_cosines / of_cosines.max()
    if most_items:
        of_linear = ease(INTERACTIONS, 500.0)[[1, 2]].sum(0)
        expected = expected + 0.3 * of_linear / of_linear.abs().max()
    torch.testing.assert_close(found[0, 1:5], expected[1:5])


def test_a_new_item_is_as_near_as_the_others_are_on_average() -> None:
    found = Neighbours(read=lambda: INTERACTIONS, device=CPU).near(TASKS)
    torch.testing.assert_close(found[0, 5], found[0, 1:5].mean())
    assert found[0, 5] > 0


def test_nothing_is_near_to_a_user_of_whom_nothing_helpful_is_known() -> None:
    found = Neighbours(read=lambda: INTERACTIONS, device=CPU).near(TASKS)
    assert found[1:].eq(0).all()


def test_without_any_interaction_nothing_is_near() -> None:
    nobody = Interactions(users=USERS[:0], items=COLUMNS[:0], n_items=5)
    assert Neighbours(read=lambda: nobody, device=CPU).near(TASKS).eq(0).all()
