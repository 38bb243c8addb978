"""Metrics by the size of the support, and the calibration of expected ratings.

Gathered while `evaluation.evaluate` goes over the tasks, from what it has at hand: sums by bins, no
further forward pass and nothing kept of a single task.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta_model.data.inputs import Inputs
from meta_model.evaluation.scenarios import Predictions, Values
from schemas.tables.columns import Table
from schemas.tables.evaluation import CALIBRATION, QUALITY_BY_SUPPORT
from schemas.tables.metrics import ADAPTATION_GAIN, primary

SUPPORT_SIZES = (0, 1, 3, 6, 11, 21, 41)  # the least of each bin
RATING_BINS = 10

Columns = dict[str, list[Any]]


class StratifiedMetrics:
    """Sums over bins, of the model `name`; `add` is the `watch` of `evaluate`."""

    def __init__(self, name: str, inputs: Inputs) -> None:
        self._name = name
        self._feedback, self._metric = inputs.feedback, primary(inputs.feedback)
        self._low, self._high = inputs.rating_levels[0], inputs.rating_levels[-1]
        self._by_support: dict[str, Tensor] = {}
        self._by_rating: dict[str, Tensor] = {}

    def add(self, scenario: str, predictions: Predictions, values: Values) -> None:
        """Add a batch's tasks to the sums of their bins."""
        metric, baseline = self._metric, self._metric.baseline
        assert baseline is not None
        value = values[(self._name, metric.name)]
        before = value - metric.sign * values[(self._name, ADAPTATION_GAIN.name)]
        sizes = predictions.tasks.chosen(self._feedback).support.mask.sum(1)
        least = torch.tensor(SUPPORT_SIZES, device=sizes.device)
        of_tasks = (torch.ones_like(value), value, before, values[(baseline, metric.name)])
        bins = torch.bucketize(sizes, least, right=True) - 1
        _add(self._by_support, scenario, len(SUPPORT_SIZES), bins, of_tasks)

        query = predictions.tasks.query
        ratings = query.ratings[query.mask]
        expected = predictions.expected[query.mask].clamp(self._low, self._high)
        share = (expected - self._low) / (self._high - self._low)
        bins = (share * RATING_BINS).long().clamp(max=RATING_BINS - 1)
        of_ratings = (torch.ones_like(ratings), expected, ratings)
        _add(self._by_rating, scenario, RATING_BINS, bins, of_ratings)

    def columns(self) -> dict[Table, Columns]:
        """What the contracts ask for beside the model and its run; bins without tasks have none."""
        return {QUALITY_BY_SUPPORT: self._quality(), CALIBRATION: self._calibration()}

    def _quality(self) -> Columns:
        most = [*(size - 1 for size in SUPPORT_SIZES[1:]), None]
        found = _filled(self._by_support)
        return {
            "scenario": [scenario for scenario, _, _, _ in found],
            "n_support_from": [SUPPORT_SIZES[number] for _, number, _, _ in found],
            "n_support_to": [most[number] for _, number, _, _ in found],
            "n_tasks": [n for _, _, n, _ in found],
            "metric": [self._metric.name] * len(found),
            **{
                name: [means[place] for *_, means in found]
                for place, name in enumerate(("value", "before", "baseline"))
            },
        }

    def _calibration(self) -> Columns:
        found = _filled(self._by_rating)
        return {
            "scenario": [scenario for scenario, _, _, _ in found],
            "bin": [number + 1 for _, number, _, _ in found],
            "predicted_mean": [means[0] for *_, means in found],
            "observed_mean": [means[1] for *_, means in found],
            "n_ratings": [n for _, _, n, _ in found],
        }


def _add(
    sums: dict[str, Tensor], scenario: str, n_bins: int, bins: Tensor, values: tuple[Tensor, ...]
) -> None:
    """Add each place's values [N] to the sums of its bin, [n_bins, len(values)]."""
    added = torch.zeros(n_bins, len(values), dtype=torch.float64, device=bins.device)
    added.index_add_(0, bins, torch.stack(values, dim=1).double())
    sums[scenario] = sums.get(scenario, 0) + added.cpu()


def _filled(sums: dict[str, Tensor]) -> list[tuple[str, int, int, list[float]]]:
    """Scenario, number of the bin, how many it holds and the means of the rest, of each bin."""
    return [
        (scenario, number, int(n), [total / n for total in totals])
        for scenario, of_scenario in sums.items()
        for number, (n, *totals) in enumerate(of_scenario.tolist())
        if n
    ]
