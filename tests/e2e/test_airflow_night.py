"""Nights through Airflow, by the command that `make nightly` runs, from an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import psutil
import pytest

from jobs.warehouse import open_reader
from schemas.pipeline import NIGHT
from schemas.run import journal
from schemas.run.settings import REPOSITORY, Settings
from tests.e2e.conftest import Home
from tests.suite.spark import OF_TESTS

DS = date(1998, 3, 31)


@pytest.fixture(scope="module")
def airflow_home(tmp_path_factory: pytest.TempPathFactory, movielens: Path) -> Home:
    folder = tmp_path_factory.mktemp("airflow-night")
    settings = Settings.from_environment(
        {"COLDSTART_HOME": str(folder / "home"), "COLDSTART_SOURCE": str(folder / "source")}
    )
    made = Home(settings=settings, movielens=movielens)
    made.cut(until=DS, every=1)  # as README has it: the gate decides by rules, and fewer are chance
    return made


def _nightly(home: Home, ds: str) -> subprocess.CompletedProcess[str]:
    """Run a night in an environment without the servers of the test run."""
    foreign = ("COLDSTART_SPARK", "SPARK_", "AIRFLOW")
    own = {k: v for k, v in home.environment.items() if not k.startswith(foreign)}
    return subprocess.run(
        [sys.executable, "-m", "local", "nightly", "--ds", ds],
        env={**own, **OF_TESTS},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )


def test_a_night_from_an_empty_home(airflow_home: Home) -> None:
    home = airflow_home
    done = _nightly(home, str(DS))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    entries = journal.read(home.settings.journals, DS)
    finished = {entry["step"] for entry in entries if entry["event"] == "finished"}
    assert finished == {step.name for step in NIGHT}
    for said in (*finished, "of which orchestration", "show these to new users", "user_cold"):
        assert said in done.stdout, said
    assert "Traceback" not in done.stdout + done.stderr

    published = home.published(DS)
    of_all = [row for row in published["evidence_items"] if row[1] == "all"]
    assert len(of_all) == 20
    assert len(published["cold_user_scores"]) >= 20
    with open_reader(home.settings.warehouse) as warehouse:
        [(run_id,)] = warehouse.rows("SELECT airflow_run_id FROM coldstart.publications")
    assert run_id is not None
    assert (home.settings.reports / f"ds={DS}.html").exists()
    assert _of_home(home) == []


def test_a_day_before_all_events_fails_in_words(airflow_home: Home) -> None:
    """Airflow calls a run without a task a success: the day must not lie before the DAG begins."""
    before = _days_in_force(airflow_home)
    done = _nightly(airflow_home, "1990-01-01")
    assert done.returncode == 1
    assert "ingest failed: ds 1990-01-01 lies before the first event" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert _days_in_force(airflow_home) == before
    assert _of_home(airflow_home) == []


def _days_in_force(home: Home) -> list[tuple[str, ...]]:
    """What is published, and each partition of the lake with its version."""
    found = [(str(link), str(link.resolve())) for link in home.lake.root.glob("[!.]*/ds=*")]
    if home.settings.warehouse.path.exists():
        with open_reader(home.settings.warehouse) as warehouse:
            found += warehouse.rows("SELECT ds, run_id FROM coldstart.publications")
    return sorted(found, key=str)


def _of_home(home: Home) -> list[str]:
    """The command lines of processes that still belong to the home."""
    folder = str(home.settings.home)
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "environ"])
        if process.pid != os.getpid()
        and (process.info["environ"] or {}).get("COLDSTART_HOME") == folder
    ]
