"""The secrets of a deployment: made once, readable to whom they are for, never shown."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from schemas.run.settings import REPOSITORY


def make_secrets(folder: Path) -> str:
    script = REPOSITORY / "docker" / "scripts" / "make_secrets.py"
    command = [sys.executable, "-I", script, folder]
    # With the umask that shows most, so that the modes are the script's own.
    done = subprocess.run(command, capture_output=True, text=True, umask=0, check=True)
    return done.stdout + done.stderr


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert make_secrets(tmp_path) == ""
    return tmp_path


def test_each_is_readable_to_its_owner_alone_but_postgresqls(folder: Path) -> None:
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in contents(folder)}
    assert modes == {
        "administrator/postgres_password": 0o640,
        "airflow/airflow_password": 0o600,
        "airflow/api_secret_key": 0o600,
        "airflow/coldstart_writer_password": 0o600,
        "airflow/fernet_key": 0o600,
        "airflow/jwt_secret": 0o600,
        "airflow/log_ins.json": 0o600,
        "airflow/pgpass": 0o600,
        "spark/secret": 0o600,
    }


def test_they_are_long_and_all_different(folder: Path) -> None:
    made = contents(folder)
    made.pop("airflow/pgpass")
    values = [*json.loads(made.pop("airflow/log_ins.json")).values(), *made.values()]
    assert len(set(values)) == len(values) == 9
    assert Fernet(made["airflow/fernet_key"])
    assert {len(value) for value in values} == {44, 64}


def test_another_deployment_has_others(folder: Path, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    make_secrets(other)
    shared = set(contents(folder).values()) & set(contents(other).values())
    assert shared == set()


def test_a_second_time_changes_nothing(folder: Path) -> None:
    before = contents(folder)
    assert make_secrets(folder) == ""
    assert contents(folder) == before


def test_one_that_was_removed_is_made_again_with_all_that_repeats_it(folder: Path) -> None:
    before = contents(folder)
    (folder / "airflow" / "airflow_password").unlink()
    make_secrets(folder)
    after = contents(folder)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"airflow/airflow_password", "airflow/pgpass"}
    password = after["airflow/airflow_password"]
    assert f"postgres:5432:airflow:airflow:{password}\n" in after["airflow/pgpass"]
