"""Evaluation: the learner and the baselines on the held-out tasks of each scenario.

Each metric is asked of the forecast that it rewards (Gneiting, JASA 2011): the absolute error of
the median rating, the squared error and the ranking of the expected one. A median of whole stars
gains on any mean by that alone, so that the damped bias is there rounded to a level as well.

Implicit feedback is judged by the rank of what was chosen among the task's sampled negatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.evaluation import metrics
from meta_model.evaluation.baselines import baseline_predictions, popularity
from meta_model.learners import Learner
from schemas.tables.lake import SCENARIOS

_BATCH_TASKS = 256
_NDCG_AT = 5
_TOP = 10  # the ranks that count of implicit feedback


@dataclass(frozen=True, kw_only=True)
class MetricValue:
    """The mean of a metric over the tasks of a scenario."""

    model: str
    scenario: str
    metric: str
    value: float
    n_tasks: int


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A batch of tasks with the ratings of its query, forecast as mean and as median, [B, Q].

    The unadapted ones are the shared model's, which has seen nothing of the support; `losses` [B]
    are the tasks' mean losses on the query.
    """

    tasks: Tasks
    losses: Tensor
    expected: Tensor
    median: Tensor
    unadapted_expected: Tensor
    unadapted_median: Tensor


Values = dict[tuple[str, str], Tensor]  # of a model and a metric: each task's, [B]
OnBatch = Callable[[str, Predictions, Values], None]  # called with each batch of a scenario


@torch.no_grad()
def predict_batches(
    learner: Learner, episodes: Episodes, device: torch.device
) -> Iterator[Predictions]:
    """The predictions of all tasks of the episodes, batch by batch; call `learner.eval()` first."""
    for tasks in batches(episodes, _BATCH_TASKS, on=device):
        catalogue = learner.embed(tasks.items)
        query = learner.statistics.query(tasks)
        unadapted, adapted = learner.unadapted(tasks), learner.adapt(tasks, catalogue)
        forecasts = learner.predict(adapted, catalogue, query)
        before = learner.predict(unadapted, catalogue, query)
        yield Predictions(
            tasks=tasks,
            losses=learner.task_losses(adapted, forecasts, tasks.query),
            expected=learner.expected(adapted, forecasts),
            median=learner.median(adapted, forecasts),
            unadapted_expected=learner.expected(unadapted, before),
            unadapted_median=learner.median(unadapted, before),
        )


def evaluate(
    learner: Learner,
    name: str,
    inputs: Inputs,
    device: torch.device,
    watch: OnBatch = lambda _scenario, _predictions, _values: None,
) -> list[MetricValue]:
    """Every metric of the learner and of each baseline, for each scenario that has tasks."""
    learner.eval()
    figures: list[MetricValue] = []
    for scenario in SCENARIOS:
        values: dict[tuple[str, str], list[Tensor]] = {}
        for predictions in predict_batches(
            learner, inputs.episodes.split("test", scenario=scenario), device
        ):
            of_batch = _values(predictions, learner, name, inputs)
            watch(scenario, predictions, of_batch)
            for key, per_task in of_batch.items():
                values.setdefault(key, []).append(per_task)
        for (model, metric), parts in values.items():
            joined = torch.cat(parts).double()
            figures.append(
                MetricValue(
                    model=model,
                    scenario=scenario,
                    metric=metric,
                    value=joined.mean().item(),
                    n_tasks=len(joined),
                )
            )
    return figures


def _values(predictions: Predictions, learner: Learner, name: str, inputs: Inputs) -> Values:
    """Each model's metrics of each task, [B]."""
    if inputs.feedback == "implicit":
        return _implicit_values(predictions, learner, name)
    return _explicit_values(predictions, learner, name, inputs.rating_levels)


def _implicit_values(predictions: Predictions, learner: Learner, name: str) -> Values:
    """Of the learner, of popularity, and of chance, which has no order: all its scores are one."""
    query = predictions.tasks.query
    labels = (query.ratings, query.mask)
    by_score = {
        name: predictions.expected,
        "popularity": popularity(learner.statistics, predictions.tasks),
        "chance": torch.zeros_like(query.ratings),
    }
    values = {}
    for model, scores in by_score.items():
        values[(model, "auc")] = metrics.auc(scores, *labels)
        values[(model, "hr10")] = metrics.hit_rate(scores, *labels, _TOP)
        values[(model, "ndcg10")] = metrics.ndcg_of_positives(scores, *labels, _TOP)
    values[(name, "logloss")] = metrics.log_loss(predictions.expected, *labels)
    before = metrics.auc(predictions.unadapted_expected, *labels)
    values[(name, "adaptation_gain")] = values[(name, "auc")] - before
    return values


def _explicit_values(
    predictions: Predictions, learner: Learner, name: str, levels: tuple[float, ...]
) -> Values:
    """Of the learner and of each baseline.

    Clipped to the rating scale for errors, and not for ranking, where it would only make ties.
    """
    tasks, low, high = predictions.tasks, levels[0], levels[-1]
    ratings, mask = tasks.query.ratings, tasks.query.mask
    grades = metrics.graded(ratings, low, high)

    def mae(forecast: Tensor) -> Tensor:
        return metrics.mae(forecast.clamp(low, high), ratings, mask)

    def rmse(forecast: Tensor) -> Tensor:
        return metrics.rmse(forecast.clamp(low, high), ratings, mask)

    def ndcg(scores: Tensor) -> Tensor:
        return metrics.ndcg(scores, grades, mask, _NDCG_AT)

    values = {
        (name, "mae"): mae(predictions.median),
        (name, "mae_of_expected"): mae(predictions.expected),
        (name, "rmse"): rmse(predictions.expected),
        (name, "ndcg5"): ndcg(predictions.expected),
        (name, "adaptation_gain"): mae(predictions.unadapted_median) - mae(predictions.median),
    }
    for baseline, predicted in baseline_predictions(learner.statistics, tasks, levels).items():
        values[(baseline, "mae")] = mae(predicted)
        values[(baseline, "rmse")] = rmse(predicted)
        values[(baseline, "ndcg5")] = ndcg(predicted)
    values[("chance", "ndcg5")] = metrics.chance_ndcg(grades, mask, _NDCG_AT)
    values[("popularity", "ndcg5")] = ndcg(popularity(learner.statistics, tasks))
    return values
