"""Evaluation: the learner and the baselines on the held-out tasks of each scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from meta_model import metrics
from meta_model.baselines import baseline_predictions, popularity
from meta_model.inputs import Inputs
from meta_model.learners import Learner
from meta_model.tasks import Tasks, batches
from schemas.tables import SCENARIOS

_BATCH_TASKS = 256
_NDCG_AT = 5

Metric = Callable[[Tensor, Tensor, Tensor], Tensor]
_METRICS: dict[str, Metric] = {
    "mae": metrics.mae,
    "rmse": metrics.rmse,
    "ndcg5": lambda predicted, ratings, mask: metrics.ndcg(predicted, ratings, mask, _NDCG_AT),
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure: the mean of a metric over the tasks of a scenario."""

    model: str
    scenario: str
    metric: str
    value: float
    n_tasks: int


@torch.no_grad()
def predictions(
    learner: Learner, episodes: pa.Table, device: torch.device
) -> Iterator[tuple[Tasks, Tensor, Tensor]]:
    """Batches of tasks with their query's predictions before and after the local update."""
    for batch in batches(episodes, _BATCH_TASKS):
        tasks = batch.to(device)
        biases = learner.statistics.biases(tasks)
        unadapted = learner.predict(learner.unadapted(tasks), tasks.query_items, biases.query)
        adapted = learner.predict(learner.adapt(tasks, biases), tasks.query_items, biases.query)
        yield tasks, unadapted, adapted


def evaluate(learner: Learner, name: str, inputs: Inputs, device: torch.device) -> list[Figure]:
    """Every metric of the learner and of each baseline, for each scenario that has tasks.

    Predictions are clipped to the rating scale for MAE and RMSE, and not for ranking, where
    clipping would only make ties.
    """
    learner.eval()
    test = inputs.split("test")
    figures: list[Figure] = []
    for scenario in SCENARIOS:
        of_scenario = test.filter(pc.equal(test["scenario"], pa.scalar(scenario)))
        if len(of_scenario):
            figures += _figures_of(learner, name, scenario, of_scenario, inputs, device)
    return figures


def _figures_of(
    learner: Learner,
    name: str,
    scenario: str,
    episodes: pa.Table,
    inputs: Inputs,
    device: torch.device,
) -> list[Figure]:
    low, high = inputs.spec.rating_scale
    values: dict[tuple[str, str], list[Tensor]] = {}
    for tasks, unadapted, adapted in predictions(learner, episodes, device):
        predicted = {name: adapted, f"{name} before": unadapted}
        predicted |= baseline_predictions(learner.statistics, tasks)
        for model, prediction in predicted.items():
            for metric, function in _METRICS.items():
                shown = prediction if metric == "ndcg5" else prediction.clamp(low, high)
                per_task = function(shown, tasks.query_ratings, tasks.query_mask)
                values.setdefault((model, metric), []).append(per_task)
        ranked = popularity(learner.statistics, tasks)
        per_task = _METRICS["ndcg5"](ranked, tasks.query_ratings, tasks.query_mask)
        values.setdefault(("popularity", "ndcg5"), []).append(per_task)
    means = {key: torch.cat(parts).double().mean().item() for key, parts in values.items()}
    gain = means.pop((f"{name} before", "mae")) - means[(name, "mae")]
    means = {key: value for key, value in means.items() if key[0] != f"{name} before"}
    means[(name, "adaptation_gain")] = gain
    return [
        Figure(model=model, scenario=scenario, metric=metric, value=value, n_tasks=len(episodes))
        for (model, metric), value in means.items()
    ]
