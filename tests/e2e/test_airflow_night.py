"""A night through Airflow, by the command that `make nightly` runs, from an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import psutil

from schemas import journal
from schemas.settings import REPOSITORY, Settings
from tests.e2e.conftest import STEPS, Home

DS = date(1998, 3, 31)
NAMES = {"train": "meta_train", "evidence": "select_evidence", "score": "score_cold_users"}


def test_a_night_from_an_empty_home(tmp_path: Path, movielens: Path) -> None:
    settings = Settings.from_environment(
        {"COLDSTART_HOME": str(tmp_path / "home"), "COLDSTART_SOURCE": str(tmp_path / "source")}
    )
    home = Home(settings=settings, movielens=movielens)
    home.cut(until=DS)
    foreign = ("COLDSTART_SPARK", "SPARK_", "AIRFLOW")
    clean = {name: v for name, v in home.environment.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "-m", "local", "nightly", "--ds", str(DS)],
        env=clean,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    entries = journal.read(settings.journals, DS)
    finished = {entry["step"] for entry in entries if entry["event"] == "finished"}
    assert finished == {NAMES.get(name, name.replace("-", "_")) for _, name in STEPS}
    for said in (*finished, "of which orchestration", "show these to new users", "user_cold"):
        assert said in done.stdout, said
    assert "Traceback" not in done.stdout + done.stderr

    published = home.published(DS)
    assert len(published["evidence_items"]) == 20
    assert len(published["cold_user_scores"]) >= 20
    assert published["publications"][0][-1] is not None  # Airflow's run id
    assert _of_home(tmp_path) == []


def _of_home(home: Path) -> list[str]:
    """The command lines of processes that still belong to the home."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "environ"])
        if process.pid != os.getpid()
        and (process.info["environ"] or {}).get("COLDSTART_HOME", "").startswith(str(home))
    ]
