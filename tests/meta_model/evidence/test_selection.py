"""The list is what trying every item on every user would choose; users of training alone count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.model import LIKE
from meta_model.config import Config
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.evidence import search, selection
from meta_model.evidence.existing import Existing, existing_users
from meta_model.evidence.rank_statistics import rank_statistics
from meta_model.evidence.search import Search
from meta_model.evidence.segment_lists import segment_lists
from meta_model.evidence.selection import forward_selection


@pytest.fixture
def model(inputs: Inputs) -> Ridge:
    torch.manual_seed(5)
    model = Ridge(inputs, 6, dropout=0.0).eval()
    with torch.no_grad():
        model.own.mul_(8)  # so that answers differ in what they tell
        model.of_rating.fill_(0.5)
    return model


def _existing(inputs: Inputs, model: Ridge, n_users: int = 10_000) -> Existing:
    return existing_users(inputs, model, _of(n_users, seed=1))


def _of(n_users: int, seed: int) -> Config:
    options = {"products.evidence_users": n_users, "products.evidence_candidates": 12}
    return Config(seed=seed).having(options)


def _fond_of_all(existing: Existing, model: Ridge) -> Existing:
    """The same, but that the second user likes more than a list of ten can hold."""
    others = existing.liked_rows != 1
    items = model.is_trained.nonzero().squeeze(1)
    rows = torch.cat([existing.liked_rows[others], torch.ones(len(items), dtype=torch.int64)])
    order = rows.argsort(stable=True)
    liked = torch.cat([existing.liked_items[others], items])[order]
    return replace(existing, liked_rows=rows[order], liked_items=liked)


def _worth(
    model: Ridge, existing: Existing, user: int, asked: list[int], hidden: int
) -> tuple[float, float]:
    """The mean log probability of what a user likes, and the share of it that ten draws find.

    By solving the regression from scratch. asked: columns of candidates; hidden: one more that is
    recommended to nobody
    """
    items = model.items()
    factors, scale = items.factors, model.log_scale[LIKE].exp()
    candidates = existing.candidates.tolist()
    known = [c for c in asked if existing.knows[user, c]]
    support = factors[[candidates[c] for c in known]]
    precision = support.mT @ support + model.log_unchosen.exp() * factors.mT @ factors
    precision += model.log_ridge.exp() * torch.eye(factors.shape[1])
    answers = model.answers(existing.ratings[user, known])
    prior = model.log_ridge.exp() * model.at_any_time(existing.users[[user]])[0]
    taste = torch.linalg.solve(precision, support.mT @ answers + prior)
    logits = scale * factors @ taste + items.biases[LIKE]
    gone = {0, *(candidates[c] for c in [*asked, hidden])}
    left = [i for i in range(len(factors)) if model.is_trained[i] and i not in gone]
    liked = existing.liked_items[existing.liked_rows == user].tolist()
    liked = [item for item in liked if item in left]
    if not liked:
        return 0.0, 0.0
    probabilities = logits[left].softmax(0)
    of_liked = probabilities[[left.index(item) for item in liked]]
    found = sum(1 - (1 - float(p)) ** 10 for p in of_liked)
    return float(of_liked.log().mean()), found / min(10, len(liked))


def test_each_item_is_the_one_that_gains_most(
    inputs: Inputs, model: Ridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_CELLS", 3 * len(model.is_trained))  # three users at once
    existing = _fond_of_all(_existing(inputs, model, n_users=12), model)
    chosen: list[int] = []
    with torch.no_grad():
        units = None
        for _ in range(4):
            risen = {
                column: torch.tensor(
                    [
                        [
                            after - before
                            for after, before in zip(
                                _worth(model, existing, user, [*chosen, column], column),
                                _worth(model, existing, user, chosen, column),
                                strict=True,
                            )
                        ]
                        for user in range(len(existing))
                        if existing.knows[user, column]
                    ]
                ).sum(0)
                for column in range(len(existing.candidates))
                if column not in chosen and existing.knows[:, column].any()
            }
            if units is None:  # the largest of the first question, or 1 where nothing gains
                largest = torch.stack([*risen.values()]).amax(0) / len(existing)
                units = torch.where(largest > 0, largest, 1)
            asked = Search(model, existing)
            asked.first_gains()
            torch.testing.assert_close(asked.units, units, rtol=1e-3, atol=1e-5)
            for column in chosen:
                asked.ask(column)
            gains = {column: float((both / units).sum()) for column, both in risen.items()}
            for column, both in risen.items():
                torch.testing.assert_close(asked.rises(column).sum(1), both, rtol=1e-3, atol=1e-3)
                assert float(asked.gains(column).sum()) == pytest.approx(gains[column], abs=0.05)
            chosen.append(max(gains, key=gains.__getitem__))
    expected = existing.candidates[chosen].tolist()
    # Lazy evaluation may miss a gain that rose with the list: the first item is never such a one.
    found = forward_selection(model, existing, 4).tolist()
    assert found[0] == expected[0]
    assert len(set(found)) == 4
    assert len(set(found) & set(expected)) >= 3


def test_an_incumbent_stays_unless_another_is_better_beyond_chance(
    inputs: Inputs, model: Ridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    existing = _existing(inputs, model)
    free = forward_selection(model, existing, 5).tolist()
    others = [item for item in existing.candidates.tolist() if item not in free][:5]
    monkeypatch.setattr(selection, "_BEYOND_CHANCE", 1e9)
    assert set(forward_selection(model, existing, 5, others).tolist()) == set(others)
    monkeypatch.setattr(selection, "_BEYOND_CHANCE", -1e9)
    # More gains are computed again than without incumbents, and later items may differ by it.
    found = forward_selection(model, existing, 5, others).tolist()
    assert found[:2] == free[:2]
    assert len(set(found) & set(free)) >= 4


@pytest.mark.parametrize(
    ("mean", "noise", "expected"),
    [
        (0.01, 0.001, True),  # ten times its noise
        (0.01, 0.1, False),  # a tenth of its noise: one standard error of 100 users
        (0.01, 0.029, True),  # 3.4 standard errors
        (0.01, 0.039, False),  # 2.6 standard errors
        (5.0, 50.0, False),  # however large the mean
        (-0.01, 0.001, False),
    ],
)
def test_better_beyond_chance_is_three_standard_errors(
    mean: float, noise: float, expected: bool
) -> None:
    differences = mean + noise * torch.tensor([1.0, -1.0]).repeat(50)
    assert selection._is_beyond_chance(differences) is expected


def test_a_list_is_no_longer_than_what_anyone_knows(inputs: Inputs, model: Ridge) -> None:
    existing = _existing(inputs, model)
    knows = existing.knows.clone()
    knows[:, 3:] = False
    few = replace(existing, knows=knows, is_liked=existing.is_liked & knows)
    assert set(forward_selection(model, few, 20).tolist()) == set(few.candidates[:3].tolist())


def test_what_test_users_did_is_in_no_list(
    inputs: Inputs, model: Ridge, rows, tmp_path: Path
) -> None:
    kept = rows("train", "validation")
    pq.write_table(kept, tmp_path / "part-0.parquet")
    without = replace(inputs, episodes=Episodes(files=(tmp_path / "part-0.parquet",)))
    one, other = (_existing(each, model) for each in (inputs, without))
    assert forward_selection(model, one, 8).equal(forward_selection(model, other, 8))
    users = {row["user_index"] for row in kept.to_pylist()}
    assert set(one.users.tolist()) == users


def _of_tasks(inputs: Inputs, tasks: pa.Table, folder: Path) -> Inputs:
    pq.write_table(tasks, folder / "part-0.parquet")
    return replace(inputs, episodes=Episodes(files=(folder / "part-0.parquet",)))


def test_tasks_that_begin_together_answer_as_one(
    inputs: Inputs, model: Ridge, rows, tmp_path: Path
) -> None:
    """As those of a benchmark that has no order of time."""
    row = rows("train").to_pylist()[0]
    first = row | {"support_items": [1, 2], "support_ratings": [5.0, 1.0], "support_days": [9, 9],
                   "query_items": [3], "query_ratings": [4.0], "query_days": [9]}  # fmt: skip
    second = first | {"support_items": [2, 4], "support_ratings": [1.0, 2.0]}
    table = pa.Table.from_pylist([first, second], schema=rows("train").schema)
    model.is_trained[:] = True
    existing = _existing(_of_tasks(inputs, table, tmp_path), model)
    assert existing.users.tolist() == [row["user_index"]]
    rated = dict(zip(existing.candidates.tolist(), existing.ratings[0].tolist(), strict=True))
    assert rated == {1: 5.0, 2: 1.0, 3: 4.0, 4: 2.0}
    assert sorted(existing.liked_items.tolist()) == [1, 3]


def test_only_what_a_user_did_first_is_an_answer(
    inputs: Inputs, model: Ridge, rows, tmp_path: Path
) -> None:
    """Later tasks are no answers: of the same day, and of a later one; in whatever order."""
    row = rows("train").to_pylist()[0]
    beginnings = [(10, 0, 1), (9, 3, 2), (9, 2, 3), (9, 11, 4)]
    tasks = [
        row | {"earlier_that_day": earlier, "support_items": [item], "support_ratings": [5.0],
               "support_days": [day], "query_items": [item + 10], "query_ratings": [4.0],
               "query_days": [day]}
        for day, earlier, item in beginnings
    ]  # fmt: skip
    table = pa.Table.from_pylist(tasks, schema=rows("train").schema)
    model.is_trained[:] = True
    existing = _existing(_of_tasks(inputs, table, tmp_path), model)
    assert sorted(existing.candidates.tolist()) == [3, 13]
    assert existing.knows.all()
    assert sorted(existing.liked_items.tolist()) == [3, 13]
    assert existing.answer_rates.nonzero().squeeze(1).tolist() == [3, 13]


def test_those_who_came_last_answer(inputs: Inputs, model: Ridge, rows, tmp_path: Path) -> None:
    """By their first task; of users who came together, a seed draws some."""
    row = rows("train").to_pylist()[0]
    days = {1: 7, 2: 9, 3: 8, 4: 8, 5: 8, 6: 8}
    begun = [{"user_index": user, "support_days": [day]} for user, day in days.items()]
    later = {"user_index": 1, "support_days": [12]}
    task = row | {"support_items": [1], "support_ratings": [5.0], "query_items": [2],
                  "query_ratings": [4.0], "query_days": [12]}  # fmt: skip
    table = pa.Table.from_pylist(
        [task | changed for changed in (*begun, later)], schema=rows("train").schema
    )
    only, draws = _of_tasks(inputs, table, tmp_path), set()
    for seed in range(20):
        existing = existing_users(only, model, _of(3, seed))
        users = existing.users.tolist()
        assert users[0] == 2
        assert users == sorted(users)
        draws.add(tuple(users))
    assert len(draws) > 2
    assert {user for users in draws for user in users} == {2, 3, 4, 5, 6}


def test_of_implicit_feedback_only_choices_are_answers(
    implicit: Inputs, config: Config, tmp_path: Path
) -> None:
    [train] = implicit.episodes.split("train").buffers()
    row = train.to_pylist()[0] | {
        "support_items": [1, 2, 3],
        "support_ratings": [1.0, 0.0, 1.0],
        "support_days": [9, 9, 9],
        "query_items": [4, 5],
        "query_ratings": [0.0, 1.0],
        "query_days": [9, 9],
    }
    pq.write_table(pa.Table.from_pylist([row], schema=train.schema), tmp_path / "part-0.parquet")
    only = replace(implicit, episodes=Episodes(files=(tmp_path / "part-0.parquet",)))
    model = Ridge(only, 4, dropout=0.0).eval()
    model.is_trained[:] = True
    existing = _existing(only, model)
    assert set(existing.candidates.tolist()) == {1, 3, 5}
    assert set(forward_selection(model, existing, 10).tolist()) == {1, 3, 5}


def test_each_item_says_what_it_adds(inputs: Inputs, model: Ridge) -> None:
    existing = _existing(inputs, model)
    items = forward_selection(model, existing, 6)
    statistics = rank_statistics(model, existing, items)
    columns = [existing.candidates.tolist().index(item) for item in items.tolist()]
    assert statistics.answer_rate.tolist() == pytest.approx(
        existing.knows[:, columns].double().mean(0).tolist()
    )
    assert statistics.redundancy[0] == pytest.approx(0, abs=1e-5)
    assert ((statistics.redundancy >= 0) & (statistics.redundancy <= 1)).all()
    assert (statistics.redundancy[1:] > 0).any()
    assert len(statistics.expected_gain) == 6


def test_a_segment_has_the_list_of_everyone_unless_it_gains(
    segmented: Inputs, model: Ridge, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = config.having(
        {
            "products.segment_users": 3,
            "products.evidence_items": 3,
            "products.evidence_candidates": 30,
        }
    )
    monkeypatch.setattr("meta_model.evidence.segment_lists.LENGTHS", (3,))
    monkeypatch.setattr(selection, "_BEYOND_CHANCE", 1e9)
    lists = segment_lists(model, segmented, few)
    assert len(lists) > 1
    of_all = lists["all"].items
    for each in lists.values():
        known = each.members.candidates[each.members.knows.any(0)]
        assert set(of_all.tolist()) & set(known.tolist()) <= set(each.items.tolist())
        assert each.same_as_all is each.items.equal(of_all)
    assert any(each.same_as_all for name, each in lists.items() if name != "all")
    monkeypatch.setattr(selection, "_BEYOND_CHANCE", -1e9)
    own = segment_lists(model, segmented, few)
    assert not all(each.same_as_all for each in own.values())
