"""Steps of the night, run as every night runs them: a process each, on a Spark server."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import UserError
from schemas.run.settings import REPOSITORY

_START_TIMEOUT_SECONDS = 120


def run(arguments: list[str], variables: Mapping[str, str]) -> float:
    """Run `python -m jobs ARGUMENTS` with the environment's variables; its seconds, start to end.

    Without `COLDSTART_SPARK` among the variables the step has a Spark driver of its own.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "COLDSTART_SPARK"}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *arguments],
        env={**inherited, **variables},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UserError(f"the step {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


@dataclass(frozen=True, kw_only=True)
class Server:
    """A Spark server that is up; `variables` make steps use it."""

    process_id: int
    variables: Mapping[str, str]

    def peak_mib(self) -> int:
        """The most memory that the server, a JVM that is Spark's driver and executor, ever held."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        [peak] = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return round(int(peak) / 1024)


@contextmanager
def spark_server(home: Path) -> Iterator[Server]:
    """A Spark server in a home of its own, which ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = {"SPARK_CONNECT_AUTHENTICATE_TOKEN": secrets.token_hex(32)}
    home.mkdir(parents=True)
    with (home / "spark.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "spark-server", "--port", str(port)],
            env={**os.environ, **token, "COLDSTART_HOME": str(home)},
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_open(port, process, home / "spark.log")
        url = f"sc://localhost:{port}"
        yield Server(process_id=process.pid, variables={**token, "COLDSTART_SPARK": url})
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    latest = time.monotonic() + _START_TIMEOUT_SECONDS
    while time.monotonic() < latest and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise UserError(f"the Spark server did not start; it says:\n{log.read_text()[-2000:]}")
