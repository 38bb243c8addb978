"""The long-running processes of the local platform: a Spark Connect server, and Airflow's own."""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.airflow_api import AirflowApi
from local.airflow_environment import AirflowHome, airflow_variables
from local.processes import Child, StartError, base_environment, free_port, is_open, running
from schemas.errors import UserError
from schemas.run.settings import REPOSITORY, Settings

START_TIMEOUT_SECONDS = 120
AIRFLOW = (sys.executable, "-m", "airflow")
POOLS = REPOSITORY / "dags" / "pools.json"


@dataclass(frozen=True, kw_only=True)
class SparkServer:
    """A Spark Connect server that is starting or up."""

    child: Child
    port: int
    variables: dict[str, str]  # what makes a step use it

    def wait_until_up(self) -> None:
        """Wait until the port is open; raises `StartError` with the log's path."""
        self.child.wait_until(lambda: is_open(self.port), timeout_seconds=START_TIMEOUT_SECONDS)


def logs(settings: Settings) -> Path:
    """The folder with a log for each service that `local` starts."""
    return settings.home / "logs"


@contextmanager
def single_instance(settings: Settings, purpose: str) -> Iterator[None]:
    """Keep two launchers off one home: they would share one Airflow database, one scheduler."""
    settings.home.mkdir(parents=True, exist_ok=True)
    path = settings.home / "local.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise UserError(
                f"{settings.home} is in use by {lock.read().strip()}; expected one at a time. "
                "Stop it first, or set COLDSTART_HOME to another folder."
            ) from None
        lock.truncate(0)
        lock.write(f"`make {purpose}` (process {os.getpid()})\n")
        lock.flush()
        yield


@contextmanager
def spark_server(settings: Settings) -> Iterator[SparkServer]:
    """Start the server, without waiting for it; it ends with the block."""
    port = free_port()
    token = {"SPARK_CONNECT_AUTHENTICATE_TOKEN": secrets.token_hex(32)}
    command = [sys.executable, "-m", "jobs", "spark-server", "--port", str(port)]
    log = logs(settings) / "spark-server.log"
    log.unlink(missing_ok=True)
    with running(
        "the Spark server",
        command,
        environment={**base_environment(), **token, "COLDSTART_HOME": str(settings.home)},
        log=log,
    ) as child:
        url = f"sc://localhost:{port}"  # the name, not the number: see jobs/spark/server.py
        # SPARK_REMOTE is for libraries in a step that open a session by themselves.
        variables = {**token, "COLDSTART_SPARK": url, "SPARK_REMOTE": url}
        yield SparkServer(child=child, port=port, variables=variables)


def job(*arguments: str) -> int:
    """Run a command of `jobs` on this terminal; its exit code."""
    command = [sys.executable, "-m", "jobs", *arguments]
    with running(arguments[0], command, environment=base_environment()) as child:
        return child.wait()


def fetch(settings: Settings) -> int:
    """Fetch MovieLens-100K, unless it is there or a source of one's own is named; the exit code."""
    if settings.source.is_dir() or not settings.is_source_fetched:
        return 0
    return job("fetch")


def migrate(settings: Settings) -> None:
    """Make or upgrade Airflow's database and its pools, once per home and Airflow version."""
    home = AirflowHome.of(settings)
    if home.is_migrated():
        return
    environment = base_environment() | airflow_variables(
        home, api_port=free_port(), scheduled=False
    )
    log = logs(settings) / "airflow-migrate.log"
    for command in (("db", "migrate"), ("pools", "import", str(POOLS))):
        name = f"airflow {' '.join(command)}"
        with running(name, [*AIRFLOW, *command], environment=environment, log=log) as child:
            if child.wait() != 0:
                raise StartError(f"{name} ended with exit code {child.exit_code}; see {log}")
    home.mark_migrated()


@contextmanager
def airflow(
    settings: Settings,
    *,
    port: int,
    scheduled: bool,
    variables: dict[str, str],
    resumes: bool = False,
) -> Iterator[AirflowApi]:
    """Airflow's server processes; yields when they serve the DAG. They end with the block.

    resumes: go on with what was running when its processes last ended, instead of abandoning it
    """
    home = AirflowHome.of(settings)
    own = airflow_variables(home, api_port=port, scheduled=scheduled)
    environment = base_environment() | own | variables
    api = AirflowApi(url=f"http://127.0.0.1:{port}", password=home.passwords()["admin"])
    with ExitStack() as stack:

        def start(component: str, *options: str) -> Child:
            log = logs(settings) / f"airflow-{component}.log"
            log.unlink(missing_ok=True)
            command = [*AIRFLOW, component, *options]
            name = f"airflow {component}"
            return stack.enter_context(running(name, command, environment=environment, log=log))

        server = start("api-server")
        processor = start("dag-processor")
        server.wait_until(api.is_up, timeout_seconds=START_TIMEOUT_SECONDS)
        if not resumes:
            api.abandon_leftovers()  # before there is a scheduler that would go on with them
        # --skip-serve-logs: the log server would listen on every interface.
        start("scheduler", "--skip-serve-logs")
        start("triggerer", "--skip-serve-logs")
        processor.wait_until(api.knows_dag, timeout_seconds=START_TIMEOUT_SECONDS)
        yield api


def log_name(path: Path) -> str:
    """A path as a reader wants it: relative to the repository if it is inside."""
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
