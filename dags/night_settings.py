"""What a person may choose of a run, and how the night behaves when something goes wrong.

Both begin with what the team's file says (docs/settings.md).
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from alerts import failed, late
from coldstart_deadline import EndOfDay

from schemas.dataset.spec import BUNDLED
from schemas.run.learners import known
from schemas.run.team_file import number, team_file
from schemas.tables.products import RANKED_BY

_TEAMS = team_file().run

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
        _TEAMS.model,
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
        _TEAMS.epochs,
        type=["null", "integer"],
        minimum=1,
        maximum=1000,
        title="Epochs",
        description="At most so many passes over the training tasks. Empty: as configured.",
    ),
    "rank_by": Param(
        _TEAMS.rank_by,
        type=["null", "string"],
        enum=[None, *RANKED_BY],
        values_display={
            "null": "as configured",
            "p_like": "p_like: chosen next, and liked",
            "choice": "choice: chosen next",
            "rating": "rating: the expected rating",
        },
        title="Order of lists",
        description="What the items of a cold user are ranked by. The gate judges this order. "
        "As configured: what coldstart.toml or the dataset spec says, or else p_like.",
    ),
    "top_k": Param(
        _TEAMS.top_k,
        type=["null", "integer"],
        minimum=1,
        maximum=1000,
        title="Items per cold user (top k)",
        description="How many items are scored and published for each cold user. Empty: 20.",
    ),
    "evidence_items": Param(
        _TEAMS.evidence_items,
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


def _deadline(hours: int) -> DeadlineAlert | None:
    if not hours:
        return None
    interval = timedelta(hours=hours)
    return DeadlineAlert(reference=EndOfDay(), interval=interval, callback=SyncCallback(late))


DEFAULT_ARGS = {
    "retries": number("retries"),
    "retry_delay": timedelta(minutes=1),
    # 1 to 2, 2 to 4, 4 to 8 minutes, of which Airflow draws: a server restarts, a disk is cleared.
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=number("step_timeout_hours")),
    "on_failure_callback": failed,
}
DEADLINE = _deadline(number("deadline_hours"))
