"""What evaluation says beyond the means over tasks: for whom, and how far to believe it."""

from __future__ import annotations

from typing import get_args

from schemas.dataset.spec import Feedback
from schemas.tables import metrics
from schemas.tables.columns import Column, Table, Type
from schemas.tables.lake import SCENARIOS

_SCENARIO = Column(
    name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."
)
_RUN = (
    Column(name="model", type=Type.STRING, description="The learner's name, for example melu."),
    Column(name="run_id", type=Type.STRING, description="Of the model trained for this ds."),
)

QUALITY_BY_SUPPORT = Table(
    name="quality_by_support",
    description="Quality on held-out tasks by how much of the user the model had to adapt on.",
    key=("scenario", "n_support_from"),
    columns=(
        _SCENARIO,
        Column(
            name="n_support_from",
            type=Type.INT32,
            minimum=0,
            description="The least interactions in the support; no sampled negative counts.",
        ),
        Column(
            name="n_support_to",
            type=Type.INT32,
            minimum=0,
            nullable=True,
            description="The most; null where there is no limit.",
        ),
        Column(name="n_tasks", type=Type.INT64, minimum=1, description="Tasks averaged over."),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=tuple(metrics.primary(feedback).name for feedback in get_args(Feedback)),
            description="mae of explicit feedback, auc of implicit; see model_metrics.",
        ),
        Column(name="value", type=Type.FLOAT64, description="Of the adapted model."),
        Column(name="before", type=Type.FLOAT64, description="Of the model before it adapts."),
        Column(
            name="baseline",
            type=Type.FLOAT64,
            description="Of the damped bias, rounded to a level; popularity's for auc.",
        ),
        *_RUN,
    ),
)

CALIBRATION = Table(
    name="calibration",
    description=(
        "What the model expected of held-out ratings beside what they were, in ten equal parts of "
        "the scale. Of implicit feedback: the probability of a choice beside the share chosen, "
        "among the chosen items and the negatives sampled for them."
    ),
    key=("scenario", "bin"),
    columns=(
        _SCENARIO,
        Column(
            name="bin",
            type=Type.INT32,
            minimum=1,
            maximum=10,
            description="The part of the scale that the expected rating lies in; 1 is the lowest.",
        ),
        Column(
            name="predicted_mean",
            type=Type.FLOAT64,
            description="Mean of the expected ratings, cut to the scale.",
        ),
        Column(name="observed_mean", type=Type.FLOAT64, description="Mean of the ratings."),
        Column(name="n_ratings", type=Type.INT64, minimum=1, description="Ratings of the bin."),
        *_RUN,
    ),
)

BREAKDOWNS = (QUALITY_BY_SUPPORT, CALIBRATION)
