"""What a task shows, and what follows it, on tasks written out."""

from __future__ import annotations

import pytest

from meta_model.data.tasks import InteractionSet, Tasks
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
