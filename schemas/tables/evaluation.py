"""Quality beyond the means over tasks: by size of the support, and calibration."""

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
    Column(name="model", type=Type.STRING, description="The learner's name, for example ridge."),
    Column(name="run_id", type=Type.STRING, description="run_id of the model trained for this ds."),
)

QUALITY_BY_SUPPORT = Table(
    name="quality_by_support",
    description="Quality on held-out tasks, by number of interactions in the support.",
    key=("scenario", "n_support_from"),
    columns=(
        _SCENARIO,
        Column(
            name="n_support_from",
            type=Type.INT32,
            minimum=0,
            description="Fewest interactions in the support, without sampled negatives.",
        ),
        Column(
            name="n_support_to",
            type=Type.INT32,
            minimum=0,
            nullable=True,
            description="Most interactions in the support; null without a limit.",
        ),
        Column(name="n_tasks", type=Type.INT64, minimum=1, description="Tasks averaged over."),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=tuple(metrics.primary(feedback).name for feedback in get_args(Feedback)),
            description="mae for explicit feedback, auc for implicit; see model_metrics.",
        ),
        Column(name="value", type=Type.FLOAT64, description="Metric of the adapted model."),
        Column(name="before", type=Type.FLOAT64, description="Metric before the local update."),
        Column(
            name="baseline",
            type=Type.FLOAT64,
            description="Metric of the damped bias, rounded to a level; for auc, of popularity.",
        ),
        *_RUN,
    ),
)

CALIBRATION = Table(
    name="calibration",
    description=(
        "Expected beside observed ratings of held-out tasks, in ten equal parts of the scale. For "
        "implicit feedback: the predicted probability of a choice beside the share chosen, among "
        "the chosen items and the negatives sampled for them."
    ),
    key=("scenario", "bin"),
    columns=(
        _SCENARIO,
        Column(
            name="bin",
            type=Type.INT32,
            minimum=1,
            maximum=10,
            description="Part of the scale that holds the expected rating; 1 is the lowest.",
        ),
        Column(
            name="predicted_mean",
            type=Type.FLOAT64,
            description="Mean of the expected ratings, cut to the scale.",
        ),
        Column(
            name="observed_mean", type=Type.FLOAT64, description="Mean of the observed ratings."
        ),
        Column(name="n_ratings", type=Type.INT64, minimum=1, description="Ratings in the bin."),
        *_RUN,
    ),
)

STRATIFIED = (QUALITY_BY_SUPPORT, CALIBRATION)
