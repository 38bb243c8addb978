"""
### The nightly cold-start pipeline

Turns the interactions up to the end of the day `ds` into two published tables: the **evidence
items** to show new users, and the **scores** of cold users from a meta-learned model that adapts
to the few things they did. Nothing is published that did not pass its checks; a new model that
fails the gate leaves the last published one in its place.

Each task runs one command line for one `ds` and replaces exactly that day's partition, so a task
or a day may be run again at any time. A run for `ds` sees nothing that happened after that day:
a backfill gives what that night would have given.

**To run a day by hand**, trigger the DAG with the parameter `ds`. **To run past days again**,
use Trigger > Backfill: each run covers the day of its logical date; leave `ds` empty there.

What to do when it fails, is late or is refused: `docs/operations.md`.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable
from night_settings import DEADLINE, DEFAULT_ARGS, PARAMS
from night_steps import task

from schemas.pipeline import NIGHT

with DAG(
    dag_id="coldstart_nightly",
    description="Evidence items and cold-user scores, published every night",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(1970, 1, 1, tzinfo=UTC),  # no day is too early; its data may be
    catchup=False,
    max_active_runs=4,  # the most days that the backfill form offers to run side by side
    default_args=DEFAULT_ARGS,
    deadline=DEADLINE,
    tags=["cold-start"],
    params=PARAMS,
):
    tasks = {step: task(step) for step in NIGHT}
    for step in NIGHT:
        # A teardown also runs where a step has failed, and has no say in whether the night has: one
        # that may fail the run (on_failure_fail_dagrun) is its only leaf, and would make it a
        # success.
        if step.even_if_failed:
            tasks[step].as_teardown()
        tasks[step].set_upstream([tasks[earlier] for earlier in step.after])
