"""What is near to a user's items, by its definition on data of six users and five items."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from meta_model.choice import neighbours
from meta_model.choice.interactions import Interactions
from meta_model.choice.neighbours import Neighbours, ease
from meta_model.data.features import Features
from meta_model.data.tasks import Tasks
from tests.meta_model.evaluation.literal_tasks import literal_tasks

CHOSEN = torch.tensor(  # users x items; item 5 is new
    [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 0, 1, 0, 0],
        [0, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [0, 0, 0, 1, 0],
    ]
)
USERS, COLUMNS = CHOSEN.nonzero().T
INTERACTIONS = Interactions(users=USERS, items=COLUMNS + 1, n_items=5)
CPU = torch.device("cpu")
# One user shows items 2 and 1, one item 5, which nobody chose, one nothing.
TASKS = literal_tasks(([(2, 5.0), (1, 1.0)], [(3, 4.0)]), ([(5, 3.0)], []), ([], [(1, 4.0)]))
# Two features of one value each: items 2 and 5 share both, 1 and 2 the genre, 1 and 3 the maker.
ITEMS = Features(
    names=("genre", "maker"),
    sizes=(4, 4),
    values=torch.tensor([[-1, -1], [1, 1], [1, 2], [2, 1], [3, 3], [1, 2]]).unsqueeze(2),
)


RECENCY = TASKS.support.mask.float()


def _near(
    interactions: Interactions,
    liked_from: float = 4.0,
    recency: torch.Tensor = RECENCY,
    tasks: Tasks = TASKS,
) -> torch.Tensor:
    return Neighbours(
        read=lambda: interactions, items=ITEMS, liked_from=liked_from, device=CPU
    ).near(tasks, recency)


@pytest.mark.parametrize("most_items", [0, 2, 3, 10])
@pytest.mark.parametrize("liked_from", [1.0, 4.0])
@pytest.mark.parametrize("first", [1.0, 0.25])
def test_near_is_the_sum_over_the_known_items(
    monkeypatch: pytest.MonkeyPatch, most_items: int, liked_from: float, first: float
) -> None:
    """The first user chose item 2, and later item 1, which counts for less if it is not liked."""
    monkeypatch.setattr(neighbours, "_MOST_ITEMS", most_items)
    weights = {2: first, 1: 1.0 if liked_from == 1 else 0.3}
    recency = RECENCY * torch.tensor([first, 1.0])
    columns, popularity = CHOSEN.T.float(), CHOSEN.sum(0)
    of_cosines = torch.tensor(
        [
            sum(
                weight * float(columns[i] @ columns[j - 1]) / popularity[j - 1] ** 0.5
                for j, weight in weights.items()
            )
            / popularity[i] ** 0.7
            for i in (2, 3)
        ]
    )
    expected = of_cosines / of_cosines.max()
    popular = sorted([1, 2, 4, 3][:most_items])  # 4, 3, 3 and 2 users chose them
    if popular:
        of_model = ease(INTERACTIONS, 500.0, torch.tensor(popular))
        of_linear = sum(
            weight * of_model[popular.index(j)] for j, weight in weights.items() if j in popular
        )
        spread = torch.zeros(5)
        spread[popular] = of_linear
        expected = expected + 2 / 12 * (spread / spread.abs().max())[3:]
    found = _near(INTERACTIONS, liked_from, recency)[0, 3:5]
    torch.testing.assert_close(found, (1 + 2 / 12) * expected)


def test_a_new_item_is_as_near_as_its_attributes_say() -> None:
    """Item 5 has the attributes of item 2, and shares one with item 1."""
    found = _near(INTERACTIONS)
    of_content = torch.tensor([1 + 0.5, 0.5 + 1, 0.5, 0, 1.5])  # cosines with 1, plus those with 2
    expected = (of_content / of_content.max())[4] + 0.5 * 2 / 12
    assert found[0, 5].item() == pytest.approx(expected.item())
    # Nobody chose item 4 either, which has no attribute of theirs.
    without = _near(
        Interactions(users=USERS[COLUMNS != 3], items=COLUMNS[COLUMNS != 3] + 1, n_items=5)
    )
    assert without[0, 5].item() == pytest.approx(1 + 0.5 * 2 / 12)
    assert without[0, 4] == 0
    assert found[1, 1:5].eq(0).all(), "nobody chose item 5 beside another"
    assert found[1, 5].item() == pytest.approx(1 + 0.5 * 1 / 11)


def test_interactions_of_earlier_days_count_by_the_square_of_the_last_ones_weight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of them at a weight of 1/2 are half an interaction."""
    later = replace(TASKS, day=TASKS.day + 1)
    found = _near(INTERACTIONS, recency=RECENCY / 2, tasks=later)[0]
    share = 0.5 / 10.5
    monkeypatch.setattr(neighbours, "_HALF", 2 / share - 2)  # so that two of the day count as much
    torch.testing.assert_close(found, _near(INTERACTIONS)[0])
    nothing_left = _near(INTERACTIONS, recency=RECENCY * 0, tasks=later)[0]
    monkeypatch.setattr(neighbours, "_MOST_ITEMS", 0)
    assert nothing_left.equal(_near(INTERACTIONS, recency=RECENCY * 0, tasks=later)[0])


def test_nothing_is_near_to_a_user_of_whom_nothing_is_known() -> None:
    assert _near(INTERACTIONS)[2].eq(0).all()


def test_without_attributes_a_new_item_is_near_to_nobody() -> None:
    nothing = Features(names=(), sizes=(), values=torch.zeros(6, 0, 1, dtype=torch.int64))
    found = Neighbours(read=lambda: INTERACTIONS, items=nothing, liked_from=4.0, device=CPU).near(
        TASKS, RECENCY
    )
    assert found[:, 5].eq(0).all()
    assert found[0, 3] > 0


def test_without_any_interaction_nothing_is_near() -> None:
    nobody = Interactions(users=USERS[:0], items=COLUMNS[:0], n_items=5)
    assert _near(nobody)[2].eq(0).all()


_PEAK = """
import torch
from meta_model.choice.interactions import Interactions
from meta_model.choice.neighbours import ease

def kib(name):
    [line] = (line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1])

def chosen(n_items):
    items = torch.arange(1, n_items + 1)
    return Interactions(users=items % 7, items=items, n_items=n_items)

torch.set_num_threads(1)
ease(chosen(100), 500.0)
before = kib("VmRSS")
ease(chosen(3_000), 500.0)
print((kib("VmHWM") - before) * 1024 / (3_001**2 * 8))
"""


@pytest.mark.usefixtures("process")
def test_a_linear_model_takes_little_more_than_its_matrix() -> None:
    """Of a fresh process, in matrices of items by items in float64."""
    done = subprocess.run([sys.executable, "-c", _PEAK], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2.5
