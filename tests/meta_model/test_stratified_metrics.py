"""Quality by support and calibration against a loop over tasks and over ratings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.evaluation.scenarios import Predictions, evaluate, predict_batches
from meta_model.evaluation.stratified_metrics import RATING_BINS, SUPPORT_SIZES, StratifiedMetrics
from meta_model.learners import Learner, create
from meta_model.steps import evaluation_tables
from schemas.lake import Lake
from schemas.projections.arrow import read_partition
from schemas.run.artefact import Provenance
from schemas.tables.evaluation import CALIBRATION, QUALITY_BY_SUPPORT, STRATIFIED
from schemas.tables.lake import SCENARIOS
from tests.meta_model.small_lake import DS

CPU = torch.device("cpu")
PROVENANCE = Provenance(
    ds=str(DS),
    model="melu",
    model_version="0" * 12,
    vocabulary_checksum="0" * 64,
    best_epoch=1,
    train_tasks=24,
)


@pytest.fixture(params=["explicit", "paper", "implicit"])
def world(request: pytest.FixtureRequest, config: Config) -> tuple[Learner, Inputs]:
    inputs: Inputs = request.getfixturevalue("inputs")
    if request.param == "implicit":
        inputs = request.getfixturevalue("implicit")
    torch.manual_seed(3)
    # The paper's ratings are scores, which leave the scale.
    chosen = config.paper() if request.param == "paper" else config
    return create(chosen, inputs).eval(), inputs


def _rows(world: tuple[Learner, Inputs], home: Path) -> dict[str, list[dict[str, Any]]]:
    """What reaches the lake."""
    learner, inputs = world
    lake, stratified = Lake(root=home), StratifiedMetrics("melu", inputs)
    evaluate(learner, "melu", inputs, CPU, stratified.add)
    evaluation_tables.write_stratified(lake, DS, stratified, PROVENANCE)
    return {
        table.name: read_partition(table, lake.version(table.name, DS)).to_pylist()
        for table in STRATIFIED
    }


def _tasks(world: tuple[Learner, Inputs]) -> list[tuple[str, Predictions, int]]:
    """Scenario, the outcome of its batch, and the place in it, of each held-out task."""
    learner, inputs = world
    return [
        (scenario, outcome, number)
        for scenario in SCENARIOS
        for outcome in predict_batches(
            learner, inputs.episodes.split("test", scenario=scenario), CPU
        )
        for number in range(len(outcome.tasks))
    ]


def test_quality_by_support_equals_a_loop_over_tasks(world, tmp_path: Path) -> None:
    rows = _rows(world, tmp_path)[QUALITY_BY_SUPPORT.name]
    _, inputs = world
    found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for scenario, outcome, number in _tasks(world):
        support, query = outcome.tasks.support, outcome.tasks.query
        likes = support.ratings[number][support.mask[number]]
        size = int((likes > 0).sum()) if inputs.feedback == "implicit" else len(likes)
        least = max(each for each in SUPPORT_SIZES if each <= size)
        ratings = query.ratings[number][query.mask[number]]
        medians = [
            median[number][query.mask[number]]
            for median in (outcome.median, outcome.unadapted_median)
        ]
        expected = [
            each[number][query.mask[number]]
            for each in (outcome.expected, outcome.unadapted_expected)
        ]
        after, before = (
            (_auc(each, ratings) for each in expected)
            if inputs.feedback == "implicit"
            else ((each.clamp(1, 5) - ratings).abs().mean().item() for each in medians)
        )
        found[scenario, least].append((after, before))
    assert len({least for _, least in found}) > 1, "the tasks fill more than one bin"
    assert [(row["scenario"], row["n_support_from"]) for row in rows] == sorted(
        found, key=lambda key: (SCENARIOS.index(key[0]), key[1])
    )
    for row in rows:
        of_bin = found[row["scenario"], row["n_support_from"]]
        assert row["n_tasks"] == len(of_bin)
        assert row["value"] == pytest.approx(sum(v for v, _ in of_bin) / len(of_bin), abs=1e-6)
        assert row["before"] == pytest.approx(sum(b for _, b in of_bin) / len(of_bin), abs=1e-6)
        assert row["metric"] == ("auc" if inputs.feedback == "implicit" else "mae")
        assert row["run_id"] == str(PROVENANCE.run_id)


def _auc(scores: torch.Tensor, ratings: torch.Tensor) -> float:
    chosen, others = scores[ratings > 0], scores[ratings == 0]
    pairs = [float(c > o) + float(c == o) / 2 for c in chosen for o in others]
    return sum(pairs) / len(pairs)


def test_calibration_equals_a_loop_over_ratings(world, tmp_path: Path) -> None:
    rows = _rows(world, tmp_path)[CALIBRATION.name]
    _, inputs = world
    low, high = inputs.rating_levels[0], inputs.rating_levels[-1]
    found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for scenario, outcome, number in _tasks(world):
        query = outcome.tasks.query
        for place in query.mask[number].nonzero().flatten().tolist():
            expected = min(max(outcome.expected[number, place].item(), low), high)
            part = int((expected - low) / (high - low) * RATING_BINS)
            pair = (expected, query.ratings[number, place].item())
            found[scenario, min(part, RATING_BINS - 1) + 1].append(pair)
    assert {(row["scenario"], row["bin"]) for row in rows} == set(found)
    for row in rows:
        pairs = found[row["scenario"], row["bin"]]
        assert row["n_ratings"] == len(pairs)
        for column, side in (("predicted_mean", 0), ("observed_mean", 1)):
            mean = sum(pair[side] for pair in pairs) / len(pairs)
            assert row[column] == pytest.approx(mean, abs=1e-5), column


def test_the_baseline_is_that_of_the_metrics(world, tmp_path: Path) -> None:
    """Over all sizes together it is the mean that the metrics publish."""
    learner, inputs = world
    name, metric = (
        ("popularity", "auc") if inputs.feedback == "implicit" else ("damped_bias_rounded", "mae")
    )
    figures = {
        figure.scenario: figure
        for figure in evaluate(learner, "melu", inputs, CPU)
        if (figure.model, figure.metric) == (name, metric)
    }
    totals: dict[str, float] = defaultdict(float)
    for row in _rows(world, tmp_path)[QUALITY_BY_SUPPORT.name]:
        totals[row["scenario"]] += row["baseline"] * row["n_tasks"]
    assert set(totals) == set(figures)
    for scenario, figure in figures.items():
        assert totals[scenario] / figure.n_tasks == pytest.approx(figure.value, abs=1e-6)


def test_a_world_without_held_out_tasks_leaves_empty_partitions(
    learner: Learner, inputs: Inputs, tmp_path: Path
) -> None:
    alone = replace(inputs, episodes=_only_train(inputs, tmp_path))
    assert _rows((learner, alone), tmp_path / "lake") == {table.name: [] for table in STRATIFIED}


def _only_train(inputs: Inputs, folder: Path) -> Any:
    rows = inputs.episodes.split("train").buffers()
    file = folder / "train.parquet"
    pq.write_table(next(iter(rows)), file)
    return replace(inputs.episodes, files=(file,))
