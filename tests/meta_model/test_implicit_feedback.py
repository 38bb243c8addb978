"""Implicit feedback in statistics and evaluation: positives count, negatives are ranked against."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.config import Config
from meta_model.data.batching import from_episodes
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.evaluation.baselines import popularity
from meta_model.evaluation.scenarios import MetricValue, evaluate
from meta_model.learners import Learner, create
from meta_model.steps.evaluation_tables import metrics_table
from schemas.run.artefact import Provenance
from schemas.tables import metrics

CPU = torch.device("cpu")


@pytest.fixture
def picks(inputs: Inputs, rows, tmp_path: Path) -> Inputs:
    """The small world without ratings: of each side the first two are chosen, the rest not."""
    table = rows("train", "test")
    for side in ("support", "query"):
        lengths = [len(items) for items in table[f"{side}_items"].to_pylist()]
        ratings = [[1.0, 1.0, *[0.0] * (n - 2)] for n in lengths]
        name = f"{side}_ratings"
        column = pa.array(ratings, table.schema.field(name).type)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    pq.write_table(table, tmp_path / "episodes.parquet")
    return replace(
        inputs,
        feedback="implicit",
        rating_levels=(0.0, 1.0),
        episodes=Episodes(files=(tmp_path / "episodes.parquet",)),
    )


@pytest.fixture
def learner(picks: Inputs, config: Config) -> Learner:
    torch.manual_seed(3)
    return create(config, picks).eval()


def _tasks(inputs: Inputs, split: str, scenario: str | None = None):
    episodes = inputs.episodes.split(split, scenario=scenario)
    return from_episodes(pa.concat_tables(episodes.buffers()))


def test_only_positives_of_a_training_task_are_left_out(picks: Inputs) -> None:
    statistics, tasks = picks.statistics(), _tasks(picks, "train")
    side = tasks.support
    counts = torch.tensor([0.0, *picks.item_profiles["train_n_ratings"].to_pylist()])
    known = counts[tasks.items[side.rows]]
    is_own = (side.ratings > 0) & (known > 0)
    assert is_own.any()
    assert (~is_own & side.mask & (known > 0)).any()
    places = statistics.support(tasks)
    assert torch.equal(places.counts, known - is_own.float())
    assert statistics.mean == 0
    assert not places.deviation.any()
    assert not statistics.of_all(tasks.items).deviation.any()


def test_figures_equal_a_loop_over_tasks(picks: Inputs, learner: Learner) -> None:
    figures = evaluate(learner, "melu", picks, CPU)
    found = {(f.model, f.metric): f for f in figures if f.scenario == "user_cold"}
    assert set(found) == {
        *(("melu", metric.name) for metric in metrics.of_tasks("implicit")),
        *(
            (model, metric.name)
            for model in ("popularity", "chance")
            for metric in metrics.of_tasks("implicit")[:3]
        ),
    }
    values: dict[tuple[str, str], list[float]] = {}
    tasks = _tasks(picks, "test", "user_cold")
    for number in range(len(tasks)):
        task = tasks[torch.tensor([number])]
        places, catalogue = learner.statistics.query(task), learner.embed(task.items)
        with torch.no_grad():
            before, after = (
                learner.expected(state, learner.predict(state, catalogue, places))[0].tolist()
                for state in (learner.unadapted(task), learner.adapt(task, catalogue))
            )
        popular = popularity(learner.statistics, task)[0].tolist()
        for model, scores in (("melu", after), ("popularity", popular)):
            values.setdefault((model, "auc"), []).append(_auc(scores))
        values.setdefault(("melu", "adaptation_gain"), []).append(_auc(after) - _auc(before))
    for key, per_task in values.items():
        assert found[key].value == pytest.approx(sum(per_task) / len(per_task), abs=1e-6), key
        assert found[key].n_tasks == len(tasks)
    assert found[("chance", "auc")].value == 0.5
    assert found[("chance", "hr10")].value == 1.0  # of three ranks each is among the first ten


def _auc(scores: list[float]) -> float:
    """Of the first two against the rest."""
    pairs = [(p > n) + (p == n) / 2 for p in scores[:2] for n in scores[2:]]
    return sum(pairs) / len(pairs)


def test_the_baseline_of_ranks_is_popularity() -> None:
    figures = [
        MetricValue(model=model, scenario="warm", metric=metric, value=value, n_tasks=3)
        for model, metric, value in (
            ("melu", "auc", 0.8),
            ("melu", "logloss", 0.4),
            ("melu", "adaptation_gain", 0.1),
            ("popularity", "auc", 0.7),
        )
    ]
    provenance = Provenance(
        ds="1998-03-31",
        model="melu",
        model_version="0" * 12,
        vocabulary_checksum="0" * 64,
        best_epoch=1,
        train_tasks=24,
    )
    table = metrics_table(figures, provenance)
    assert table["baseline"].to_pylist() == [0.7, None, None, 0.7]
