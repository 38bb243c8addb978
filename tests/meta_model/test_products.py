"""Evidence and scores against slow, literal computations of the same thing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch

from meta_model import scoring
from meta_model.config import Config
from meta_model.evidence import select_evidence
from meta_model.inputs import Inputs
from meta_model.learners import Learner
from meta_model.learners.melu import MeLU
from meta_model.scoring import score_cold_users
from meta_model.tasks import from_episodes

CPU = torch.device("cpu")


def test_evidence_equals_a_loop_over_pairs(learner: Learner, inputs: Inputs) -> None:
    assert isinstance(learner, MeLU)
    norms = defaultdict(list)
    for row in range(len(inputs.split("train", "validation"))):
        tasks = from_episodes(inputs.split("train", "validation").slice(row, 1))
        biases = learner.statistics.biases(tasks)
        state = learner.unadapted(tasks)
        for side, bias in (("support", biases.support), ("query", biases.query)):
            items, ratings = getattr(tasks, f"{side}_items"), getattr(tasks, f"{side}_ratings")
            predicted = learner.predict(state, items, bias)
            for place in range(items.shape[1]):
                gradients = torch.autograd.grad(
                    predicted[0, place],
                    list(learner.decision.layers.parameters()),
                    retain_graph=True,
                )
                norm = float(sum(g.square().sum() for g in gradients) ** 0.5)
                error = abs(predicted[0, place].item() - ratings[0, place].item())
                norms[int(items[0, place])].append(norm * 2 * error / max(error**2, 0.01))
    means = {item: float(np.mean(values)) for item, values in norms.items()}
    counts = {
        item: n
        for item, n in enumerate(inputs.item_profiles["n_interactions"].to_pylist(), start=1)
        if item in means
    }
    score = {item: _scaled(means, item) * _scaled(counts, item) for item in means}
    expected = sorted(score, key=lambda item: (-score[item], item))[:5]
    chosen = select_evidence(learner, inputs, 5, CPU)
    assert chosen["item_index"].tolist() == expected
    np.testing.assert_allclose(
        chosen["evidence_score"], [score[item] for item in expected], atol=1e-4
    )


def _scaled(values: dict[int, float], item: int) -> float:
    low, high = min(values.values()), max(values.values())
    return (values[item] - low) / (high - low)


@pytest.mark.parametrize("chunk_items", [7, 4096])
def test_scores_are_the_best_items_never_rated(
    learner: Learner, inputs: Inputs, config: Config, chunk_items: int, monkeypatch
) -> None:
    monkeypatch.setattr(scoring, "_CHUNK_ITEMS", chunk_items)
    serve = {row["user_index"]: row for row in inputs.split("serve").to_pylist()}
    seen = set()
    for scores in score_cold_users(learner, inputs, replace(config, top_items=6), CPU):
        for place, user in enumerate(scores.users.tolist()):
            seen.add(user)
            rated = serve[user]["support_items"]
            adapted = len(rated) >= config.min_adapt
            assert scores.adapted[place].item() is adapted
            assert scores.n_support[place].item() == len(rated)
            expected = _literal_scores(learner, inputs, user, adapted)
            best = sorted(set(expected) - set(rated), key=lambda item: (-expected[item], item))[:6]
            assert scores.items[place].tolist() == best
    assert seen == set(serve)


def _literal_scores(learner: Learner, inputs: Inputs, user: int, adapted: bool) -> dict[int, float]:
    rows = inputs.split("serve")
    tasks = from_episodes(rows.slice(rows["user_index"].to_pylist().index(user), 1))
    biases = learner.statistics.biases(tasks)
    state = learner.adapt(tasks, biases) if adapted else learner.unadapted(tasks)
    items = torch.arange(1, len(inputs.item_profiles) + 1).unsqueeze(0)
    with torch.no_grad():
        predicted = learner.predict(state, items, learner.statistics.item_bias(items))
    return dict(zip(items[0].tolist(), predicted[0].tolist(), strict=True))


def test_a_user_who_rated_almost_everything_gets_what_is_left(
    learner: Learner, inputs: Inputs, config: Config
) -> None:
    n_items = len(inputs.item_profiles)
    [row] = inputs.split("serve").slice(0, 1).to_pylist()
    row |= {
        "support_items": list(range(1, n_items - 1)),
        "support_ratings": [3.0] * (n_items - 2),
    }
    rows = inputs.episodes.slice(0, 0).from_pylist([row], schema=inputs.episodes.schema)
    [scores] = score_cold_users(learner, replace(inputs, episodes=rows), config, CPU)
    assert sorted(scores.items[0].tolist(), reverse=True)[:3] == [n_items, n_items - 1, 0]
