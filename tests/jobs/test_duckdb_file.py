"""The embedded warehouse is one file: who has it open, what a killed writer leaves beside it."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import date

import pytest

from jobs.steps import gate
from schemas.errors import UserError
from schemas.run.settings import REPOSITORY
from tests.jobs.night import MODEL, Night

pytestmark = pytest.mark.usefixtures("process")

LATER = date(1998, 4, 10)


def _count(night: Night) -> int:
    return night.ask("SELECT count(*) FROM coldstart.evidence_items")[0][0]


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for _ in range(2):
    rows = connection.execute("SELECT count(*) FROM coldstart.evidence_items").fetchone()[0]
    print(rows, flush=True)
    sys.stdin.readline()
"""


def test_an_open_reader_keeps_the_old_content_and_blocks_nobody(night):
    night.publish()
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(night.settings.warehouse.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "2\n"
    night.ds = LATER
    night.publish()
    reader.stdin.write("\n")
    reader.stdin.flush()
    assert reader.stdout.readline() == "2\n"
    reader.communicate("\n")
    assert _count(night) == 4


def test_who_may_read_the_file_may_read_the_next_one(night, tmp_path):
    night.publish()
    path = night.settings.warehouse.path
    path.chmod(0o640)
    elsewhere = tmp_path / "elsewhere.duckdb"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    night.ds = LATER
    night.publish()
    assert path.is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640
    assert _count(night) == 4


def test_two_days_published_at_once_are_both_there(night):
    """Each run replaces the whole file: without a lock the second to end undoes the first."""
    days = (night.ds, LATER)
    for ds in days:
        night.ds = ds
        night.write()
        gate.run(night.settings, ds, night.record("gate"), MODEL)
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "jobs", "publish", "--ds", str(ds), "--model", MODEL],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        for ds in days
    ]
    for run in runs:
        _, said = run.communicate()
        assert run.returncode == 0, said
    assert night.ask("SELECT ds FROM coldstart.publications ORDER BY ds") == [(d,) for d in days]
    assert _count(night) == 4


WRITER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
"""


def test_an_open_writer_is_named_with_what_to_do(night):
    night.publish()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(night.settings.warehouse.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "open\n"
    with pytest.raises(UserError, match="close it there: analysts open it read-only"):
        night.publish()
    writer.communicate("\n")
    night.publish()


@pytest.mark.parametrize("is_link", [False, True])
def test_what_a_killed_writer_left_beside_the_file_is_kept(night, is_link):
    """A write-ahead log belongs to the rows; the copy must take it along."""
    night.publish()
    file = night.settings.warehouse.path
    if is_link:
        file = file.rename(file.with_name("real.duckdb"))
        night.settings.warehouse.path.symlink_to(file)
    killed = (
        "import duckdb, os, signal, sys\n"
        "c = duckdb.connect(sys.argv[1])\n"
        "c.execute('CREATE TABLE notes AS SELECT 42 AS answer')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed, str(night.settings.warehouse.path)])
    log = file.with_name(f"{file.name}.wal")
    assert log.exists()
    night.ds = LATER
    night.publish()
    assert not log.exists()
    assert night.ask("SELECT answer FROM notes") == [(42,)]


def test_a_kill_after_the_commit_leaves_nothing_that_a_later_run_takes_for_its_own(night):
    night.publish()
    draft = night.settings.home / ".warehouse.duckdb.draft"
    draft.write_bytes(night.settings.warehouse.path.read_bytes())
    killed = (
        "import duckdb, os, signal, sys\n"
        "c = duckdb.connect(sys.argv[1])\n"
        "c.execute('DELETE FROM coldstart_data.evidence_items')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed, str(draft)])
    assert draft.with_name(".warehouse.duckdb.draft.wal").exists()
    night.ds = LATER
    night.publish()
    assert _count(night) == 4
    assert not list(night.settings.home.glob(".warehouse.duckdb.draft*"))
