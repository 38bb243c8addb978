"""Lists beside literal computations of the same: who is a candidate, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import drawn
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.evaluation.rankers import ByRating
from meta_model.learners import LEARNERS, configured, create
from meta_model.ranking import calibrating, calibration
from meta_model.ranking.calibrating import calibrated, errors
from meta_model.ranking.calibration import SIZES, Calibration, OfSize
from meta_model.ranking.recommender import Recommender
from tests.meta_model.drawn import draw_all

CPU = torch.device("cpu")


@pytest.fixture
def recommender(inputs: Inputs, config: Config) -> Recommender:
    torch.manual_seed(3)
    made = Recommender.of(create(config, inputs), untrained(config, inputs), config, inputs, CPU)
    of_all = OfSize(n_support=0, intercept=-1.0, slope=0.8)
    return replace(made, calibration=Calibration(next_items=4, sizes=(of_all,)))


@pytest.fixture
def tasks(tasks_of: Callable[..., Tasks]) -> Tasks:
    return tasks_of("test")


def _having(recommender: Recommender, **products: object) -> Recommender:
    values = {f"products.{name}": value for name, value in products.items()}
    return replace(recommender, config=recommender.config.having(values))


def _met(tasks: Tasks, row: int) -> set[int]:
    return set(tasks.items[tasks.support.rows[row][tasks.support.mask[row]]].tolist())


def test_a_list_holds_the_likeliest_items_not_met(recommender: Recommender, tasks: Tasks) -> None:
    """By factors, trend and neighbours, beside a computation of one task and item at a time."""
    found = recommender.ranked(tasks, 5)
    with torch.no_grad():
        log_choice, log_like = recommender.choice(tasks) + recommender.trend.float()
    log_choice = log_choice.log_softmax(1)
    assert recommender.trend.any()
    near = recommender.neighbours.near(tasks, recommender.choice.recency(tasks).detach())
    for row, items in enumerate(found.items.tolist()):
        rest = [i for i in range(1, recommender.n_items + 1) if i not in _met(tasks, row)]
        keys = {i: log_like[row, i].item() + 2.0 * near[row, i].item() for i in rest}
        assert items == sorted(rest, key=lambda i: (-keys[i], i))[:5]
        torch.testing.assert_close(found.log_choice[row], log_choice[row, items])
        total = torch.tensor(list(keys.values())).logsumexp(0)
        logits = torch.tensor([keys[i] for i in items]) - total
        _, listed = recommender.log_probabilities(tasks)
        torch.testing.assert_close(listed[row, items], logits, rtol=1e-4, atol=1e-4)


def test_neighbours_of_earlier_days_count_by_the_square(
    recommender: Recommender, tasks: Tasks
) -> None:
    """The same users on a later day, with a prior that does not move."""
    without = recommender.having({"choice.neighbour_weight": 0.0})
    with torch.no_grad():
        recommender.choice.later.zero_()
        recommender.choice.logit_earlier.fill_(-1.0)
    later = replace(tasks, day=tasks.day + 1)
    both = (recommender.log_probabilities(later)[1], without.log_probabilities(later)[1])
    weight = 2.0 * recommender.choice.logit_earlier.sigmoid().square()
    near = weight * recommender.neighbours.near(later, recommender.choice.recency(later))
    # What is added to the logarithms is near, up to a constant of the softmax.
    added, near = (
        (each - each.nanmean(1, keepdim=True))
        for each in (both[0] - both[1], torch.where(both[0].isfinite(), near, torch.nan))
    )
    assert added.nan_to_num().abs().max() > 0.05
    torch.testing.assert_close(added, near, rtol=1e-3, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("by", ["p_like", "choice", "rating"])
def test_ranks_go_down_by_what_they_are_ranked_by(
    recommender: Recommender, tasks: Tasks, by: str
) -> None:
    ranked = _having(recommender, rank_by=by).ranked(tasks, 6)
    values = {"p_like": ranked.likes, "choice": ranked.log_choice, "rating": ranked.scores}[by]
    assert ranked.items.shape == (len(tasks), 6)
    assert values.diff(dim=1).le(0).all()
    for row, items in enumerate(ranked.items.tolist()):
        assert not set(items) & {*_met(tasks, row), 0}
        assert len(set(items)) == 6


def test_p_like_is_of_the_next_items_that_are_liked(recommender: Recommender, tasks: Tasks) -> None:
    ranked = recommender.ranked(tasks, 6)
    like = recommender.log_probabilities(tasks)[1].gather(1, ranked.items).double().exp()
    logits = -1.0 + 0.8 * torch.logit(1 - (1 - like) ** 4)
    torch.testing.assert_close(ranked.likes, logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("min_adapt", [1, 5, 10_000])
def test_scores_are_of_the_listed_items(
    recommender: Recommender, tasks: Tasks, min_adapt: int
) -> None:
    """Of users who are adapted to and of others, in one batch."""
    some = _having(recommender, min_adapt=min_adapt)
    listed = some.ranked(tasks, 6)
    by_rating = _having(some, rank_by="rating").scores(tasks)
    torch.testing.assert_close(listed.scores, by_rating.gather(1, listed.items))


def test_a_user_of_too_few_interactions_is_recommended_to_by_attributes(
    recommender: Recommender, tasks: Tasks
) -> None:
    """In one batch with others; what they have met is left out all the same."""
    sizes = tasks.support.mask.sum(1)
    least = int(sizes.median()) + 1
    some = _having(recommender, min_adapt=least)
    adapts = some.adapts(tasks)
    assert adapts.any()
    assert not adapts.all()
    found, all_adapted = some.scores(tasks), recommender.scores(tasks)
    unknown = _having(recommender, min_adapt=10_000).scores(tasks)
    torch.testing.assert_close(found[adapts], all_adapted[adapts])
    torch.testing.assert_close(found[~adapts], unknown[~adapts])
    other = replace(tasks.support, ratings=6 - tasks.support.ratings)
    changed = some.scores(replace(tasks, support=other))
    torch.testing.assert_close(changed[~adapts], found[~adapts])
    for row in range(len(tasks)):
        assert found[row, list(_met(tasks, row))].isneginf().all()


@pytest.mark.parametrize("name", sorted(LEARNERS))
@pytest.mark.parametrize("by", ["p_like", "rating"])
def test_the_query_moves_nothing(
    name: str, by: str, inputs: Inputs, config: Config, tasks: Tasks
) -> None:
    """Its items are what is to be found; to forecast ratings, some learners look at them."""
    config = configured(name, like=config).having({"products.rank_by": by})
    torch.manual_seed(3)
    learner = create(config, inputs)
    draw_all(learner)
    made = Recommender.of(learner, untrained(config, inputs), config, inputs, CPU)
    query = tasks.query.map(lambda tensor: tensor.flip(0))
    other = replace(tasks, query=replace(query, ratings=6 - query.ratings))
    assert not tasks.items[query.rows].equal(tasks.items[tasks.query.rows])
    assert made.scores(other).equal(made.scores(tasks))
    ranked, expected = made.ranked(other, 5), made.ranked(tasks, 5)
    assert ranked.items.equal(expected.items)
    assert ranked.scores.equal(expected.scores)
    by_rating = ByRating(learner, made.n_items, CPU)
    assert by_rating.scores(other).equal(by_rating.scores(tasks))


def test_what_is_expected_of_validation_users_is_what_came(
    recommender: Recommender, inputs: Inputs, tasks_of: Callable[..., Tasks]
) -> None:
    """The mean of p_like is the share liked, which a logistic regression with intercept gives."""
    short = _having(recommender, top_items=30)
    made = calibrated(short, inputs)
    assert [each.n_support for each in made.calibration.sizes] == list(SIZES)
    tasks = tasks_of("validation").followed(3, short.config.training.query_size)
    listed = made.ranked(tasks, 30)
    n_liked = 0
    for row, items in enumerate(listed.items.tolist()):
        query = tasks.query.map(lambda tensor, row=row: tensor[row])
        is_liked = query.mask & (query.ratings >= inputs.liked_from)
        n_liked += len(set(items) & set(tasks.items[query.rows[is_liked]].tolist()))
    assert n_liked > 1
    assert listed.likes.sigmoid().sum().item() == pytest.approx(n_liked, abs=1.5)


def test_the_fit_is_to_what_directly_follows_what_is_shown(
    recommender: Recommender, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whom nothing is shown the first interactions follow, which are of the support."""
    intercepts = []
    for rating in (1.0, 5.0):

        def rated(*arguments: Any, rating: float = rating, **options: Any) -> list[Tasks]:
            return [
                replace(
                    tasks,
                    support=replace(
                        tasks.support, ratings=torch.full_like(tasks.support.ratings, rating)
                    ),
                )
                for tasks in drawn(*arguments, **options)
            ]

        monkeypatch.setattr(calibrating, "drawn", rated)
        made = calibrated(recommender, inputs).calibration
        intercepts.append(made.sizes[0].intercept)
    assert intercepts[0] < intercepts[1], "who likes nothing of what follows, and who likes all"


def test_lists_of_a_later_day_are_calibrated_to_last_days(
    recommender: Recommender, inputs: Inputs, rows, tmp_path: Path
) -> None:
    assert calibrated(recommender, inputs).calibration.later is None, "all is of one day"
    several = []
    for row in rows("train", "validation").to_pylist():
        n = len(row["support_items"])
        row["support_days"] = [10_000] * (n // 2) + [10_001] * (n - n // 2)
        row["query_days"] = [10_001] * len(row["query_items"])
        several.append(row)
    pq.write_table(pa.Table.from_pylist(several, rows("train").schema), tmp_path / "part-0.parquet")
    visits = replace(inputs, episodes=Episodes(files=(tmp_path / "part-0.parquet",)))
    still = replace(recommender, trend=torch.zeros_like(recommender.trend))
    made = calibrated(_having(still, top_items=30), visits)
    [tasks] = drawn(visits.episodes.split("train", "validation"), 999, 1)
    tasks = tasks.on_last_day(made.calibration.next_items)
    assert tasks.is_later.all()
    listed = made.ranked(tasks, 30)
    liked = tasks.liked_in_query(made.n_items, inputs.liked_from).gather(1, listed.items)
    assert liked.sum() > 10
    expected = pytest.approx(liked.sum().item(), abs=2)
    assert listed.likes.sigmoid().sum().item() == expected


@pytest.mark.parametrize("size", [0, 3])
def test_intervals_hold_what_validation_and_training_users_rated(
    recommender: Recommender,
    inputs: Inputs,
    tasks_of: Callable[..., Tasks],
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration, "_OUTSIDE", 3)  # validation has four users
    low, high = calibrated(recommender, inputs).calibration.ends(torch.tensor([size]))
    n_next, ends = recommender.calibration.next_items, []
    for split in ("validation", "train"):
        tasks = tasks_of(split).followed(size, n_next)
        found = errors(recommender, tasks, size).sort().values
        n_users = len({*tasks.users[tasks.query.mask.any(1)].tolist()})
        n_outside = int((len(found) + 1) * (1 / 3 - 1 / (n_users + 1)))
        ends.append(found[[n_outside - 1, -n_outside]])
    lows, highs = torch.stack(ends, dim=1)
    assert low.item() == pytest.approx(lows.min().item())
    assert high.item() == pytest.approx(highs.max().item())
    assert not lows[0].isclose(lows[1])


def test_without_validation_users_nothing_is_fitted(
    recommender: Recommender, inputs: Inputs
) -> None:
    nobody = replace(inputs, episodes=_Nobody(files=inputs.episodes.files))
    assert calibrated(recommender, nobody) is recommender


class _Nobody(Episodes):
    def split(self, *_splits: str, scenario: str | None = None) -> Episodes:
        return super().split("no such split", scenario=scenario)
