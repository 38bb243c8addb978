"""Expected ratings of the whole catalogue: the same in chunks of any size, and never sorted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.evaluation.rankers import ByRating
from meta_model.learners import Learner
from meta_model.ranking import by_rating
from meta_model.ranking.recommender import Recommender

CPU = torch.device("cpu")


@pytest.mark.parametrize("chunk_items", [7, 4096])
@pytest.mark.parametrize("min_adapt", [1, 10_000])
def test_the_catalogue_is_scored_in_its_order_without_what_was_met(
    learner: Learner,
    inputs: Inputs,
    config: Config,
    tasks_of: Callable[..., Tasks],
    monkeypatch: pytest.MonkeyPatch,
    chunk_items: int,
    min_adapt: int,
) -> None:
    """To keep the best of each chunk in order would take the square of the catalogue."""
    monkeypatch.setattr(by_rating, "BLOCK", {"cpu": (64, chunk_items)})
    monkeypatch.setattr(by_rating, "best", lambda *_: pytest.fail("scores were sorted"))
    switches = {"products.rank_by": "rating", "products.min_adapt": min_adapt}
    choice = untrained(config, inputs)
    recommender = Recommender.of(learner, choice, config.having(switches), inputs, CPU)
    tasks = tasks_of("test")
    found = recommender.scores(tasks)
    with torch.no_grad():
        if min_adapt == 1:
            state = learner.adapt(tasks, learner.embed(tasks.items))
        else:
            state = learner.unadapted(tasks)
        items = torch.arange(1, recommender.n_items + 1)
        places = learner.statistics.of_all(items)
        expected = learner.expected(state, learner.predict(state, learner.embed(items), places))
    expected = torch.cat([expected.new_full((len(tasks), 1), -torch.inf), expected], dim=1)
    if min_adapt == 1:
        judged = ByRating(learner, recommender.n_items, CPU).scores(tasks)
        torch.testing.assert_close(judged, expected)
    for row, mask in enumerate(tasks.support.mask):
        expected[row, tasks.items[tasks.support.rows[row][mask]]] = -torch.inf
    torch.testing.assert_close(found, expected)
