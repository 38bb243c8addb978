"""The promises of a night, on real data: reruns repeat, later data changes nothing earlier.

The tests of this file tell one story in one home, in order: a night, a later night with later
data, the first night again, and then nights that go wrong.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from jobs.warehouse import open_reader
from schemas.pipeline import BUILD_EPISODES, INGEST, META_TRAIN, PUBLISH, SCORE_COLD_USERS
from schemas.run import journal
from schemas.run.settings import REPOSITORY
from schemas.step import Step
from tests.e2e.conftest import Home

EARLY, LATE = date(1998, 3, 31), date(1998, 4, 10)
EVERY = 4  # of the users: enough for lists to be judged by some of them


@pytest.fixture(scope="module")
def first_night(home: Home) -> tuple[dict[str, list[tuple]], dict[str, list[tuple]]]:
    home.cut(until=date(1998, 4, 2), every=EVERY)
    home.night(EARLY)
    return home.in_lake(EARLY), home.published(EARLY)


def test_a_night_publishes_every_table(first_night) -> None:
    _, published = first_night
    assert {name: bool(rows) for name, rows in published.items()} == {
        "evidence_items": True,
        "evidence_quality": True,
        "cold_user_scores": True,
        "model_metrics": True,
        "list_quality": True,
        "publications": True,
    }


def test_every_row_of_the_source_is_accounted_for(home: Home, first_night) -> None:
    lines = (home.settings.source / "ml-100k.inter").read_text().splitlines()
    counts = "rows_read, rows_kept, rows_quarantined, rows_left_out, interactions"
    with open_reader(home.settings.warehouse) as warehouse:
        sql = f"SELECT {counts} FROM coldstart.publications WHERE ds = $1"
        [(read, kept, quarantined, left_out, interactions)] = warehouse.rows(sql, EARLY)
    assert read == len(lines) - 1 == kept + quarantined + left_out
    assert kept == interactions
    assert left_out > 0


def test_later_data_changes_nothing_of_an_earlier_day(home: Home, first_night) -> None:
    home.cut(until=date(1998, 4, 22), every=EVERY)
    home.night(LATE)
    home.night(EARLY)
    in_lake, published = first_night
    again = home.in_lake(EARLY)
    assert again.keys() == in_lake.keys()
    for name, rows in in_lake.items():
        assert again[name] == rows, name
    for name, rows in home.published(EARLY).items():
        assert rows == published[name], name


def test_an_older_day_published_later_is_not_the_latest(home: Home) -> None:
    with open_reader(home.settings.warehouse) as warehouse:
        days = warehouse.rows(
            "select distinct ds from coldstart.latest_cold_user_scores "
            "union all select distinct ds from coldstart.latest_evidence_items"
        )
    assert days == [(LATE,), (LATE,)]


def test_a_killed_step_leaves_the_partition_and_the_next_run_repairs_it(home: Home) -> None:
    before = home.in_lake(EARLY)
    argv = [sys.executable, "-m", "jobs", BUILD_EPISODES.name, "--ds", str(EARLY)]
    process = subprocess.Popen(argv, env=home.environment, cwd=REPOSITORY)
    drafts = home.lake.root / ".versions" / "episodes" / f"ds={EARLY}"
    deadline = time.monotonic() + 120
    while len(list(drafts.iterdir())) < 2:  # the version in force, and the new one being written
        assert time.monotonic() < deadline, "no draft appeared"
        assert process.poll() is None, "the step ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert home.in_lake(EARLY) == before
    home.step(BUILD_EPISODES, EARLY)
    assert home.in_lake(EARLY) == before
    assert len(list(drafts.iterdir())) == 1


def test_a_full_disk_is_reported_and_leaves_everything(home: Home) -> None:
    """A file-size limit stands for the full disk: the kernel refuses the bytes just the same."""

    def allow_no_large_file() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    before = home.in_lake(EARLY), home.published(EARLY)
    for step in (SCORE_COLD_USERS, PUBLISH):
        done = subprocess.run(
            [sys.executable, "-m", step.program, step.name, "--ds", str(EARLY)],
            env={**home.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            preexec_fn=allow_no_large_file,
        )
        assert done.returncode == 1, done.stderr
        assert "the disk is full or a file-size limit is reached" in done.stderr
        assert "Traceback" not in done.stderr
        assert (home.in_lake(EARLY), home.published(EARLY)) == before
    home.step(SCORE_COLD_USERS, EARLY)
    home.step(PUBLISH, EARLY)
    assert home.published(EARLY) == before[1]


@pytest.mark.longest  # a night of its own; tests/jobs has empty products
def test_a_day_without_cold_users_publishes_an_empty_list(home: Home) -> None:
    home.cut(until=date(1998, 4, 22), every=EVERY, cold_max=0)
    home.night(LATE)
    published = home.published(LATE)
    assert published["cold_user_scores"] == []
    assert published["evidence_items"]
    with open_reader(home.settings.warehouse) as warehouse:
        assert warehouse.rows("select * from coldstart.latest_cold_user_scores") == []
        latest = warehouse.rows("select max(ds) from coldstart.latest_evidence_items")
        assert latest == [(LATE,)]


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("step", [INGEST, META_TRAIN], ids=lambda step: step.name)
def test_a_wrong_date_is_a_message_and_no_traceback(step: Step) -> None:
    argv = [sys.executable, "-m", step.program, step.name, "--ds", "31.3.1998"]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 2
    assert "ds is '31.3.1998', which is not a date; expected YYYY-MM-DD" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_journal_has_each_step_with_its_rows(home: Home, first_night) -> None:
    entries = journal.read(home.settings.journals, EARLY)
    finished = {entry["step"] for entry in entries if entry["event"] == "finished"}
    assert finished == {
        *("ingest", "check_interactions", "build_profiles", "build_episodes"),
        *("build_metapaths", "check_features"),
        *("meta_train", "evaluate", "gate", "select_evidence", "score_cold_users"),
        *("check_outputs", "publish", "report"),
    }
