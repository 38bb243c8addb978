"""One night, now: `python -m local nightly --ds D`."""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path

from local.airflow_api import DAG_ID
from local.airflow_environment import AirflowHome, airflow_variables
from local.processes import POLL_SECONDS, Child, base_environment, free_port, running
from local.progress import JournalFollower, Progress, Terminal
from local.services import (
    AIRFLOW,
    fetch,
    job,
    log_name,
    logs,
    migrate,
    single_instance,
    spark_server,
)
from schemas.pipeline import PUBLISH
from schemas.run import journal
from schemas.run.settings import Settings

LAST_LINES = 15
# Who watches hears of a fault at once, not after three tries; and a deadline needs a scheduler.
_WATCHED = {"COLDSTART_RETRIES": "0", "COLDSTART_DEADLINE_HOURS": "0"}


def nightly(settings: Settings, ds: date, model: str) -> int:
    """Run the night of `ds`, showing it on the terminal; the exit code."""
    started = time.monotonic()
    with single_instance(settings, "nightly"), spark_server(settings) as spark:
        if code := fetch(settings):
            return code
        terminal = Terminal(sys.stdout)
        terminal.line(f"night of {ds} with {model}")
        terminal.live("starting Spark and Airflow")
        migrate(settings)
        spark.wait_until_up()
        own = airflow_variables(AirflowHome.of(settings), api_port=free_port(), scheduled=False)
        conf = json.dumps({"ds": str(ds), "model": model})
        command = [*AIRFLOW, "dags", "test", DAG_ID, str(ds), "-c", conf]
        environment = base_environment() | own | spark.variables | _WATCHED
        log = logs(settings) / f"nightly-ds={ds}.log"
        log.unlink(missing_ok=True)
        progress = Progress(terminal=terminal)
        follower = JournalFollower(journal.path(settings.journals, ds))
        with running("the night", command, environment=environment, log=log) as night:
            _follow(night, follower, progress)
        # Airflow also calls a run a success in which no task was due.
        if night.exit_code != 0 or progress.failures or PUBLISH.name not in progress.finished:
            _explain(progress, log)
            return 1
    _total(time.monotonic() - started, progress.busy_seconds())
    return job("summary", "--ds", str(ds))


def _follow(night: Child, follower: JournalFollower, progress: Progress) -> None:
    progress.heading()
    while True:
        ended = night.exit_code is not None  # asked first, so that no last entry is missed
        progress.take(follower.new_entries())
        if ended:
            break
        progress.show_live()
        time.sleep(POLL_SECONDS)
    progress.terminal.clear()


def _explain(progress: Progress, log: Path) -> None:
    for step, message in progress.failures.items():
        print(f"\n{step} failed: {message}", file=sys.stderr)
    for step in progress.unfinished():
        print(f"\n{step} ended without saying why (killed, or out of memory?)", file=sys.stderr)
    if not progress.failures and not progress.unfinished():
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        print(
            "\nthe night failed outside its steps; its log ends with:",
            *lines,
            sep="\n",
            file=sys.stderr,
        )
    print(f"the whole log: {log_name(log)}", file=sys.stderr)


def _total(wall_seconds: float, busy_seconds: float) -> None:
    overhead = wall_seconds - busy_seconds
    share = overhead / wall_seconds
    print(
        f"{'total':<20} {wall_seconds:>8.1f}   "
        f"of which orchestration {overhead:.1f} s ({share:.0%}): Airflow and process starts\n",
        flush=True,
    )
