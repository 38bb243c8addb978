"""Past days again, by Airflow's own backfill: `python -m local backfill --from D --to D`."""

from __future__ import annotations

import sys
import time
from datetime import date, timedelta

from local.airflow_api import UNENDED_STATES, AirflowApi
from local.airflow_environment import AirflowHome
from local.processes import POLL_SECONDS, free_port
from local.progress import JournalFollower, Progress, Terminal
from local.services import airflow, fetch, log_name, migrate, single_instance, spark_server
from schemas.errors import UserError
from schemas.run import journal
from schemas.run.settings import Settings

_ASK_AIRFLOW_EVERY_SECONDS = 1.0


def backfill(settings: Settings, first: date, last: date, model: str) -> int:
    """Run every day from `first` to `last`, one after the other; the exit code."""
    if first > last:
        raise UserError(f"the first day {first} is after the last day {last}; swap FROM and TO.")
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    with single_instance(settings, "backfill"), spark_server(settings) as spark:
        if code := fetch(settings):
            return code
        migrate(settings)
        spark.wait_until_up()
        with airflow(settings, port=free_port(), scheduled=False, variables=spark.variables) as api:
            watched = [_Day(settings, ds) for ds in days]
            api.create_backfill(first, last, {"model": model})
            states = _follow(api, watched)
    return _report(settings, states, {day.ds: day.progress for day in watched})


class _Day:
    """A day of the range, and what its journal says from now on."""

    def __init__(self, settings: Settings, ds: date) -> None:
        self.ds = ds
        self.progress = Progress(terminal=Terminal(sys.stdout), label=f"{ds}  ")
        self._follower = JournalFollower(journal.path(settings.journals, ds))

    def update(self) -> None:
        self.progress.take(self._follower.new_entries())
        if self.progress.unfinished():
            self.progress.show_live()


def _follow(api: AirflowApi, days: list[_Day]) -> dict[date, str]:
    """Show the steps until every day's run has ended; how each ended."""
    days[0].progress.heading()
    states: dict[date, str] = {}
    next_question = 0.0
    while len(states) < len(days) or any(state in UNENDED_STATES for state in states.values()):
        if time.monotonic() >= next_question:
            states = api.run_states(days[0].ds, days[-1].ds)
            next_question = time.monotonic() + _ASK_AIRFLOW_EVERY_SECONDS
        for day in days:
            day.update()
        time.sleep(POLL_SECONDS)
    for day in days:
        day.update()
    days[0].progress.terminal.clear()
    return states


def _report(settings: Settings, states: dict[date, str], progress: dict[date, Progress]) -> int:
    print()
    for ds, state in sorted(states.items()):
        reasons = "; ".join(f"{step}: {text}" for step, text in progress[ds].failures.items())
        print(f"{ds}  {state}  {reasons}".rstrip())
    failed = [ds for ds, state in states.items() if state != "success"]
    if failed:
        print(f"{len(failed)} of {len(states)} days failed; logs are in", end=" ", file=sys.stderr)
        print(log_name(AirflowHome.of(settings).task_logs), file=sys.stderr)
    return 1 if failed else 0
