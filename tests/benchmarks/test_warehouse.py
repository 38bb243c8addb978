"""The benchmark of publications, on few rows: that it runs, and what it says of its readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import warehouse
from benchmarks.yardsticks import warehouse_readers
from schemas.warehouse.uri import DUCKDB, POSTGRESQL


@pytest.mark.slow  # publications while others read, on every engine
@pytest.mark.usefixtures("process")
def test_every_engine_publishes_and_is_read_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "_IDLE_SECONDS", 0.5)
    monkeypatch.setattr(warehouse, "_ROUNDS", 1)
    monkeypatch.setattr(warehouse_readers, "READERS", 2)
    assert warehouse.main(["--json", str(tmp_path / "w.json"), "--sizes", "2e2"]) == 0
    records = json.loads((tmp_path / "w.json").read_text())
    assert [record["engine"] for record in records] == [DUCKDB, POSTGRESQL]
    for record in records:
        assert record["rows"] == 200
        assert record["partial_reads"] == 0
        assert record["seconds"] > 0
        assert record["reader_p95_ms_publishing"] > 0
