"""Every learner computes what a loop over tasks computes: forecasts, gradients, memories, ranks.

In float64, with supports of all lengths: batches are padded, and a loop knows no padding.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.inputs import paper_tasks
from benchmarks.inputs.float64 import double
from benchmarks.loops import LOOPS
from benchmarks.yardsticks.ranking import rank
from meta_model.config import Config
from meta_model.data.batching import from_episodes
from meta_model.data.tasks import Tasks
from meta_model.learners import LEARNERS, Learner, create
from meta_model.ranking.by_rating import catalogue_chunks
from meta_model.training.global_update import Progress, global_update, optimizer_of, task_losses

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of a few hundred rows: MAML's loop steps through whole ones."""
    monkeypatch.setattr(paper_tasks, "N_ITEMS", 240)
    monkeypatch.setattr(paper_tasks, "USER_ATTRIBUTES", ((2, 1), (40, 1)))
    monkeypatch.setattr(paper_tasks, "ITEM_ATTRIBUTES", ((6, 1), (25, 2), (90, 4)))


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    """Six tasks, their supports of very different lengths."""
    [rows] = paper_tasks.write(tmp_path / "tasks.parquet", 6, seed=1).buffers()
    return double(from_episodes(rows))


@pytest.fixture(params=sorted(LEARNERS))
def learner(request: pytest.FixtureRequest, tmp_path: Path) -> Learner:
    episodes = paper_tasks.write(tmp_path / "none.parquet", 1, seed=2)
    config = Config(model=request.param).paper()
    config = config.having(
        {
            "network.embedding_size": 8,
            "network.hidden_sizes": (16, 12),
            "local_update.rate": 0.1,
            "local_update.steps": 2,
        }
    )
    torch.manual_seed(3)
    made = create(config, paper_tasks.inputs(episodes)).double()
    for side in (made.users, made.items):  # thirds, as exact as float64 has them
        side.attributes.weights = 1 / (1 / side.attributes.weights).round()
    with torch.no_grad():  # away from the zeros that some of them start at
        for parameter in made.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
        made.users.embedding.table[0] = 0
        made.items.embedding.table[0] = 0
    return made


def test_forecasts_equal_the_loops(learner: Learner, tasks: Tasks) -> None:
    catalogue = learner.embed(tasks.items)
    query = learner.statistics.query(tasks)
    ours = learner.predict(learner.adapt(tasks, catalogue), catalogue, query)
    theirs = torch.stack(LOOPS[learner.config.model](learner).evaluate(tasks))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-8)


@pytest.mark.usefixtures("long")
def test_gradients_equal_the_loops(learner: Learner, tasks: Tasks) -> None:
    expected = LOOPS[learner.config.model](learner).gradients(tasks)
    losses, _ = task_losses(learner, tasks)
    losses.mean().backward()
    moved = [name for name, gradient in expected.items() if gradient.abs().max() > 1e-6]
    assert len(moved) >= 6
    for name, parameter in learner.named_parameters():
        ours = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        theirs = expected.get(name, torch.zeros_like(parameter))
        torch.testing.assert_close(
            ours, theirs, rtol=0, atol=1e-8, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_an_update_has_the_loops_loss_and_memories(learner: Learner, tasks: Tasks) -> None:
    loop = LOOPS[learner.config.model](learner)
    optimizer = optimizer_of(learner, learner.config, CPU)
    at = Progress(epoch=1, step=0, share=0.5)
    before = [memory.clone() for memory in learner.memories()]
    loss, _ = global_update(learner, optimizer, [(0, tasks)], learner.config, at)
    assert loss.item() == pytest.approx(loop.global_update(tasks), rel=1e-6)
    for memory, theirs, old in zip(learner.memories(), loop.memories(), before, strict=True):
        torch.testing.assert_close(memory, theirs, rtol=0, atol=1e-8)
        assert not torch.equal(memory, old)


@pytest.mark.usefixtures("long")
def test_both_rank_the_same(learner: Learner, tasks: Tasks) -> None:
    items = torch.arange(1, paper_tasks.N_ITEMS + 1)
    with torch.no_grad():
        chunks = catalogue_chunks(learner.eval(), paper_tasks.N_ITEMS, CPU)
        best, _ = rank(learner, tasks, chunks, 20)
    theirs = LOOPS[learner.config.model](learner).rank(tasks, items, 200)
    for ours, all_of_them, rated in zip(best, theirs, tasks.support.rows, strict=True):
        # The loop leaves in what a user has rated; of two near-equal scores either may lead.
        unrated = [i for i in all_of_them.tolist() if i not in tasks.items[rated]][:20]
        assert len(set(ours.tolist()) & set(unrated)) >= 19
