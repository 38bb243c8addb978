import json
import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import step_operator
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from step_operator import StepOperator, ds_of

from schemas.errors import UserError
from schemas.run import journal
from schemas.run.settings import REPOSITORY, Settings
from schemas.warehouse.uri import WarehouseUri

LOGICAL_DATE = datetime(1998, 3, 31, tzinfo=UTC)
IN_TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("params", "logical_date", "expected"),
    [
        ({"ds": "1998-04-10"}, LOGICAL_DATE, "1998-04-10"),  # the parameter wins
        ({"ds": "1998-04-10"}, None, "1998-04-10"),
        ({"ds": None}, LOGICAL_DATE, "1998-03-31"),
        ({}, LOGICAL_DATE, "1998-03-31"),
        ({"ds": None}, datetime(1998, 4, 1, 8, tzinfo=IN_TOKYO), "1998-03-31"),  # days are UTC
    ],
)
def test_ds(params: dict[str, Any], logical_date: datetime | None, expected: str) -> None:
    assert str(ds_of(params, logical_date)) == expected


@pytest.mark.parametrize(
    ("params", "message"), [({"ds": None}, "neither"), ({"ds": "31.3.1998"}, "'31.3.1998'")]
)
def test_no_ds(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ds_of(params, None)


def operator() -> StepOperator:
    options = {"model": "--model", "epochs": "--epochs"}
    return StepOperator(task_id="gate", module="jobs", options=options)


def context(**params: Any) -> Any:
    dag_run = SimpleNamespace(logical_date=None)
    return {
        "params": {"model": "melu", "epochs": None, **params},
        "dag_run": dag_run,
        "run_id": "manual__1",
    }


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a stand-in for the step's interpreter writes down how it was called."""
    file, python = tmp_path / "seen.json", tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv[1:], os.getcwd(), dict(os.environ)], open({str(file)!r}, 'w'))\n"
    )
    python.chmod(0o755)
    monkeypatch.setenv("COLDSTART_PYTHON", str(python))
    return file


def test_a_step_is_one_argument_list_and_never_meets_a_shell(seen: Path) -> None:
    operator().execute(context(ds="1998-03-31", model="; touch hacked"))
    argv, folder, environment = json.loads(seen.read_text())
    assert argv == ["-m", "jobs", "gate", "--ds", "1998-03-31", "--model", "; touch hacked"]
    assert folder == str(REPOSITORY)
    assert environment["COLDSTART_AIRFLOW_RUN_ID"] == "manual__1"
    assert not (REPOSITORY / "hacked").exists()


def test_an_asset_event_has_the_day_and_what_was_made(
    seen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last run of the day counts, and what the step itself said of it."""
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path))
    journals = Settings.from_environment().journals
    for rows in (1, 2):
        with journal.step(journals, "gate", LOGICAL_DATE.date()) as record:
            record.rows_out, record.facts["metrics"] = rows, {"mae": 0.8}
    asset = Asset(name="made", uri="coldstart://lake/made")
    task = StepOperator(task_id="gate", module="jobs", outlets=[asset])
    events = {asset: SimpleNamespace(extra=None)}
    task.execute({**context(ds="1998-03-31"), "outlet_events": events})
    told = events[asset].extra
    assert told.pop("seconds") >= 0
    assert told == {"ds": "1998-03-31", "rows_in": None, "rows_out": 2, "metrics": {"mae": 0.8}}


def test_the_whole_reason_of_a_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not its last line alone, nor that of the try before."""
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path))
    journals, ds = Settings.from_environment().journals, LOGICAL_DATE.date()
    with pytest.raises(UserError), journal.step(journals, "gate", ds):
        raise UserError("the try before")
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from datetime import date\nfrom pathlib import Path\nfrom schemas.run import journal\n"
        f"with journal.step(Path({str(journals)!r}), 'gate', date(1998, 3, 31)):\n"
        "    sys.exit('the rule\\nand what to do')\n"
    )
    python.chmod(0o755)
    monkeypatch.setenv("COLDSTART_PYTHON", str(python))
    with pytest.raises(AirflowException) as raised:
        operator().execute(context(ds="1998-03-31"))
    assert str(raised.value) == "gate ended with exit code 1: the rule\nand what to do"


def test_a_step_that_is_off_is_skipped(seen: Path) -> None:
    task = StepOperator(task_id="publish", module="jobs", only_if="publish")
    with pytest.raises(AirflowSkipException, match="the parameter publish of this run is off"):
        task.execute(context(ds="1998-03-31", publish=False))
    assert not seen.exists()
    task.execute(context(ds="1998-03-31", publish=True))
    assert seen.exists()


def test_the_warehouse_may_be_an_airflow_connection(
    seen: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    uri = "postgres://coldstart_writer:hunter2%2F%25@db:5432/shop?sslmode=verify-full"
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_WAREHOUSE", uri)
    monkeypatch.setenv("COLDSTART_WAREHOUSE_CONNECTION", "shop_warehouse")
    with caplog.at_level("DEBUG"):
        operator().execute(context(ds="1998-03-31"))
    argv, _, environment = json.loads(seen.read_text())
    found = WarehouseUri.parse(environment["COLDSTART_WAREHOUSE"])
    assert str(found) == "postgresql://coldstart_writer@db:5432/shop?sslmode=verify-full"
    assert "hunter2/%" in found.secrets
    assert "hunter2" not in " ".join(argv)
    assert "hunter2" not in caplog.text


def test_without_a_day_the_step_does_not_start(seen: Path) -> None:
    with pytest.raises(AirflowFailException, match="neither the parameter ds nor a logical date"):
        operator().execute(context(ds=None))
    assert not seen.exists()


@pytest.mark.parametrize(("code", "error"), [(2, AirflowFailException), (1, AirflowException)])
def test_a_failing_step_fails_the_task(code: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"gate ended with exit code {code}: too few rows") as raised:
        operator().run_argv(["sh", "-c", f"echo too few rows; exit {code}"], dict(os.environ))
    assert type(raised.value) is error


def test_killing_the_task_ends_the_steps_whole_process_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_operator, "KILL_AFTER_SECONDS", 0.3)
    task, pids = operator(), tmp_path / "pids"
    stubborn = f"trap '' TERM; sleep 60 & echo $$ $! > {pids}; wait; sleep 60"
    arguments = (["sh", "-c", stubborn], dict(os.environ))

    def run() -> None:
        with pytest.raises(AirflowException):
            task.run_argv(*arguments)

    step = threading.Thread(target=run)
    step.start()
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    task.on_kill()
    step.join(5)
    assert not step.is_alive()
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()))


def test_killing_a_task_that_has_not_started_is_no_error() -> None:
    operator().on_kill()


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition: Any, timeout_seconds: float = 5) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)
