"""A cluster of the scripts that compose starts, on 127.0.0.1: it works for who knows its secret.

A master and two workers of one core: a night on it is that of one machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from local.processes import Child, base_environment, free_port, running
from schemas.run.settings import REPOSITORY
from tests.jobs.homes import Home
from tests.jobs.second_night import DS, after

SCRIPTS = REPOSITORY / "docker" / "scripts"
DRIVER = """
from jobs.spark.session import spark_session
from schemas.run.settings import Settings
with spark_session(Settings.from_environment()) as spark:
    print("sum", spark.range(1000).selectExpr("sum(id)").collect()[0][0])
"""
WORKERS = 2
_LIMIT_SECONDS = 180  # to start, on a busy machine


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secret") / "secret"
    file.write_text("no-one-would-guess-it")
    return file


@pytest.fixture(scope="module")
def cluster(secret: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a step that uses the cluster."""
    home = tmp_path_factory.mktemp("cluster")
    port, master_page, *worker_pages = (free_port() for _ in range(2 + WORKERS))
    url = f"spark://127.0.0.1:{port}"
    environment = {
        **base_environment(),
        "COLDSTART_HOME": str(home),
        "COLDSTART_PYTHON": sys.executable,
        "COLDSTART_SPARK": url,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_CORES": "1",
        "SPARK_WORKER_MEMORY": "1g",
        "PYTHONPATH": str(REPOSITORY),
    }

    def start(stack: ExitStack, kind: str, *options: str) -> Child:
        node = [SCRIPTS / "spark_node.sh", kind, "--host", "127.0.0.1", *options]
        command = [SCRIPTS / "with_spark_secret.sh", secret, *node]
        log = home / f"{kind}.log"
        return stack.enter_context(running(kind, command, environment=environment, log=log))

    with ExitStack() as stack:
        master = start(stack, "Master", "--port", str(port), "--webui-port", str(master_page))
        master_url = f"http://127.0.0.1:{master_page}/json/"
        master.wait_until(
            lambda: is_healthy(master_url, "status=ALIVE"), timeout_seconds=_LIMIT_SECONDS
        )
        for number, page in enumerate(worker_pages):
            work = ("--webui-port", str(page), "--work-dir", str(home / f"work-{number}"))
            start(stack, "Worker", *work, url)
        master.wait_until(
            lambda: is_healthy(master_url, f"aliveworkers={WORKERS}"),
            timeout_seconds=_LIMIT_SECONDS,
        )
        for page in worker_pages:
            assert is_healthy(f"http://127.0.0.1:{page}/json/")
        yield environment


def is_healthy(*question: str) -> bool:
    command = [sys.executable, "-I", SCRIPTS / "healthy.py", *question]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow  # a night on a cluster, and one beside it
def test_steps_make_the_same_tables_as_on_one_machine(
    stages: dict[str, Home], cluster: dict[str, str], secret: Path, tmp_path: Path
) -> None:
    """Two steps of a night, whose drivers know the secret; nobody shows it."""
    shown = ""
    for step in ("ingest", "build_episodes"):
        home = stages[step].copied_to(tmp_path / step)
        command = [sys.executable, "-m", "jobs", step, "--ds", str(DS)]
        done = subprocess.run(
            [SCRIPTS / "with_spark_secret.sh", secret, *command],
            env={**cluster, **replace(home, spark={}).environment},
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr
        assert home.rows() == after(stages, step).rows()
        shown += done.stdout + done.stderr
    executors = list(Path(cluster["COLDSTART_HOME"]).glob("work-*/app-*/*/stderr"))
    assert len({path.parts[-4] for path in executors}) == WORKERS, "both workers worked"
    shown += "".join(path.read_text() for path in executors)
    assert secret.read_text() not in shown


def test_a_driver_without_it_is_refused(cluster: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "driver.log"
    command = [sys.executable, "-c", DRIVER]
    with running("driver", command, environment=cluster, log=log) as driver:
        # It would try for a minute.
        driver.wait_until(
            lambda: "Failed to connect to master" in log.read_text(), timeout_seconds=_LIMIT_SECONDS
        )
    assert "sum" not in log.read_text()


def test_the_secret_lies_in_a_file_of_its_owner_alone(secret: Path, tmp_path: Path) -> None:
    show = "stat -c %a $SPARK_CONF_DIR; stat -c %a $SPARK_CONF_DIR/..; cat $SPARK_CONF_DIR/*; env"
    command = [SCRIPTS / "with_spark_secret.sh", secret, "bash", "-c", show]
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    configuration, _, variables = said.stdout.partition("spark.master.rest.enabled")
    assert said.stdout.startswith("700\n")
    assert secret.read_text() in configuration
    assert secret.read_text() not in variables
