"""The protocol by which lists are judged, on tasks that can be judged in the head."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from meta_model.data.tasks import Tasks
from meta_model.evaluation import lists
from meta_model.evaluation.rankers import Fixed
from tests.meta_model.evaluation.literal_tasks import literal_tasks

N_ITEMS = 6
CANDIDATES = torch.tensor([False, True, True, True, True, True, False])  # training lacks item 6
BY_INDEX = torch.arange(N_ITEMS + 1.0)  # item 5 first, 4, 3, 2, 1
TASKS = literal_tasks(
    ([(5, 1.0), (1, 5.0)], [(4, 2.0), (3, 4.0)]),
    ([(2, 3.0)], [(6, 5.0), (1, 3.0)]),  # likes what nobody can show: not judged
    ([(1, 3.0)], [(5, 4.0), (6, 5.0)]),
)


def _judge(ranker: lists.Ranker, known: int | None = None) -> lists.ListResult:
    return lists.judge(ranker, [TASKS], CANDIDATES, known, liked=4.0)


@pytest.mark.parametrize("known", lists.KNOWN)
def test_lists_are_of_candidates_less_the_whole_support(known: int | None) -> None:
    judged = _judge(Fixed(BY_INDEX), known)
    assert judged.users.tolist() == [1, 3]
    assert judged.lists.tolist() == [[4, 3, 2, 0, 0, 0, 0], [5, 4, 3, 2, 0, 0, 0]]
    assert judged.metrics["hr10"].tolist() == [1, 1]
    second = 1 / torch.tensor(3.0).log2().item()
    assert judged.metrics["ndcg10"].tolist() == pytest.approx([second, 1])


class Remembering:
    """Ranks all alike, and keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[list[int]] = []

    def scores(self, tasks: Tasks) -> Tensor:
        for row in range(len(tasks)):
            places = tasks.support.rows[row][tasks.support.mask[row]]
            self.shown.append(tasks.items[places].tolist())
        return torch.zeros(len(tasks), N_ITEMS + 1)


@pytest.mark.parametrize(
    ("known", "shown"), [(0, [[], []]), (1, [[5], [1]]), (2, [[5, 1], [1]]), (None, [[5, 1], [1]])]
)
def test_a_method_sees_the_first_of_the_support(known: int | None, shown: list[list[int]]) -> None:
    ranker = Remembering()
    judged = _judge(ranker, known)
    assert ranker.shown == shown
    assert judged.lists[0].tolist() == [2, 3, 4, 0, 0, 0, 0], "of equal ones the lower index first"


def _judge_next(ranker: lists.Ranker, known: int | None) -> lists.ListResult:
    return lists.judge(ranker, [TASKS], CANDIDATES, known, liked=4.0, n_next=2)


@pytest.mark.parametrize(
    ("known", "users", "found"),
    [
        # User 1 rates 5, 1*, 4, 3*; user 2 rates 2, 6, 1; user 3 rates 1, 5*, 6. Liked: *.
        (0, [1, 3], [[5, 4, 3, 2, 1], [5, 4, 3, 2, 1]]),
        (1, [1, 3], [[4, 3, 2, 1, 0], [5, 4, 3, 2, 0]]),
        (2, [1, 3], [[4, 3, 2, 0, 0], [5, 4, 3, 2, 0]]),
        (None, [1, 3], [[4, 3, 2, 0, 0], [5, 4, 3, 2, 0]]),
    ],
)
def test_what_comes_next_is_judged_of_all_that_was_not_shown(
    known: int | None, users: list[int], found: list[list[int]]
) -> None:
    judged = _judge_next(Fixed(BY_INDEX), known)
    assert judged.users.tolist() == users
    assert judged.lists[:, :5].tolist() == found


def test_relevant_is_what_directly_follows_and_not_what_comes_later() -> None:
    [first, _] = _judge_next(Fixed(BY_INDEX), 0).metrics["recall20"].tolist()
    assert first == 1, "of 5 and 1 the user likes 1"
    by_item = torch.where(torch.arange(N_ITEMS + 1) == 3, 1.0, -torch.inf)
    for known, recall in ((0, [0.0, 0.0]), (1, [0.0, 0.0]), (2, [1.0, 0.0])):
        assert _judge_next(Fixed(by_item), known).metrics["recall20"].tolist() == recall


def test_users_who_like_nothing_of_what_comes_next_are_not_judged() -> None:
    one = lists.judge(Fixed(BY_INDEX), [TASKS], CANDIDATES, 0, liked=4.0, n_next=1)
    assert len(one.users) == 0
    assert one.metrics["ndcg10"].shape == (0,)


def test_what_a_method_cannot_rank_is_not_shown() -> None:
    judged = _judge(Fixed(torch.tensor([0.0, 1, -torch.inf, 3, -torch.inf, 2, 9])))
    assert judged.lists[:, :3].tolist() == [[3, 0, 0], [3, 5, 0]]
    assert judged.metrics["recall20"].tolist() == [1, 1]


def test_all_lists_together() -> None:
    judged = _judge(Fixed(BY_INDEX))
    found = dict(lists.of_all(judged, CANDIDATES, torch.tensor([0.0, 1, 1, 1, 1, 1, 0])))
    assert found["coverage20"] == 4 / 5
    assert list(found) == ["coverage20", "overlap10", "gini20", "novelty20"]
