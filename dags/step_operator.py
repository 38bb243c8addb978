"""Runs one step of the night as a command line of its own, without a shell in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from schemas.errors import UserError
from schemas.settings import REPOSITORY, parse_ds

if TYPE_CHECKING:
    from airflow.sdk import Context

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
    return logical_date.astimezone(UTC).date()


class StepOperator(BaseOperator):
    """Run `python -m <module> <command> --ds D [--model M]` from the repository's root.

    The interpreter is `COLDSTART_PYTHON`, else Airflow's own. The step learns Airflow's run id
    from `COLDSTART_AIRFLOW_RUN_ID`. Exit code 2 is the user's mistake, which no retry mends; any
    other but 0 may be retried.
    """

    ui_color = "#e8f1f2"

    def __init__(
        self, *, module: str, command: str, takes_model: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.command = command
        self.takes_model = takes_model
        self._hook: SubprocessHook | None = None

    def execute(self, context: Context) -> None:
        try:
            ds = ds_of(context["params"], context["dag_run"].logical_date)
        except UserError as error:
            raise AirflowFailException(str(error)) from None
        self.run_argv(
            self.argv(ds, context["params"]["model"]),
            {**os.environ, **_warehouse(), "COLDSTART_AIRFLOW_RUN_ID": context["run_id"]},
        )

    def argv(self, ds: date, model: str) -> list[str]:
        python = os.environ.get("COLDSTART_PYTHON") or sys.executable
        argv = [python, "-m", self.module, self.command, "--ds", str(ds)]
        return [*argv, "--model", model] if self.takes_model else argv

    def run_argv(self, argv: Sequence[str], environment: dict[str, str]) -> None:
        """Run a command to its end, its output in the task's log; raise when it fails."""
        self._hook = SubprocessHook()
        result = self._hook.run_command(list(argv), env=environment, cwd=str(REPOSITORY))
        if result.exit_code == 0:
            return
        message = f"{self.command} ended with exit code {result.exit_code}: {result.output}"
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


def _warehouse() -> dict[str, str]:
    """The warehouse of the Airflow connection that `COLDSTART_WAREHOUSE_CONNECTION` names, if any.

    A step is told in its environment, which no log and no list of processes shows.
    """
    name = os.environ.get("COLDSTART_WAREHOUSE_CONNECTION")
    return {"COLDSTART_WAREHOUSE": BaseHook.get_connection(name).get_uri()} if name else {}


def job(task_id: str, doc_md: str) -> StepOperator:
    """A task on tables: `python -m jobs <task-id> --ds D`."""
    return StepOperator(
        task_id=task_id, module="jobs", command=task_id.replace("_", "-"), doc_md=doc_md
    )


def model_job(task_id: str, doc_md: str) -> StepOperator:
    """A task on the tables of one model: `python -m jobs <task-id> --ds D --model M`."""
    command = task_id.replace("_", "-")
    return StepOperator(
        task_id=task_id, module="jobs", command=command, takes_model=True, doc_md=doc_md
    )


def model_step(task_id: str, command: str, doc_md: str) -> StepOperator:
    """A task of the model itself: `python -m meta_model <command> --ds D --model M`."""
    return StepOperator(
        task_id=task_id, module="meta_model", command=command, takes_model=True, doc_md=doc_md
    )
