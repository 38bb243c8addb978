"""The warehouse's URI, and what of it people may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.run.settings import Settings
from schemas.warehouse.uri import WarehouseUri

SECRET = "hunter2/%?"
HIDDEN = [
    "postgresql://publisher:hunter2%2F%25%3F@db:5432/shop?sslmode=require",
    "postgres://publisher@db:5432/shop?sslmode=require&password=hunter2%2F%25%3F",
]


def _set(uri: str) -> WarehouseUri:
    return Settings.from_environment({"COLDSTART_WAREHOUSE": uri}).warehouse


@pytest.mark.parametrize("uri", ["duckdb:///tmp/w.duckdb", "duckdb:////tmp/w.duckdb"])
def test_a_file_elsewhere(uri: str) -> None:
    assert _set(uri).engine == "duckdb"
    assert _set(uri).path == Path("/tmp/w.duckdb")
    assert str(_set(uri)) == "/tmp/w.duckdb"


@pytest.mark.parametrize("name", ["a b.duckdb", "a%20b?.duckdb", "é#.duckdb"])
def test_a_file_of_any_name(name: str, tmp_path: Path) -> None:
    assert WarehouseUri.of_file(tmp_path / name).path == tmp_path / name


@pytest.mark.parametrize("uri", HIDDEN)
def test_a_password_is_never_shown(uri: str) -> None:
    found = _set(uri)
    assert found.engine == "postgresql"
    assert str(found) == "postgresql://publisher@db:5432/shop?sslmode=require"
    assert SECRET in found.secrets
    assert (
        "hunter2"
        not in f"{found!r} {found} {Settings.from_environment({'COLDSTART_WAREHOUSE': uri})}"
    )


@pytest.mark.parametrize("mark", ["/", "?", "#"])
def test_a_password_that_is_not_encoded_is_neither_taken_nor_shown(mark: str) -> None:
    """`str` would show what stands before the mark, or all of it."""
    with pytest.raises(UserError, match=r"an @ after a /, \? or #; expected them encoded") as error:
        _set(f"postgresql://writer:hun{mark}ter2@db/shop")
    assert "hun" not in str(error.value)


@pytest.mark.parametrize(
    "uri",
    [
        "/tmp/w.duckdb",
        "duckdb:///",
        "mysql://me:hunter2@host/db",
        "duckdb://host/w.duckdb",
        "postgresql://[",
    ],
)
def test_a_wrong_one(uri: str) -> None:
    with pytest.raises(
        UserError, match=r"COLDSTART_WAREHOUSE is .*expected duckdb:///.*or postgresql://.*Unset it"
    ) as error:
        _set(uri)
    assert "hunter2" not in str(error.value)
