"""What a person may choose of a run, and how the night behaves when something goes wrong.

COLDSTART_RETRIES              how often a step is tried again after a fault that may pass; 3
COLDSTART_STEP_TIMEOUT_HOURS   a step that takes longer is ended; 6
COLDSTART_DEADLINE_HOURS       a night is late, and alerts, so long after its day; 6. 0: none is
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import Param
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from alerts import failed, late
from coldstart_deadline import EndOfDay

from schemas.dataset.spec import BUNDLED
from schemas.run.learners import DEFAULT, known
from schemas.tables.products import RANKED_BY

PARAMS = {
    "ds": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Day to cover (ds)",
        description="The run sees events up to the end of this day (UTC). Empty: its own date. "
        "Leave it empty in a backfill, where each run has a date of its own.",
    ),
    "model": Param(
        DEFAULT,
        type="string",
        enum=known(),
        title="Model",
        description="The meta-learner to train, evaluate and publish (docs/learners).",
    ),
    "dataset": Param(
        None,
        type=["null", "string"],
        examples=sorted(path.stem for path in BUNDLED.glob("*.toml")),
        title="Data set",
        description="A guard: the run stops before it changes anything unless the source holds "
        "the data set of this name. Empty: whatever COLDSTART_SOURCE holds.",
    ),
    "epochs": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        maximum=1000,
        title="Epochs",
        description="At most so many passes over the training tasks. Empty: as configured.",
    ),
    "rank_by": Param(
        RANKED_BY[0],
        type="string",
        enum=list(RANKED_BY),
        values_display={
            "p_like": "p_like: chosen next, and liked",
            "choice": "choice: chosen next",
            "rating": "rating: the expected rating",
        },
        title="Order of lists",
        description="What the items of a cold user are ranked by. The gate judges this order.",
    ),
    "top_k": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        maximum=1000,
        title="Items per cold user (top k)",
        description="How many items are scored and published for each cold user. Empty: 20.",
    ),
    "evidence_items": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        maximum=1000,
        title="Length of the evidence list",
        description="How many items are listed to show new users. Empty: 20.",
    ),
    "gate": Param(
        "compare",
        type="string",
        enum=["compare", "challenger", "champion"],
        values_display={
            "compare": "compare: by its rules",
            "challenger": "challenger: publish the new model whatever its quality",
            "champion": "champion: keep the last published model",
        },
        title="Gate",
        description="Which model is published. Figures that make no sense are never published.",
    ),
    "publish": Param(
        True,
        type="boolean",
        title="Publish",
        description="Off: everything is computed and checked, and the warehouse stays as it is.",
    ),
}


def _number(name: str, default: int) -> int:
    return int(os.environ.get(f"COLDSTART_{name}") or default)


def _deadline(hours: int) -> DeadlineAlert | None:
    if not hours:
        return None
    interval = timedelta(hours=hours)
    return DeadlineAlert(reference=EndOfDay(), interval=interval, callback=SyncCallback(late))


DEFAULT_ARGS = {
    "retries": _number("RETRIES", 3),
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,  # 1, 2, 4 minutes: a server restarts, a disk is cleared
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=_number("STEP_TIMEOUT_HOURS", 6)),
    "on_failure_callback": failed,
}
DEADLINE = _deadline(_number("DEADLINE_HOURS", 6))
