"""`make backfill`: past days by Airflow's own backfill, without its web interface."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from jobs.warehouse import open_reader
from schemas.run.settings import REPOSITORY, Settings
from tests.e2e.conftest import Home
from tests.suite.spark import OF_TESTS

FIRST, LAST = date(1998, 3, 30), date(1998, 3, 31)


@pytest.fixture
def airflow_home(tmp_path: Path, movielens: Path) -> Home:
    settings = Settings.from_environment(
        {"COLDSTART_HOME": str(tmp_path / "home"), "COLDSTART_SOURCE": str(tmp_path / "source")}
    )
    made = Home(settings=settings, movielens=movielens)
    made.cut(until=LAST, every=1)
    return made


@pytest.mark.longest  # two whole nights; tests/ui has a backfill of two small ones
def test_two_days_by_the_command(airflow_home: Home) -> None:
    foreign = ("COLDSTART_SPARK", "SPARK_", "AIRFLOW")
    own = {k: v for k, v in airflow_home.environment.items() if not k.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "-m", "local", "backfill", "--from", str(FIRST), "--to", str(LAST)],
        env={**own, **OF_TESTS},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr
    with open_reader(airflow_home.settings.warehouse) as warehouse:
        days = warehouse.rows("SELECT ds FROM coldstart.publications ORDER BY ds")
        [(latest,)] = warehouse.rows("SELECT DISTINCT ds FROM coldstart.latest_evidence_items")
    assert days == [(FIRST,), (LAST,)]
    assert latest == LAST
