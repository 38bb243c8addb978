"""Evidence and scores against slow, literal computations of the same thing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import from_episodes
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.segments import ALL
from meta_model.data.tasks import Tasks
from meta_model.evidence.item_scores import item_scores
from meta_model.evidence.lists import LISTS, order
from meta_model.learners import LEARNERS, Learner, create
from meta_model.learners.melu import MeLU
from meta_model.ranking import by_rating
from meta_model.ranking.recommender import Recommender
from meta_model.ranking.scoring import score_cold_users

CPU = torch.device("cpu")


def test_the_papers_list_equals_a_loop_over_pairs(learner: Learner, inputs: Inputs, rows) -> None:
    assert isinstance(learner, MeLU)
    norms = defaultdict(list)
    pasts = rows("train", "validation")
    for row in range(len(pasts)):
        tasks = from_episodes(pasts.slice(row, 1))
        state, catalogue = learner.unadapted(tasks), learner.embed(tasks.items)
        for side, places in (
            (tasks.support, learner.statistics.support(tasks)),
            (tasks.query, learner.statistics.query(tasks)),
        ):
            predicted = learner.predict(state, catalogue, places)
            for place in range(side.rows.shape[1]):
                gradients = torch.autograd.grad(
                    predicted[0, place],
                    list(learner.decision.layers.parameters()),
                    retain_graph=True,
                )
                norm = float(sum(g.square().sum() for g in gradients) ** 0.5)
                error = abs(predicted[0, place].item() - side.ratings[0, place].item())
                item = int(tasks.items[side.rows[0, place]])
                norms[item].append(norm * 2 * error / max(error**2, 0.01))
    means = {item: float(np.mean(values)) for item, values in norms.items()}
    counts = {
        item: n
        for item, n in enumerate(inputs.item_profiles["train_n_ratings"].to_pylist(), start=1)
        if item in means
    }
    score = {item: _scaled(means, item) * _scaled(counts, item) for item in means}
    expected = sorted(score, key=lambda item: (-score[item], item))[:5]
    values = item_scores(learner, inputs, CPU)[ALL]
    found = LISTS["evidence_paper"](values)
    best = order(found)[:5]
    assert values.items[best].tolist() == expected
    np.testing.assert_allclose(found[best], [score[item] for item in expected], atol=1e-4)


def _scaled(values: dict[int, float], item: int) -> float:
    low, high = min(values.values()), max(values.values())
    return (values[item] - low) / (high - low)


@pytest.mark.parametrize(
    ("model", "chunk_items"), [*((name, 7) for name in sorted(LEARNERS)), ("melu", 4096)]
)
def test_scores_are_the_best_items_never_rated(
    inputs: Inputs, config: Config, rows, model: str, chunk_items: int, monkeypatch
) -> None:
    torch.manual_seed(3)
    learner = create(replace(config, model=model), inputs).eval()
    monkeypatch.setattr(by_rating, "BLOCK", {"cpu": (64, chunk_items)})
    recommender = _recommender(
        learner, inputs, config.having_set(["products.rank_by=rating", "products.top_items=6"])
    )
    serve = {row["user_index"]: row for row in rows("serve").to_pylist()}
    seen = set()
    for scores in score_cold_users(recommender, inputs):
        for place, user in enumerate(scores.users.tolist()):
            seen.add(user)
            tasks = rows("serve").filter(pc.equal(rows("serve")["user_index"], user))
            rated = serve[user]["support_items"]
            adapted = len(rated) >= config.products.min_adapt
            assert scores.adapted[place].item() is adapted
            assert scores.n_support[place].item() == len(rated)
            expected = _literal_scores(learner, inputs, from_episodes(tasks), adapted)
            best = sorted(set(expected) - set(rated), key=lambda item: (-expected[item], item))[:6]
            chosen = scores.items[place].tolist()
            assert len(set(chosen)) == 6
            assert not set(chosen) & set(rated)
            # Of two items whose scores differ in the last bits, either may come first.
            for items in (best, chosen):
                of_items = [expected[item] for item in items]
                np.testing.assert_allclose(scores.scores[place], of_items, atol=1e-5)
    assert seen == set(serve)


def _recommender(learner: Learner, inputs: Inputs, config: Config) -> Recommender:
    torch.manual_seed(4)
    return Recommender.of(learner, untrained(config, inputs), config, inputs, CPU)


def _literal_scores(
    learner: Learner, inputs: Inputs, tasks: Tasks, adapted: bool
) -> dict[int, float]:
    """The expected rating of every item, by a state of one user alone."""
    with torch.no_grad():
        catalogue = learner.embed(tasks.items)
        state = learner.adapt(tasks, catalogue) if adapted else learner.unadapted(tasks)
        items = torch.arange(1, len(inputs.item_profiles) + 1)
        places = learner.statistics.of_all(items)
        predicted = learner.predict(state, learner.embed(items), places)
        ratings = learner.expected(state, predicted)
    return dict(zip(items.tolist(), ratings[0].tolist(), strict=True))


def test_a_user_who_rated_almost_everything_gets_what_is_left(
    learner: Learner, inputs: Inputs, config: Config, rows, tmp_path: Path
) -> None:
    n_items = len(inputs.item_profiles)
    [row] = rows("serve").slice(0, 1).to_pylist()
    row |= {
        "support_items": list(range(1, n_items - 1)),
        "support_ratings": [3.0] * (n_items - 2),
        "support_days": [9] * (n_items - 2),
    }
    file = tmp_path / "serve.parquet"
    pq.write_table(pa.Table.from_pylist([row], schema=rows("serve").schema), file)
    only = replace(inputs, episodes=Episodes(files=(file,)))
    [scores] = score_cold_users(_recommender(learner, only, config), only)
    assert sorted(scores.items[0].tolist(), reverse=True)[:3] == [n_items, n_items - 1, 0]


def test_of_implicit_feedback_only_choices_are_reactions(
    implicit: Inputs, config: Config, tmp_path: Path
) -> None:
    """Of one user: two choices among five items are too few to adapt; three may be shown again."""
    [serve] = implicit.episodes.split("serve").buffers()
    [row] = serve.slice(0, 1).to_pylist()
    row |= {"support_items": [1, 2, 3, 4, 5], "support_ratings": [1.0, 1.0, 0.0, 0.0, 0.0]}
    row |= {"support_days": [9] * 5}
    file = tmp_path / "serve.parquet"
    pq.write_table(pa.Table.from_pylist([row], schema=serve.schema), file)
    only = replace(implicit, episodes=Episodes(files=(file,)))
    learner = create(config, only)
    n_items = len(only.item_profiles)
    everything = config.having({"products.top_items": n_items, "products.min_adapt": 3})
    [scores] = score_cold_users(_recommender(learner, only, everything), only)
    assert (scores.n_support.tolist(), scores.adapted.tolist()) == ([2], [False])
    assert set(scores.items[0].tolist()) - {0} == set(range(3, n_items + 1))
