"""Airflow's set-up and API server by compose's scripts, on SQLite and 127.0.0.1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.airflow_api import AirflowApi
from local.airflow_environment import AirflowHome, airflow_variables
from local.processes import base_environment, free_port, running
from schemas.run.settings import REPOSITORY
from tests.docker.test_secrets import make_secrets

SCRIPTS = REPOSITORY / "docker" / "scripts"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("airflow")


@pytest.fixture(scope="module")
def environment(home: Path, port: int) -> dict[str, str]:
    """That of this machine, but for what compose does otherwise: log-ins and keys from secrets."""
    make_secrets(home / "secrets")
    variables = airflow_variables(AirflowHome(path=home), api_port=port, scheduled=False)
    for name in ("CORE__FERNET_KEY", "API__SECRET_KEY", "API_AUTH__JWT_SECRET"):
        del variables[f"AIRFLOW__{name}"]
    secrets = home / "secrets" / "airflow"
    path = f"{Path(sys.executable).parent}:{base_environment()['PATH']}"
    return {
        **base_environment(),
        **variables,
        "PATH": path,
        "AIRFLOW__CORE__FERNET_KEY_CMD": f"cat {secrets / 'fernet_key'}",
        "AIRFLOW__API__SECRET_KEY_CMD": f"cat {secrets / 'api_secret_key'}",
        "AIRFLOW__API_AUTH__JWT_SECRET_CMD": f"cat {secrets / 'jwt_secret'}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "log_ins.json"),
    }


@pytest.fixture(scope="module")
def prepared_airflow(home: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment of an Airflow whose database was prepared, twice."""
    pools = home / "pools.json"
    for slots in (1, 2):
        pools.write_text(json.dumps({"gpu": {"slots": slots, "description": "GPUs"}}))
        command = [SCRIPTS / "prepare_airflow.sh", pools]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return environment


def test_the_pools_are_those_of_the_file(prepared_airflow: dict[str, str]) -> None:
    command = ["airflow", "pools", "list", "--output", "json"]
    done = subprocess.run(command, env=prepared_airflow, capture_output=True, text=True, check=True)
    pools = {pool["pool"]: int(pool["slots"]) for pool in json.loads(done.stdout)}
    assert pools == {"default_pool": 128, "gpu": 2}


def test_people_log_in_with_what_the_secrets_say(
    prepared_airflow: dict[str, str], home: Path, port: int
) -> None:
    secret = home / "secrets" / "airflow" / "log_ins.json"
    secret.chmod(0o400)  # as it is mounted: for reading
    options = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    command = [SCRIPTS / "api_server.sh", secret, *options]
    passwords = json.loads(secret.read_text())
    log = home / "api-server.log"
    with running("api-server", command, environment=prepared_airflow, log=log) as server:
        admin = AirflowApi(url=f"http://127.0.0.1:{port}", password=passwords["admin"])
        server.wait_until(admin.is_up, timeout_seconds=120)
        assert not admin.knows_dag(), "logged in, and nothing has read the DAG yet"
    said = log.read_text()
    for password in passwords.values():
        assert password not in said
    assert (home / "log_ins.json").stat().st_mode & 0o777 == 0o600
