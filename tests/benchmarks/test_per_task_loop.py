"""The engine that is timed computes what the loop it is timed against computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import paper_tasks
from benchmarks.per_task_loop import PerTaskLoop
from meta_model.config import Config
from meta_model.data.batching import from_episodes
from meta_model.data.tasks import Tasks
from meta_model.learners import create
from meta_model.learners.melu import MeLU
from meta_model.scoring import catalogue_chunks, rank
from meta_model.training.global_update import Position, global_update, optimizer_of


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    [rows] = paper_tasks.write(tmp_path / "tasks.parquet", 6, seed=1).buffers()
    return from_episodes(rows)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[], tuple[MeLU, PerTaskLoop]]:
    episodes = paper_tasks.write(tmp_path / "none.parquet", 1, seed=2)
    config = replace(Config().paper(), embedding_size=8, hidden_sizes=(16, 16), local_rate=0.1)

    def both() -> tuple[MeLU, PerTaskLoop]:
        torch.manual_seed(3)
        learner = create(config, paper_tasks.inputs(episodes))
        assert isinstance(learner, MeLU)
        return learner, PerTaskLoop(learner)

    return both


def test_both_predict_the_same(make, tasks: Tasks) -> None:
    learner, loop = make()
    catalogue = learner.embed(tasks.items)
    query = learner.statistics.query(tasks)
    ours = learner.predict(learner.adapt(tasks, catalogue), catalogue, query)
    torch.testing.assert_close(ours, torch.stack(loop.evaluate(tasks)), rtol=1e-4, atol=1e-5)


def test_both_rank_the_same(make, tasks: Tasks) -> None:
    learner, loop = make()
    items = torch.arange(1, paper_tasks.N_ITEMS + 1)
    chunks = catalogue_chunks(learner, paper_tasks.N_ITEMS, torch.device("cpu"))
    with torch.no_grad():
        best, _ = rank(learner.eval(), tasks, True, chunks, 20)
    for ours, theirs, rated in zip(
        best, loop.score(tasks, items, 200), tasks.support.places, strict=True
    ):
        # The loop leaves in what a user has rated; of two near-equal scores either may lead.
        unrated = [item for item in theirs.tolist() if item not in tasks.items[rated]][:20]
        assert len(set(ours.tolist()) & set(unrated)) >= 19


def test_both_have_the_same_loss(make, tasks: Tasks) -> None:
    learner, loop = make()
    optimizer = optimizer_of(learner, learner.config, torch.device("cpu"))
    at = Position(epoch=1, step=0, share=0.5)
    loss, _ = global_update(learner, optimizer, [(0, tasks)], learner.config, at)
    assert loss == pytest.approx(loop.global_update(tasks), rel=1e-4)
