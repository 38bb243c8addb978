"""Publishing replaces one ds, whole or not at all, and nobody ever sees a half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date

import duckdb
import pytest

from jobs import gate, publish, warehouse
from schemas.errors import UserError
from schemas.settings import REPOSITORY
from tests.jobs.night import DS, RUN, Night

LATER = date(1998, 4, 10)
TABLES = ("evidence_items", "cold_user_scores", "model_metrics")


def _publish(night: Night) -> None:
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), "melu")
    publish.run(night.settings, night.ds, night.record("publish"), "melu")


def _rows(night: Night, table: str, ds: date | None = None) -> list[tuple]:
    where = "" if ds is None else f"WHERE ds = '{ds}'"
    with warehouse.open_reader(night.settings.warehouse) as connection:
        return connection.execute(
            f"SELECT * FROM coldstart.{table} {where} ORDER BY ALL"
        ).fetchall()


def _titles(night: Night, view: str = "latest_evidence_items") -> list[str]:
    with warehouse.open_reader(night.settings.warehouse) as connection:
        return [
            row[0] for row in connection.execute(f"SELECT item_id FROM coldstart.{view}").fetchall()
        ]


def test_the_same_ds_twice_gives_the_same_rows(night, monkeypatch):
    monkeypatch.setenv("COLDSTART_AIRFLOW_RUN_ID", "scheduled__1998-03-31")
    _publish(night)
    first = {table: _rows(night, table) for table in TABLES}
    assert [len(first[table]) for table in TABLES] == [2, 3, 8]
    assert first["cold_user_scores"][0] == (
        DS, "u2", 1, "i3", 4.0, 3, True, "melu", RUN["model_version"], RUN["run_id"],
    )  # fmt: skip
    _publish(night)
    assert {table: _rows(night, table) for table in TABLES} == first
    [publication] = _rows(night, "publications")
    assert publication[:8] == (
        DS, "ml-100k", "melu", RUN["model_version"], RUN["run_id"], 2, 3, 8,
    )  # fmt: skip
    assert publication[8:12] == (6, 0, 1, None)  # interactions, late ones, revision, what before
    assert publication[12].startswith("passed: every metric is a finite number")
    assert publication[14] == "scheduled__1998-03-31"
    assert [path.name for path in night.settings.warehouse.parent.glob(".warehouse*")] == [
        ".warehouse.duckdb.lock"
    ]


def test_what_late_data_changed_is_visible(night):
    columns = "interactions, late_interactions, revision, replaced_run_id"

    def published():
        with warehouse.open_reader(night.settings.warehouse) as connection:
            return connection.execute(f"SELECT {columns} FROM coldstart.publications").fetchall()

    _publish(night)
    night.rows["user_profiles"][0]["n_interactions"] += 3
    _publish(night)
    assert published() == [(9, 3, 2, RUN["run_id"])]
    _publish(night)
    assert published() == [(9, 3, 2, RUN["run_id"])], "the same once more is no revision"
    night.rows["user_profiles"][0]["n_interactions"] -= 1
    _publish(night)
    assert published() == [(8, 2, 3, RUN["run_id"])]


def test_one_ds_is_replaced_and_an_older_one_never_becomes_the_latest(night):
    night.ds = LATER
    _publish(night)
    later = _rows(night, "evidence_items", LATER)
    night.ds = DS
    night.rows["evidence_items"] = night.rows["evidence_items"][:1]
    night.rows["evidence_items"][0]["item_id"] = "i4"
    _publish(night)
    assert _rows(night, "evidence_items", LATER) == later
    assert len(_rows(night, "evidence_items", DS)) == 1
    assert _titles(night) == ["i1", "i2"]
    night.ds = LATER
    _publish(night)
    assert _titles(night) == ["i4"]
    assert len(_rows(night, "publications")) == 2


def test_a_day_without_cold_users_is_published_whole(night):
    _publish(night)
    night.ds = LATER
    night.rows["cold_user_scores"] = []
    _publish(night)
    assert _titles(night, "latest_cold_user_scores") == []
    assert _titles(night) == ["i1", "i2"]
    assert len(_rows(night, "cold_user_scores")) == 3


def test_a_failure_in_the_transaction_leaves_the_old_warehouse(night, monkeypatch):
    _publish(night)
    before = night.settings.warehouse.read_bytes()
    replace_rows = warehouse.replace_rows

    def fails_at_the_last_table(connection, table, ds, rows):
        if table.name == "publications":
            raise OSError(28, "No space left on device")
        replace_rows(connection, table, ds, rows)

    monkeypatch.setattr(warehouse, "replace_rows", fails_at_the_last_table)
    night.rows["evidence_items"] = night.rows["evidence_items"][:1]
    with pytest.raises(OSError, match="No space left"):
        _publish(night)
    assert night.settings.warehouse.read_bytes() == before
    assert not list(night.settings.home.glob(".warehouse.duckdb.draft*"))


KILLED = """
import sys, time
from pathlib import Path
from jobs import warehouse
with warehouse.replacing(Path(sys.argv[1])) as connection:
    connection.execute("DELETE FROM coldstart.evidence_items")
    print("in the transaction", flush=True)
    time.sleep(60)
"""


def test_a_kill_in_mid_publication_leaves_the_old_and_the_next_run_succeeds(night):
    _publish(night)
    before = night.settings.warehouse.read_bytes()
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(night.settings.warehouse)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    )
    assert child.stdout.readline() == "in the transaction\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert (night.settings.home / ".warehouse.duckdb.draft").exists()
    assert night.settings.warehouse.read_bytes() == before
    night.ds = LATER
    _publish(night)
    assert not (night.settings.home / ".warehouse.duckdb.draft").exists()
    assert len(_rows(night, "evidence_items")) == 4


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for _ in range(2):
    rows = connection.execute("SELECT count(*) FROM coldstart.evidence_items").fetchone()[0]
    print(rows, flush=True)
    sys.stdin.readline()
"""


def test_an_open_reader_keeps_the_old_content_and_blocks_nobody(night):
    _publish(night)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(night.settings.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "2\n"
    night.ds = LATER
    _publish(night)
    reader.stdin.write("\n")
    reader.stdin.flush()
    assert reader.stdout.readline() == "2\n"
    reader.communicate("\n")
    assert len(_rows(night, "evidence_items")) == 4


WRITER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
"""


def test_an_open_writer_is_named_with_what_to_do(night):
    _publish(night)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(night.settings.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "open\n"
    with pytest.raises(UserError, match="close it there: analysts open it with read_only=True"):
        _publish(night)
    writer.communicate("\n")
    _publish(night)


def test_what_a_killed_writer_left_beside_the_file_is_kept(night):
    """A write-ahead log belongs to the rows; the copy must take it along."""
    _publish(night)
    killed = (
        "import duckdb, os, signal, sys\n"
        "c = duckdb.connect(sys.argv[1])\n"
        "c.execute('CREATE TABLE notes AS SELECT 42 AS answer')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed, str(night.settings.warehouse)])
    log = night.settings.warehouse.with_name("warehouse.duckdb.wal")
    assert log.exists()
    night.ds = LATER
    _publish(night)
    assert not log.exists()
    with warehouse.open_reader(night.settings.warehouse) as connection:
        assert connection.execute("SELECT answer FROM notes").fetchall() == [(42,)]


def test_a_kill_after_the_commit_leaves_nothing_that_a_later_run_takes_for_its_own(night):
    _publish(night)
    draft = night.settings.home / ".warehouse.duckdb.draft"
    draft.write_bytes(night.settings.warehouse.read_bytes())
    killed = (
        "import duckdb, os, signal, sys\n"
        "c = duckdb.connect(sys.argv[1])\n"
        "c.execute('DELETE FROM coldstart.evidence_items')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed, str(draft)])
    assert draft.with_name(".warehouse.duckdb.draft.wal").exists()
    night.ds = LATER
    _publish(night)
    assert len(_rows(night, "evidence_items")) == 4
    assert not list(night.settings.home.glob(".warehouse.duckdb.draft*"))


def test_two_publications_wait_for_each_other(night):
    _publish(night)
    code = KILLED.replace("DELETE FROM", "SELECT * FROM").replace("sleep(60)", "sleep(1)")
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(night.settings.warehouse)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    )
    assert child.stdout.readline() == "in the transaction\n"
    started = time.monotonic()
    night.ds = LATER
    _publish(night)
    assert time.monotonic() - started > 0.5
    assert child.wait() == 0
    assert len(_rows(night, "publications")) == 2


def test_another_data_set_is_refused(night):
    _publish(night)
    spec = night.settings.lake / "dataset.toml"
    spec.write_text(spec.read_text().replace('name = "ml-100k"', 'name = "books"'))
    with pytest.raises(
        UserError, match=r"holds the data set 'ml-100k'.*'books'.*COLDSTART_WAREHOUSE"
    ):
        _publish(night)


def test_nothing_is_published_without_a_passed_gate_for_this_run(night):
    def publish_now():
        publish.run(night.settings, night.ds, night.record("publish"), "melu")

    night.write()
    with pytest.raises(UserError, match="no gate has decided on ds 1998-03-31"):
        publish_now()
    for row in night.rows["model_metrics"]:
        row["value"] = row["value"] if row["metric"] != "adaptation_gain" else -1.0
    night.write()
    with pytest.raises(UserError, match="the gate refuses melu"):
        gate.run(night.settings, night.ds, night.record("gate"), "melu")
    with pytest.raises(UserError, match="the gate refused melu"):
        publish_now()
    file = night.settings.home / "gates" / "ds=1998-03-31.json"
    file.write_text(file.read_text().replace(RUN["run_id"], "an-older-run"))
    with pytest.raises(
        UserError, match="decided on melu, run an-older-run; expected melu, run 1998"
    ):
        publish_now()
    assert not night.settings.warehouse.exists()


def test_products_of_two_runs_are_refused(night):
    night.rows["cold_user_scores"][0]["run_id"] = "another"
    with pytest.raises(
        UserError, match=r"not of one run of melu: .*cold_user_scores.run_id = another"
    ):
        _publish(night)


def test_a_warehouse_of_another_version_is_refused(night):
    with duckdb.connect(str(night.settings.warehouse)) as connection:
        connection.execute("CREATE SCHEMA coldstart")
        connection.execute("CREATE TABLE coldstart.publications (ds DATE, run INTEGER)")
    with pytest.raises(UserError, match=r"made by another version: .*publications: column"):
        _publish(night)


def test_hostile_text_round_trips(night):
    hostile = "'; DROP TABLE coldstart.publications; -- \"\u202eé🎬"
    night.rows["evidence_items"][0].update(title=hostile, item_id=hostile)
    _publish(night)
    assert _titles(night)[0] == hostile
