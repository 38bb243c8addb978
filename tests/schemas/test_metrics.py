"""Each metric is declared once, and knows which way is better and what it is compared with."""

from __future__ import annotations

from typing import get_args

import pytest

from schemas.dataset.spec import Feedback
from schemas.tables import metrics
from schemas.tables.products import BASELINES

ALL = {*metrics.OF_TASKS, *metrics.OF_LISTS, *metrics.OF_ALL_LISTS}


def test_no_two_metrics_share_a_name_or_a_title() -> None:
    assert len({metric.name for metric in ALL}) == len(ALL)
    assert len({metric.title for metric in ALL}) == len(ALL)
    assert all(metrics.named(metric.name) is metric for metric in ALL)


@pytest.mark.parametrize("feedback", get_args(Feedback))
def test_the_primary_metric_has_a_baseline(feedback: Feedback) -> None:
    primary = metrics.primary(feedback)
    assert primary in metrics.shown(feedback)
    assert primary.baseline_title is not None
    assert {metric.baseline for metric in ALL} <= {*BASELINES, None}


def test_less_of_an_error_is_better_and_nothing_is_better_than_nan() -> None:
    assert metrics.MAE.is_better(0.7, than=0.8)
    assert metrics.AUC.is_better(0.8, than=0.7)
    for metric in (metrics.MAE, metrics.AUC):
        assert not metric.is_better(0.8, than=0.8)
        assert not metric.is_better(float("nan"), than=0.8)
        assert not metric.is_better(0.8, than=float("nan"))
