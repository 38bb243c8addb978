"""What other programs can read of the warehouse: its file, and what a query writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as csv
import pytest

from jobs.tools import query
from schemas.errors import UserError
from schemas.warehouse.uri import DUCKDB
from tests.jobs.engines import both_engines
from tests.jobs.night import Night

_OF_DUCKDB_1_0 = 64  # its storage version, in the file's header; 2.0's own is beyond all of 1.x


def test_duckdb_clients_of_the_version_before_can_open_the_file(night: Night) -> None:
    if night.settings.warehouse.engine != DUCKDB:
        pytest.skip("of the DuckDB file")
    night.publish()
    night.publish()  # into a copy of the first
    header = night.settings.warehouse.path.read_bytes()[:20]
    assert int.from_bytes(header[12:20], "little") == _OF_DUCKDB_1_0


@both_engines
def test_what_is_found_while_rows_are_read_is_reported(night: Night, tmp_path: Path) -> None:
    """The engine makes rows as they are read, and Arrow says in its own words what stops it."""
    night.publish()
    sql = "SELECT CAST(model || 'a' AS INTEGER) FROM coldstart.publications"
    for to in (None, tmp_path / "found.csv"):
        with pytest.raises(UserError, match=r"refuses: .*melu.*docs/tables.md"):
            query.run(night.settings, sql, to)
    assert list(tmp_path.glob("*found*")) == []
    with pytest.raises(UserError, match=r"expected a name in a folder that exists: make .*/none"):
        query.run(night.settings, sql, tmp_path / "none" / "found.csv")


@both_engines
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_types_that_a_file_cannot_hold_are_reported(
    night: Night, tmp_path: Path, suffix: str
) -> None:
    night.publish()
    to = tmp_path / f"odd{suffix}"
    columns = "INTERVAL '1 day' AS age" if suffix == ".parquet" else "ARRAY[1, 2] AS age"
    with pytest.raises(UserError, match=r"cannot hold age \(.*CAST\(age AS VARCHAR\)"):
        query.run(night.settings, f"SELECT {columns}", to)
    assert list(tmp_path.glob("*odd*")) == []
    query.run(night.settings, "SELECT CAST(INTERVAL '1 day' AS VARCHAR) AS age", tmp_path / "o.csv")
    assert csv.read_csv(tmp_path / "o.csv")["age"].to_pylist() == ["1 day"]
