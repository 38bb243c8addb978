"""Runs one step of the night as a command line of its own, without a shell in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from schemas import utc
from schemas.errors import UserError
from schemas.run import journal
from schemas.run.settings import REPOSITORY, Settings, parse_ds
from schemas.run.team_file import variables

if TYPE_CHECKING:
    from airflow.sdk import BaseOperatorLink, Context

USER_MISTAKE_EXIT_CODE = 2
KILL_AFTER_SECONDS = 10


def ds_of(params: Mapping[str, Any], logical_date: datetime | None) -> date:
    """The date a run covers: its parameter `ds`, else the day of its logical date.

    The logical date of a scheduled or backfilled run starts the day it covers. A run that was
    triggered by hand may have none; then the parameter is needed.
    """
    if params.get("ds"):
        return parse_ds(params["ds"])
    if logical_date is None:
        raise UserError(
            "this run has neither the parameter ds nor a logical date; expected one of them. "
            "Trigger it again with ds set to the day it shall cover, for example 1998-03-31."
        )
    return utc.day_of(logical_date)


def check_run(params: Mapping[str, Any], known: Iterable[str], run: Any) -> None:
    """Raise a `UserError` when a run's parameters would be ignored, or make a backfill one day."""
    given = getattr(run, "conf", None) or {}
    if unknown := sorted(set(given) - set(known)):
        raise UserError(
            f"this run was given the parameters {unknown}, which there are not; expected some of "
            f"{sorted(known)}. Trigger it again with corrected names."
        )
    if getattr(run, "run_type", None) == "backfill" and params.get("ds"):
        raise UserError(
            f"the backfill has the parameter ds = {params['ds']!r}, so that each of its runs would "
            "make the same day; expected it empty, and each run covers the day of its own date. "
            "Start the backfill again without ds, or trigger one run for the one day."
        )


class StepOperator(BaseOperator):
    """Run `python -m <module> <task_id> --ds D [options]` from the repository's root.

    options: the run's parameters that the command takes, each with its flag; one that is empty is
        left to the command's default
    only_if: a parameter without which the step is skipped
    links: buttons of the task in Airflow

    The interpreter is `COLDSTART_PYTHON`, else Airflow's own. The step learns Airflow's run id
    from `COLDSTART_AIRFLOW_RUN_ID`. Exit code 2 is a mistake that no retry corrects, in data or by
    the user; any other but 0 may be retried.
    """

    ui_color = "#e8f1f2"

    def __init__(
        self,
        *,
        module: str,
        options: Mapping[str, str] | None = None,
        only_if: str | None = None,
        links: Sequence[BaseOperatorLink] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.options = dict(options or {})
        self.only_if = only_if
        self.operator_extra_links = tuple(links)
        self.ds: date | None = None  # once it runs
        self._hook: SubprocessHook | None = None

    def execute(self, context: Context) -> None:
        """Run the step's command; raises Airflow's fail, skip or retry by its exit code."""
        params = context["params"]
        try:
            has_dag = self.has_dag()  # type: ignore[no-untyped-call]  # Airflow's has no types
            check_run(params, self.dag.params if has_dag else params, context["dag_run"])
            self.ds = ds = ds_of(params, context["dag_run"].logical_date)
        except UserError as error:
            raise AirflowFailException(str(error)) from None
        if self.only_if and not params[self.only_if]:
            raise AirflowSkipException(f"the parameter {self.only_if} of this run is off")
        self.run_argv(
            self.argv(ds, params),
            {**os.environ, **_warehouse(), "COLDSTART_AIRFLOW_RUN_ID": context["run_id"]},
        )
        for asset in self.outlets:
            context["outlet_events"][asset].extra = self._made(ds)

    def argv(self, ds: date, params: Mapping[str, Any]) -> list[str]:
        """The command for `ds`; a parameter of the run that is None leaves its flag out."""
        python = os.environ.get("COLDSTART_PYTHON") or sys.executable
        argv = [python, "-m", self.module, self.task_id, "--ds", str(ds)]
        for name, flag in self.options.items():
            if params[name] is not None:
                argv += [flag, str(params[name])]
        return argv

    def run_argv(self, argv: Sequence[str], environment: dict[str, str]) -> None:
        """Run a command to its end, its output in the task's log; raise when it fails."""
        started = time.time()
        self._hook = SubprocessHook()
        result = self._hook.run_command(list(argv), env=environment, cwd=str(REPOSITORY))
        if result.exit_code == 0:
            return
        # Airflow keeps the last line of what the step says, and most reasons have several.
        reason = next((e["message"] for e in self._entries("failed", started)), result.output)
        message = f"{self.task_id} ended with exit code {result.exit_code}: {reason}"
        if result.exit_code == USER_MISTAKE_EXIT_CODE:
            raise AirflowFailException(message)
        raise AirflowException(message)

    def on_kill(self) -> None:
        """End the step's whole process group, so that no retry runs beside it."""
        process = self._hook.sub_process if self._hook else None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(KILL_AFTER_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def _made(self, ds: date) -> dict[str, Any]:
        """The step's last entry in the journal, for tasks that consume what it made."""
        last = self._entries("finished")[-1]
        return {"ds": str(ds), **{k: v for k, v in last.items() if k not in _BOOKKEEPING}}

    def _entries(self, event: str, since: float = 0) -> list[dict[str, Any]]:
        """What the step's journal says of such events; nothing before the step has a day."""
        if self.ds is None:
            return []
        entries = journal.read(Settings.from_environment().journals, self.ds)
        own = [e for e in entries if (e["step"], e["event"]) == (self.task_id, event)]
        return [entry for entry in own if entry["at"] >= since]


_BOOKKEEPING = {"step", "ds", "at", "event"}


def _warehouse() -> dict[str, str]:
    """The warehouse of the Airflow connection that `COLDSTART_WAREHOUSE_CONNECTION` names, if any.

    A step gets it in its environment, which no log and no list of processes shows.
    """
    name = variables().get("COLDSTART_WAREHOUSE_CONNECTION")
    return {"COLDSTART_WAREHOUSE": BaseHook.get_connection(name).get_uri()} if name else {}
