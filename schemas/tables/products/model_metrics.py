"""Model metrics: the quality of the learner, of the champion and of baselines on held-out tasks."""

from __future__ import annotations

from typing import get_args

from schemas.dataset.spec import Feedback
from schemas.tables import metrics
from schemas.tables.columns import Column, Table, Type
from schemas.tables.episodes import SCENARIOS

BASELINES = (
    "chance",
    "global_mean",
    "item_mean",
    "damped_bias",
    "damped_bias_rounded",
    "popularity",
)


CHAMPION = "champion"  # among the metrics: the model published last, measured on this ds's tasks


_MEASURED = [each for feedback in get_args(Feedback) for each in metrics.of_tasks(feedback)]

MODEL_METRICS = Table(
    name="model_metrics",
    description="Quality of the model and of baselines, as means over held-out tasks.",
    key=("model", "scenario", "metric"),
    columns=(
        Column(
            name="model",
            type=Type.STRING,
            description=(
                "The learner trained for this ds, by name; `champion`, the model published last "
                "before it, measured on the same tasks; or a baseline: "
                f"{', '.join(BASELINES)}."
            ),
        ),
        Column(name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=tuple(dict.fromkeys(each.name for each in _MEASURED)),
            description=(
                "Explicit feedback: mae judges the median rating of learner and champion, a whole "
                "level unless the option network.likelihood is squared; of the baselines only "
                "damped_bias_rounded is rounded to a level. mae_of_expected, "
                "rmse and ndcg5 judge the expected rating, which cold_user_scores.score holds; "
                "adaptation_gain is mae before minus mae after the local update. "
                "Implicit feedback: auc, hr10 and ndcg10 judge the rank of each chosen item of the "
                "query among the task's sampled negatives, with ties in random order on average; "
                "logloss judges the expected rating as a probability; "
                "adaptation_gain is auc after minus auc before the local update."
            ),
        ),
        Column(name="value", type=Type.FLOAT64, description="Mean of the metric over tasks."),
        Column(
            name="baseline",
            type=Type.FLOAT64,
            nullable=True,
            description=(
                "Value of the metric for the baseline: the damped bias, for mae rounded to a level "
                "as the median is; for implicit feedback, popularity. Null for a metric without a "
                "baseline."
            ),
        ),
        Column(name="n_tasks", type=Type.INT64, minimum=1, description="Tasks averaged over."),
        Column(
            name="run_id",
            type=Type.STRING,
            description="Of the model trained for this ds; of `champion`, its own.",
        ),
    ),
)
