"""Whatever ends a publication, and whoever is beside it: nothing lost, nothing doubled, no half."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import date
from functools import partial

import pyarrow.parquet as pq
import pytest

from jobs import warehouse
from jobs.steps import gate, publish
from jobs.warehouse import partitions, structure
from jobs.warehouse.connection import Connection
from jobs.warehouse.partitions import PartitionedPublication
from jobs.warehouse.publication import Publication
from schemas.errors import PassingError, UserError
from schemas.run import command_line
from schemas.run.settings import REPOSITORY
from schemas.warehouse.stored import STORED_PRODUCTS
from schemas.warehouse.uri import DUCKDB, WarehouseUri
from tests.jobs.engines import both_engines, on_postgresql
from tests.jobs.night import DS, MODEL, Night
from tests.suite.postgresql import server_folder, started

pytestmark = pytest.mark.usefixtures("process")

LATER = date(1998, 4, 10)
TABLES = (*STORED_PRODUCTS, "publications")


def _seen(night: Night) -> dict[str, list[tuple]]:
    """All that analysts see, but for the moments of publication."""
    every = ", ".join(("dataset", "run_id", "cold_user_scores_rows", "interactions", "revision"))
    return {
        name: sorted(
            night.ask(
                f"SELECT {'*' if name != 'publications' else 'ds, ' + every} FROM coldstart.{name}"
            ),
            key=str,
        )
        for name in TABLES
    }


def _stored(night: Night) -> dict[str, int]:
    """How many rows lie in the warehouse, whether or not anything points to them."""
    return {
        name: night.ask(f"SELECT count(*) FROM coldstart_data.{name}")[0][0]
        for name in STORED_PRODUCTS
    }


def _change(night: Night) -> None:
    """Another run of the same ds: another list, and a row less."""
    night.rows["evidence_items"][0]["item_id"] = "i4"
    del night.rows["cold_user_scores"][-1]
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), MODEL)


def _publish(night: Night) -> None:
    publish.run(night.settings, night.ds, night.record("publish"), MODEL)


@contextmanager
def _at_the_pointer(monkeypatch: pytest.MonkeyPatch, action) -> Iterator[None]:
    """`action` happens in mid-publication: all is loaded, and nothing points to it."""
    activate = Publication.activate

    def after_action(self, ds, row):
        action()
        activate(self, ds, row)

    with monkeypatch.context() as patched:
        patched.setattr(Publication, "activate", after_action)
        yield


# A kill before each of the statements in its turn takes minutes.
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
@both_engines
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "again"])
def test_a_kill_between_any_two_statements(night: Night, is_first: bool, every: int) -> None:
    if not is_first:
        night.publish()
    before = {} if is_first else _seen(night)
    _change(night)
    publisher = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.publisher", str(DS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    )
    found = []
    with publisher:  # whose input then ends, and with it the publisher
        for number in range(every, 400 * every, every):
            publisher.stdin.write(f"{number}\n")
            publisher.stdin.flush()
            answer = publisher.stdout.readline().strip()
            try:
                found.append(_seen(night))
            except UserError:  # there is no warehouse, or no view in it, yet
                found.append({})
            if answer == "done":
                break
            assert answer == "killed"
    assert number > 20
    after = found[-1]
    assert len(after["evidence_items"]) == 2
    assert {row[3] for row in after["evidence_items"]} == {"i4", "i2"}
    empty = {name: [] for name in TABLES}
    moment = next(place for place, seen in enumerate(found) if seen == after)
    assert all(seen == before or (is_first and seen in ({}, empty)) for seen in found[:moment])
    assert all(seen == after for seen in found[moment:])
    _publish(night)  # vacuums what the killed ones left
    assert _seen(night) == after
    _publish(night)  # and what the one before replaced
    kept = 1 if night.settings.warehouse.engine == DUCKDB else 2
    assert _stored(night) == {name: kept * len(after[name]) for name in STORED_PRODUCTS}


@on_postgresql
def test_a_dropped_connection_is_worth_another_try(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.publish()
    before = _seen(night)
    _change(night)
    admin = Connection(night.settings.warehouse)
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def drop() -> None:
        assert admin.rows(end)
        admin.commit()

    with (
        _at_the_pointer(monkeypatch, drop),
        pytest.raises(PassingError, match=r"did not answer to the end: .*Run the step again"),
    ):
        _publish(night)
    assert _seen(night) == before
    with _at_the_pointer(monkeypatch, drop):
        assert command_line.run(lambda: _publish(night)) == 1, "a scheduler tries again"
    admin.close()
    _publish(night)
    assert len(_seen(night)["cold_user_scores"]) == len(before["cold_user_scores"]) - 1


@on_postgresql
def test_a_server_that_is_not_there_is_worth_another_try(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.publish()
    monkeypatch.setenv("COLDSTART_WAREHOUSE", "postgresql://me:hunter2@127.0.0.1:1/shop")
    settings = type(night.settings).from_environment()
    with pytest.raises(PassingError, match="did not answer") as error:
        publish.run(settings, DS, night.record("publish"), MODEL)
    assert "hunter2" not in str(error.value)


@pytest.fixture
def small_disk(engine: str, night: Night) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """A night whose warehouse has no room while the context lasts.

    A limit on the size of files stands for the disk: the engines meet it at the same writes. That
    of PostgreSQL holds from its server's start, so it has a server of its own.
    """
    if engine == DUCKDB:
        yield partial(_files_of_at_most, 2 * 2**20)
        return
    with server_folder() as folder:
        with _files_of_at_most(20 * 2**20):  # room for its log's files, of 16 MiB
            server = started(folder / "data")
        with server:
            uri = WarehouseUri.parse(server.get_uri())
            night.settings = replace(night.settings, warehouse=uri)
            yield nullcontext


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@both_engines
def test_a_full_disk(night: Night, small_disk, caplog: pytest.LogCaptureFixture) -> None:
    night.publish()
    before = _seen(night)
    template = night.rows["cold_user_scores"][0]
    few = night.rows["cold_user_scores"]
    night.rows["cold_user_scores"] = [
        {**template, "user_id": hashlib.sha256(b"%d" % n).hexdigest(), "rank": 1}
        for n in range(300_000)
    ]
    _change(night)
    with small_disk():
        assert command_line.run(lambda: _publish(night)) == 1
    assert "the disk is full or a file-size limit is reached" in caplog.text
    assert _seen(night) == before
    night.rows["cold_user_scores"] = few
    _change(night)
    _publish(night)
    assert len(_seen(night)["cold_user_scores"]) == 2
    _publish(night)
    kept = 1 if night.settings.warehouse.engine == DUCKDB else 2
    assert _stored(night)["cold_user_scores"] == kept * 2


@both_engines
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_an_open_reader_blocks_nobody_and_sees_no_half(night: Night, level: str) -> None:
    night.publish()
    before = _seen(night)
    list_sql = "SELECT item_id FROM coldstart.latest_evidence_items ORDER BY rank"
    with warehouse.open_reader(night.settings.warehouse) as reader:
        if night.settings.warehouse.engine != DUCKDB:
            reader.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        assert reader.rows("SELECT count(*) FROM coldstart.latest_cold_user_scores") == [(3,)]
        _change(night)
        _publish(night)  # does not wait for the reader, whose transaction is open
        sees_old = night.settings.warehouse.engine == DUCKDB or level == "REPEATABLE READ"
        assert reader.rows(list_sql) == [("i1" if sees_old else "i4",), ("i2",)]
        rows = reader.rows("SELECT count(*) FROM coldstart.latest_cold_user_scores")
        assert rows == [(3 if sees_old else 2,)]
        _publish(night)  # nor does the vacuum, which waits for the reader
    assert len(_seen(night)["cold_user_scores"]) == len(before["cold_user_scores"]) - 1


@both_engines
def test_two_runs_of_one_ds_at_once(night: Night) -> None:
    """Both write all; whichever comes second replaces the first, whole."""
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), MODEL)
    argv = [sys.executable, "-m", "jobs", "publish", "--ds", str(DS), "--model", MODEL]
    runs = [
        subprocess.Popen(argv, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for run in runs:
        _, said = run.communicate()
        assert run.returncode == 0, said
    seen = _seen(night)
    assert [len(seen[name]) for name in TABLES] == [2, 2, 3, 8, 18, 1]
    assert seen["publications"][0][-1] == 1


@on_postgresql
def test_the_first_publications_of_two_machines_make_one_structure(night: Night) -> None:
    def begin(_: int) -> None:
        with warehouse.writing(night.settings.warehouse):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(4)))
    assert night.ask("SELECT version FROM coldstart_data.versions") == [(structure.VERSION,)]


@on_postgresql
def test_a_publication_does_not_vacuum_what_another_is_loading(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines may publish to one server; the lake's locks are not between them."""
    night.publish()
    loaded, goes_on = threading.Event(), threading.Event()

    def wait() -> None:
        loaded.set()
        assert goes_on.wait(60)

    def publish_slowly() -> None:
        with warehouse.writing(night.settings.warehouse) as writer:
            for name in STORED_PRODUCTS:
                table = night.table(name)
                writer.load(table, LATER, night.settings.lake / name / f"ds={DS}")
            wait()
            with writer.short_transaction():
                row = writer.published(DS)
                writer.activate(LATER, row)

    slow = threading.Thread(target=publish_slowly)
    slow.start()
    assert loaded.wait(60)
    _publish(night)
    _publish(night)
    goes_on.set()
    slow.join()
    assert [len(rows) for rows in _seen(night).values()] == [4, 4, 6, 16, 36, 2]


@on_postgresql
def test_a_publication_does_not_vacuum_what_was_just_published(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run publishes and ends between the look at what is published and the drop."""
    night.publish()
    drop = PartitionedPublication._drop

    def publish_later() -> None:
        with warehouse.writing(night.settings.warehouse) as writer:
            for name in STORED_PRODUCTS:
                writer.load(night.table(name), LATER, night.settings.lake / name / f"ds={DS}")
            loaded.set()
            assert goes_on.wait(60)
            with writer.short_transaction():
                writer.activate(LATER, writer.published(DS))

    def drop_late(self, name: str, number: int) -> None:
        goes_on.set()
        slow.join()
        drop(self, name, number)

    loaded, goes_on = threading.Event(), threading.Event()
    slow = threading.Thread(target=publish_later)
    slow.start()
    assert loaded.wait(60)
    monkeypatch.setattr(PartitionedPublication, "_drop", drop_late)
    _publish(night)
    assert [len(rows) for rows in _seen(night).values()] == [4, 4, 6, 16, 36, 2]


@both_engines
def test_a_stale_run_changes_nothing(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was overtaken before it began, or while it was loading."""
    night.publish()
    stale = night.settings.lake.rename(night.settings.home / "stale")
    (night.settings.lake).mkdir()
    (night.settings.lake / "dataset.toml").write_text((stale / "dataset.toml").read_text())
    time.sleep(0.02)
    night.rows["evidence_items"][0]["item_id"] = "i4"
    newer = night.settings.lake

    def publish_the_newer() -> None:
        newer.rename(night.settings.home / "newer")
        stale.rename(newer)

    night.publish()
    seen = _seen(night)
    publish_the_newer()
    with pytest.raises(UserError, match=r"already published by a newer run.*keeps the newer"):
        _publish(night)
    assert _seen(night) == seen


@both_engines
def test_a_run_that_is_overtaken_while_it_loads(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.publish()
    published = Publication.published
    asked = []

    def overtaken(self, ds):
        row = published(self, ds)
        asked.append(row)
        if len(asked) == 2 and row is not None:  # in the short transaction
            row["made_at"] = row["made_at"].replace(year=2999)
            row["data_read_at"] = row["made_at"]
        return row

    _change(night)
    before = _seen(night)
    with monkeypatch.context() as patched:
        patched.setattr(Publication, "published", overtaken)
        with pytest.raises(UserError, match="already published by a newer run"):
            _publish(night)
    assert _seen(night) == before


_ONE_MOMENT = """
SELECT
    (SELECT min(run_id) FROM coldstart.latest_evidence_items),
    (SELECT count(*) FROM coldstart.latest_evidence_items),
    (SELECT count(*) FROM coldstart.latest_cold_user_scores),
    (SELECT count(DISTINCT run_id) FROM (
        SELECT run_id FROM coldstart.latest_evidence_items
        UNION ALL SELECT run_id FROM coldstart.latest_cold_user_scores
        UNION ALL SELECT run_id FROM coldstart.publications WHERE ds = DATE '1998-03-31'
    ) AS runs)
"""


@both_engines
def test_readers_see_one_whole_run_while_runs_replace_each_other(night: Night) -> None:
    night.publish()
    sizes = {night.rows["evidence_items"][0]["run_id"]: (2, 3)}
    seen: list[tuple] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.extend(night.ask(_ONE_MOMENT))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for number in range(6):
            night.version = str(number)
            run_id = f"{DS}.melu.{number}"
            rows = night.rows["cold_user_scores"]
            rows.append({**rows[0], "user_id": f"v{number}"})
            for product in STORED_PRODUCTS:
                for row in night.rows[product]:
                    row["run_id"] = run_id
            sizes[run_id] = (2, len(rows))
            night.publish()
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert len({run for run, *_ in seen}) > 3
    assert not [each for each in seen if each[1:] != (*sizes.get(each[0], ()), 1)]


@on_postgresql
def test_rows_in_two_streams_are_all_there(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    template, table = night.rows["cold_user_scores"][0], night.table("cold_user_scores")
    night.rows["cold_user_scores"] = [{**template, "user_id": f"u{n:04}"} for n in range(1_000)]
    monkeypatch.setattr(partitions, "_ROWS_WORTH_STREAMS", 900)
    night.write()
    [file] = (night.settings.lake / table.name / f"ds={DS}").glob("*.parquet")
    pq.write_table(pq.read_table(file), file, row_group_size=300)
    gate.run(night.settings, night.ds, night.record("gate"), MODEL)
    _publish(night)
    users = night.ask("SELECT user_id FROM coldstart.latest_cold_user_scores ORDER BY user_id")
    assert users == [(f"u{n:04}",) for n in range(1_000)]
