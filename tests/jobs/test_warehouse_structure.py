"""The warehouse says what the contracts say, in both engines, and goes from version to version."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from jobs import warehouse
from jobs.warehouse import structure
from jobs.warehouse.connection import Connection, opened
from schemas.errors import UserError
from schemas.projections.arrow import arrow_schema
from schemas.run.settings import REPOSITORY
from schemas.tables.products import WAREHOUSE_TABLES
from schemas.warehouse import ddl
from schemas.warehouse.dialects import DIALECTS
from schemas.warehouse.stored import INDEXES, STORED, STORED_PRODUCTS
from schemas.warehouse.uri import WarehouseUri
from schemas.warehouse.views import VIEWS
from tests.jobs.engines import both_engines, on_postgresql
from tests.jobs.night import DS, Night

GOLDEN = REPOSITORY / "tests" / "golden"
SEEN = (*WAREHOUSE_TABLES, *(view.table for view in VIEWS))
COMMENTS = {
    "duckdb": (
        "SELECT comment FROM (SELECT schema_name, table_name, comment FROM duckdb_tables() "
        "UNION ALL SELECT schema_name, view_name, comment FROM duckdb_views()) "
        "WHERE schema_name = $1 AND table_name = $2",
        "SELECT column_name, comment FROM duckdb_columns() "
        "WHERE schema_name = $1 AND table_name = $2 ORDER BY column_index",
    ),
    "postgresql": (
        "SELECT obj_description(to_regclass($1 || '.' || $2), 'pg_class')",
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
        "WHERE attrelid = to_regclass($1 || '.' || $2) AND attnum > 0 ORDER BY attnum",
    ),
}


@pytest.fixture
def reader(warehouse_uri: WarehouseUri):
    with warehouse.writing(warehouse_uri):
        pass
    with warehouse.writing(warehouse_uri):  # the second time changes nothing
        pass
    with warehouse.open_reader(warehouse_uri) as connection:
        yield connection


@both_engines
def test_types_nulls_and_comments(reader: Connection, engine: str) -> None:
    types = DIALECTS[engine].types
    for schema, tables in (("coldstart", SEEN), ("coldstart_data", STORED)):
        for table in tables:
            found = reader.rows(
                "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
                schema,
                table.name,
            )
            assert [row[:2] for row in found] == [(c.name, types[c.type]) for c in table.columns]
            if schema == "coldstart_data":
                assert [row[2] == "YES" for row in found] == [c.nullable for c in table.columns]
            of_table, of_columns = COMMENTS[engine]
            assert reader.rows(of_table, schema, table.name) == [(table.description,)]
            assert reader.rows(of_columns, schema, table.name) == [
                (column.name, column.description) for column in table.columns
            ]


@both_engines
def test_arrow_gets_its_own_types_back(reader: Connection) -> None:
    for table in SEEN:
        with reader.batches(f"SELECT * FROM coldstart.{table.name}") as rows:
            assert rows.schema.types == arrow_schema(table).types


@both_engines
@pytest.mark.parametrize(
    ("column", "value"),
    [("rank", 0), ("evidence_score", 1.5), ("popularity_value", -0.1), ("n_interactions", 0)],
)
def test_the_engine_holds_the_bounds(night: Night, column: str, value: float) -> None:
    night.publish()
    night.rows["evidence_items"][0][column] = value
    with pytest.raises(UserError, match=r"refuses: .*(CHECK|check) constraint"):
        night.publish()
    assert night.ask(
        f"SELECT count(*) FROM coldstart.evidence_items WHERE {column} = $1", value
    ) == [(0,)]


@on_postgresql
def test_the_engine_holds_the_keys(night: Night) -> None:
    night.rows["cold_user_scores"][1] = night.rows["cold_user_scores"][0]
    with pytest.raises(UserError, match=r"could not create unique index.*user_id, rank"):
        night.publish()
    assert night.ask("SELECT count(*) FROM coldstart.publications") == [(0,)]


@on_postgresql
def test_a_publication_is_an_indexed_partition_that_queries_prune_to(night: Night) -> None:
    for day in range(1, 5):
        night.ds = date(1998, 4, day)
        night.publish()
    of_table = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass($1)"
    for name in STORED_PRODUCTS:
        assert night.ask(of_table, f"coldstart_data.{name}") == [(4,)]
    indexed = night.ask("SELECT indexdef FROM pg_indexes WHERE schemaname = 'coldstart_data'")
    for name, columns in INDEXES.items():
        for column in columns:
            found = [row for (row,) in indexed if re.search(rf"\.{name}_\d+ .*\({column}\)", row)]
            assert len(found) == 4
    for where in ("ds = '1998-04-02'", "ds = (SELECT max(ds) FROM coldstart.publications)"):
        query = f"SELECT * FROM coldstart.cold_user_scores WHERE {where}"
        lines = [line for (line,) in night.ask(f"EXPLAIN (ANALYZE, COSTS OFF) {query}")]
        scans = [line for line in lines if re.search(r"Scan.* on cold_user_scores_\d+", line)]
        assert len([scan for scan in scans if "never executed" not in scan]) == 1, lines


@pytest.mark.parametrize("engine", DIALECTS)
def test_a_change_of_the_structure_needs_a_version_and_a_migration(engine: str) -> None:
    """If this fails: put up `structure.VERSION`, write the migrations, and a golden file."""
    dialect = DIALECTS[engine]
    statements = (*ddl.tables(dialect), *ddl.views_and_comments())
    made = [each for each in statements if not each.startswith("COMMENT")]
    golden = GOLDEN / f"warehouse_v{structure.VERSION}.{engine}.sql"
    assert ";\n".join(made) + ";\n" == golden.read_text()


@both_engines
def test_a_newer_warehouse_is_refused_and_can_be_read(night: Night) -> None:
    night.publish()
    newer = structure.VERSION + 1
    with opened(night.settings.warehouse) as connection:
        sql = "INSERT INTO coldstart_data.versions VALUES ($1, $2)"
        connection.execute(sql, newer, datetime.now(UTC))
        connection.commit()
    with pytest.raises(
        UserError,
        match=rf"has structure version {newer}, expected at most {structure.VERSION}: a newer "
        "release published to it. Publish with that release",
    ):
        night.publish()
    assert night.ask("SELECT count(*) FROM coldstart.publications") == [(1,)]


@both_engines
def test_a_structure_changed_by_hand_is_refused(night: Night) -> None:
    night.publish()
    with opened(night.settings.warehouse) as connection:
        connection.execute("ALTER TABLE coldstart_data.model_metrics ADD COLUMN note INTEGER")
        connection.commit()
    with pytest.raises(UserError, match=r"model_metrics: column 'note' is not in the contract"):
        night.publish()


def _first_version(path: Path) -> None:
    """A warehouse as it was before versions were kept, with one day of one row a table."""
    with duckdb.connect(str(path)) as connection:
        connection.execute((GOLDEN / "warehouse_v1.duckdb.sql").read_text())
        at = datetime(1998, 4, 1, 3, tzinfo=UTC)
        run = ["melu", "0123456789ab", "1998-03-31.melu.0123456789ab"]
        rows = {
            "evidence_items": [DS, "all", 1, "i1", None, 0.25, 0.5, 0.5, 2, *run],
            "cold_user_scores": [DS, "u1", 1, "i2", 4.5, 3, True, *run],
            "model_metrics": [DS, "melu", "warm", "mae", 0.8, 0.9, 12, run[2]],
            "publications": [DS, "ml-100k", *run, 1, 1, 1, 6, 0, 1, None, "passed", at, None],
        }
        for name, values in rows.items():
            places = ", ".join("?" for _ in values)
            connection.execute(f"INSERT INTO coldstart.{name} VALUES ({places})", values)


def test_an_older_warehouse_is_migrated(night: Night, reader: Connection, tmp_path) -> None:
    old, fresh = tmp_path / "old.duckdb", night.settings.warehouse
    _first_version(old)
    newer = {"evidence_quality", "list_quality"}
    tables = [table for table in WAREHOUSE_TABLES if table.name not in newer]
    rows = ("rows_read", "rows_kept", "rows_quarantined", "rows_left_out", "list_quality_rows")
    lists = ("p_like", "p_choice", "score_low", "score_high", "ranked_by", "is_new")
    explained = ("expected_gain", "answer_rate", "redundancy", "same_as_all")
    since = (
        *("data_read_at", "made_at", "evidence_quality_rows", "trained_ds"),
        *(*rows, *lists, *explained),
    )
    with duckdb.connect(str(old), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")  # as our own connections have it
        before = {
            table.name: connection.execute(f"FROM coldstart.{table.name}").fetchall()
            for table in tables
        }
    uri = WarehouseUri.of_file(old)
    with warehouse.writing(uri):
        pass
    with warehouse.open_reader(uri) as migrated:
        for table in tables:
            names = [n for n in table.column_names if n not in since]
            rows = migrated.rows(f"SELECT {', '.join(names)} FROM coldstart.{table.name}")
            assert [tuple(map(str, row)) for row in rows] == [
                tuple(map(str, row)) for row in before[table.name]
            ]
        assert migrated.rows("SELECT version FROM coldstart_data.versions") == [
            (structure.VERSION,)
        ]
        assert migrated.rows(_DESCRIBED) == reader.rows(_DESCRIBED)
    assert fresh != uri


VERSIONS = sorted(int(re.findall(r"_v(\d+)", p.name)[0]) for p in GOLDEN.glob("*.postgresql.sql"))


def _publish_in(version: int, connection: Connection, engine: str) -> None:
    """A warehouse as that version made it, with a day, and two views of an analyst on ours."""
    golden = (GOLDEN / f"warehouse_v{version}.{engine}.sql").read_text()
    for schema in ("coldstart", "coldstart_data", "analyst"):
        connection.execute(f"CREATE SCHEMA {schema}")
    for statement in filter(str.strip, golden.split(";\n")):
        connection.execute(statement)
    connection.execute("CREATE VIEW analyst.nights AS SELECT * FROM coldstart.publications")
    connection.execute(
        "CREATE VIEW analyst.firsts AS SELECT user_id, item_id FROM coldstart.cold_user_scores "
        "WHERE rank = 1"
    )
    at = datetime(1998, 4, 1, 3, tzinfo=UTC)
    run = ("melu", "0123456789ab", "1998-03-31.melu.0123456789ab")
    published = [1, DS, "ml-100k", *run, 0, 0, 0, 6, 0, 1, None, at, at, "passed", at, None]
    if version >= 3:
        published += [0, DS]
    if version >= 4:
        published += [None] * 4
    if version >= 5:
        published += [None]
    places = ", ".join(f"${place}" for place in range(1, len(published) + 1))
    connection.execute(f"INSERT INTO coldstart_data.publications VALUES ({places})", *published)
    connection.execute("INSERT INTO coldstart_data.versions VALUES ($1, $2)", version, at)
    connection.commit()


@both_engines
@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_an_earlier_version_is_migrated(
    warehouse_uri: WarehouseUri, engine: str, version: int
) -> None:
    """To what a fresh warehouse is, with what was published, and what analysts built on it."""
    with opened(warehouse_uri) as connection:
        _publish_in(version, connection, engine)
    with warehouse.writing(warehouse_uri):
        pass
    with warehouse.open_reader(warehouse_uri) as migrated:
        columns = "gate, evidence_quality_rows, trained_ds, rows_read, rows_left_out"
        sql = f"SELECT {columns} FROM coldstart.publications"
        assert migrated.rows(sql) == [("passed", 0, DS, None, None)]
        assert migrated.rows("SELECT * FROM coldstart.evidence_quality") == []
        assert migrated.rows("SELECT ds, gate FROM analyst.nights") == [(DS, "passed")]
        assert migrated.rows("SELECT * FROM analyst.firsts") == []
        found = [row for row in migrated.rows(_DESCRIBED) if row[0].startswith("coldstart")]
        constraints = migrated.rows(_CONSTRAINTS)
    with opened(warehouse_uri) as connection:
        for schema in ("analyst", "coldstart", "coldstart_data"):
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        connection.commit()
    with warehouse.writing(warehouse_uri):
        pass
    with warehouse.open_reader(warehouse_uri) as fresh:
        expected = [row for row in fresh.rows(_DESCRIBED) if row[0].startswith("coldstart")]
        assert found == expected
        assert constraints == fresh.rows(_CONSTRAINTS)


_DESCRIBED = (
    "SELECT table_schema, table_name, column_name, data_type, is_nullable "
    "FROM information_schema.columns ORDER BY 1, 2, 3, 4, 5"
)
_CONSTRAINTS = (
    "SELECT table_name, constraint_type, count(*) FROM information_schema.table_constraints "
    "WHERE table_schema = 'coldstart_data' GROUP BY 1, 2 ORDER BY 1, 2"
)
