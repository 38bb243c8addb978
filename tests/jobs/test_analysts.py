"""What analysts ask, as docs/analysts.md shows it and as the command line answers it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from functools import cache
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from jobs import __main__ as command_line
from schemas.run.settings import REPOSITORY
from tests.jobs.engines import both_engines, new_warehouse
from tests.jobs.night import DS, RUN, Night, environment_of, new_night

pytestmark = both_engines

LATER = date(1998, 4, 10)
QUERIES = re.findall(r"```sql\n(.*?)```", (REPOSITORY / "docs" / "analysts.md").read_text(), re.S)
assert len(QUERIES) == 11


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Night]]:
    """By engine: published once for all tests, which only read."""
    with ExitStack() as warehouses:

        @cache
        def of(engine: str) -> Night:
            folder = tmp_path_factory.mktemp(engine)
            uri = warehouses.enter_context(new_warehouse(engine, folder, request))
            return _with_two_days(new_night(folder, uri))

        yield of


@pytest.fixture
def two_days(
    engine: str, published: Callable[[str], Night], monkeypatch: pytest.MonkeyPatch
) -> Night:
    for name, value in environment_of(published(engine)).items():
        monkeypatch.setenv(name, value)
    return published(engine)


def _with_two_days(night: Night) -> Night:
    """A second published day, whose list lost its first item and has a new second one."""
    for ds in (DS, LATER):
        night.ds = ds
        run_id = RUN["run_id"].replace(str(DS), str(ds))
        for rows in night.rows.values():
            for row in rows:
                row.update({"run_id": run_id} if "run_id" in row else {})
        if ds == LATER:
            first, second = night.rows["evidence_items"]
            second["rank"], first["rank"] = 1, 2
            first.update(item_id="i9", title="\x1b[31mRed\u202e")
        night.publish()
    return night


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: sql.splitlines()[1].strip()[:40])
def test_every_query_of_the_page_runs(
    two_days: Night, sql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = two_days.ask(sql)
    is_of_another_catalogue = "'318'" in sql or "revision > 1" in sql
    assert bool(rows) != is_of_another_catalogue
    assert command_line.main(["query", sql]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows) + 1


def test_what_entered_and_left(two_days: Night) -> None:
    columns = "ds, previous_ds, segment, item_id, change, rank, previous_rank"
    sql = f"SELECT {columns} FROM coldstart.evidence_changes ORDER BY change"
    assert two_days.ask(sql) == [
        (LATER, DS, "all", "i9", "entered", 2, None),
        (LATER, DS, "all", "i1", "left", None, 1),
    ]


def test_quality_is_that_of_the_champion_where_it_went_on(night: Night) -> None:
    night.publish()
    night.next_day(mae=0.95, champions=0.85)
    night.publish()
    sql = "SELECT ds, model, value FROM coldstart.model_quality_by_day WHERE metric = 'mae'"
    assert sorted(night.ask(sql)) == [(DS, "melu", 0.8), (night.ds, "melu", 0.85)]


def test_quality_is_that_of_the_published_model(two_days: Night) -> None:
    columns = "ds, model, model_version, value, baseline, difference"
    sql = f"SELECT {columns} FROM coldstart.model_quality_by_day WHERE metric = 'mae' ORDER BY ds"
    found = two_days.ask(sql)
    assert [row[:5] for row in found] == [
        (ds, "melu", RUN["model_version"], 0.8, 0.9) for ds in (DS, LATER)
    ]
    assert [row[5] for row in found] == pytest.approx([-0.1, -0.1])


def test_a_title_cannot_write_on_the_terminal(
    two_days: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        command_line.main(["query", "SELECT * FROM coldstart.latest_evidence_items ORDER BY rank"])
        == 0
    )
    said = capsys.readouterr().out
    assert "�[31mRed�" in said
    assert "\x1b" not in said


MANY = "SELECT n, 'a, \"b\"' AS text FROM generate_series(0, 250000) AS t(n)"


def test_files_have_all_rows_and_the_terminal_the_first(
    two_days: Night, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["query", MANY]) == 0
    *_, hint = (shown := capsys.readouterr().out.splitlines())
    assert len(shown) == 1 + 100 + 2
    assert "the first 100 rows; --to FILE.csv or --to FILE.parquet has all" in hint
    for name, read in (("a.csv", csv.read_csv), ("a.parquet", pq.read_table)):
        assert command_line.main(["query", MANY, "--to", str(tmp_path / name)]) == 0
        rows = read(tmp_path / name)
        assert rows["n"].to_pylist() == list(range(250001))
        assert set(rows["text"].to_pylist()) == {'a, "b"'}
        assert f"250,001 rows in {tmp_path / name}" in capsys.readouterr().out
    assert not list(tmp_path.glob(".*.draft"))


def test_averages_are_numbers_in_files(two_days: Night, tmp_path: Path) -> None:
    """PostgreSQL's exact numbers are of a type of its own."""
    sql = "SELECT avg(rank) AS mean, sum(n_support) AS total FROM coldstart.cold_user_scores"
    for name, read in (("a.csv", csv.read_csv), ("a.parquet", pq.read_table)):
        assert command_line.main(["query", sql, "--to", str(tmp_path / name)]) == 0
        [row] = read(tmp_path / name).to_pylist()
        assert row == {"mean": pytest.approx(4 / 3), "total": 14}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["SELECT nothing FROM coldstart.publications"], "nothing"),
        (["DELETE FROM coldstart_data.publications RETURNING ds"], "read-only"),
        (["SELECT 1", "--to", "rows.xls"], "expected a name that ends in .csv or .parquet"),
        (["SELECT ARRAY[1, 2] AS pair", "--to", "pairs.csv"], r"cannot hold pair \("),
        (["SELECT INTERVAL '3' DAY AS span", "--to", "spans.csv"], r"cannot hold span \("),
        (["-- nothing"], "gives no rows; expected a SELECT|Failed to execute"),
    ],
)
def test_mistakes_are_reported(
    two_days: Night, caplog: pytest.LogCaptureFixture, arguments: list[str], message: str
) -> None:
    with caplog.at_level(logging.ERROR):
        assert command_line.main(["query", *arguments]) == 2
    assert re.search(message, caplog.text)
    assert "Traceback" not in caplog.text
    assert len(two_days.ask("SELECT * FROM coldstart.publications")) == 2
