"""What a task shows, and what follows it, on tasks written out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from meta_model.data.interaction_set import Asked, InteractionSet
from meta_model.data.ragged import CPU, NO_DAY
from meta_model.data.tasks import Tasks
from tests.meta_model.evaluation.literal_tasks import literal_tasks

# In order of time; the second task's support is shorter, so that there is padding before its query.
TASKS = literal_tasks(
    ([(1, 5.0), (2, 1.0), (3, 4.0)], [(4, 2.0), (5, 3.0)]), ([(6, 4.0)], [(7, 5.0), (8, 1.0)])
)


def _items(tasks: Tasks, side: InteractionSet) -> list[list[tuple[int, float]]]:
    rows = zip(tasks.items[side.rows], side.ratings, side.mask, strict=True)
    return [
        list(zip(items[mask].tolist(), ratings[mask].tolist(), strict=True))
        for items, ratings, mask in rows
    ]


@pytest.mark.parametrize(
    ("known", "shown", "following"),
    [
        (0, [[], []], [[(1, 5.0), (2, 1.0)], [(6, 4.0), (7, 5.0)]]),
        (1, [[(1, 5.0)], [(6, 4.0)]], [[(2, 1.0), (3, 4.0)], [(7, 5.0), (8, 1.0)]]),
        (2, [[(1, 5.0), (2, 1.0)], [(6, 4.0)]], [[(3, 4.0), (4, 2.0)], [(7, 5.0), (8, 1.0)]]),
        (
            9,
            [[(1, 5.0), (2, 1.0), (3, 4.0)], [(6, 4.0)]],
            [[(4, 2.0), (5, 3.0)], [(7, 5.0), (8, 1.0)]],
        ),
    ],
)
def test_what_follows_comes_directly_after_what_is_shown(
    known: int, shown: list[object], following: list[object]
) -> None:
    made = TASKS.followed(known, 2)
    assert _items(made, made.support) == shown
    assert _items(made, made.query) == following


def test_sampled_negatives_go_with_what_is_shown_around_them() -> None:
    """As `showing` has them: those before the last interaction shown."""
    support = [(1, 0.0), (2, 1.0), (3, 0.0), (4, 1.0), (5, 0.0)]
    tasks = literal_tasks((support, [(6, 1.0), (7, 0.0)]))
    made = tasks.followed(1, 2, "implicit")
    showing = tasks.showing(1, "implicit")
    assert _items(made, made.support) == _items(showing, showing.support) == [support[:2]]
    assert _items(made, made.query) == [[*support[2:], (6, 1.0)]]


def test_what_is_earlier_is_of_a_day_before_the_lists() -> None:
    """Two visits on days 5 and 7, and a query on day 7; then a user without a query."""
    tasks = literal_tasks(
        ([(1, 5.0), (2, 1.0), (3, 4.0)], [(4, 2.0), (5, 3.0)]), ([(6, 4.0)], []),
        days=[([5, 5, 7], [7, 9]), ([9], [])],
    )  # fmt: skip
    assert tasks.day.tolist() == [7, NO_DAY]
    assert tasks.is_earlier.tolist() == [[True, True, False], [True, False, False]]
    after_one = tasks.followed(1, 2)  # the second of day 5 is next
    assert after_one.day.tolist() == [5, NO_DAY]
    assert after_one.is_earlier.tolist() == [[False], [True]]
    after_all = tasks.followed(3, 2)[torch.tensor([0])]
    assert after_all.day.tolist() == [7]
    assert tasks[torch.tensor([1])].is_earlier.tolist() == [[True, False, False]]
    assert tasks.n_of_day.tolist() == [1, 0]
    later = replace(tasks, earlier_that_day=torch.tensor([4, 4]))
    assert later.n_of_day.tolist() == [1, 0], "the day of the list is another"
    assert later.followed(1, 2).n_of_day.tolist() == [5, 0]
    assert later.followed(0, 2).n_of_day.tolist() == [4, 4]
    hidden = later.knowing(torch.zeros_like(later.support.mask))
    assert hidden.n_of_day.tolist() == later.showing(0).n_of_day.tolist() == [0, 0]
    answers = replace(tasks, is_ordered=False)  # to questions, whenever they were rated
    assert not answers.is_earlier.any()
    assert answers.n_of_day.tolist() == [3, 1]


def test_lists_of_the_last_day_are_of_users_who_came_on_several() -> None:
    tasks = literal_tasks(
        ([(1, 5.0), (2, 1.0), (3, 4.0)], [(4, 2.0), (5, 3.0)]), ([(6, 4.0)], [(7, 5.0)]),
        days=[([5, 6, 7], [7, 7]), ([9], [9])],
    )  # fmt: skip
    assert tasks.is_later.tolist() == [False, False]
    made = tasks.on_last_day(2)
    assert made.users.tolist() == [1]
    assert made.is_later.tolist() == [True]
    assert _items(made, made.support) == [[(1, 5.0), (2, 1.0)]]
    assert _items(made, made.query) == [[(3, 4.0), (4, 2.0)]]
    assert not literal_tasks(([], [(1, 5.0)]), days=[([], [5])]).is_later.any()


def test_without_times_nothing_is_earlier() -> None:
    assert not TASKS.is_earlier.any()
    assert not literal_tasks(([(1, 5.0)], [])).is_earlier.any()


def test_what_users_were_asked_goes_with_them() -> None:
    about = Asked(items=torch.tensor([[3, 4], [5, 6]]), rates=torch.tensor([[0.1, 0.2], [0.3, 0]]))
    tasks = replace(TASKS, asked=about)
    for made in (tasks[torch.tensor([1])], tasks[torch.tensor([False, True])].to(CPU)):
        assert made.asked is not None
        assert made.asked.items.tolist() == [[5, 6]]
        assert made.asked.rates.equal(about.rates[1:])
    assert TASKS[torch.tensor([0])].to(CPU).asked is None
