"""Child processes that never outlive their launcher."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.run.settings import REPOSITORY

POLL_SECONDS = 0.1
DEFAULT_GRACE_SECONDS = 8.0


class StartError(Exception):
    """A child process did not come up; the message says which, and where its log is."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A command running under a guard (`local.guard`) in a session of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    def wait(self) -> int:
        """Wait for the end, however long that takes; returns the exit code."""
        return self.process.wait()

    def wait_until(self, ready: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Wait until `ready()`; `StartError` when the child ends first, or time is up."""
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            where = f"; see {self.log}" if self.log else ""
            if self.exit_code is not None:
                raise StartError(f"{self.name} ended with exit code {self.exit_code}{where}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} is not up after {timeout_seconds:.0f} s{where}")
            time.sleep(POLL_SECONDS)


@contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    log: Path | None = None,
    grace_seconds: float = DEFAULT_GRACE_SECONDS,
) -> Iterator[Child]:
    """Run a command from the repository's root; when the block ends, so has all it started.

    Its output goes to `log`, or to this process's own output without one. It gets SIGTERM, and
    SIGKILL when it has not ended after `grace_seconds`.
    """
    guard = [sys.executable, "-m", "local.guard", str(grace_seconds), *map(str, command)]
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    output = log.open("ab") if log else None
    try:
        process = subprocess.Popen(
            guard,
            stdin=subprocess.PIPE,  # closes when this process ends, so that the guard ends
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env={**environment, "PYTHONPATH": str(REPOSITORY)},
            cwd=REPOSITORY,
            start_new_session=True,  # so that Ctrl-C reaches the launcher alone
        )
    finally:
        if output:
            output.close()
    try:
        yield Child(name=name, process=process, log=log)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


@contextmanager
def stopping_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the program as Ctrl-C does."""

    # The handler that Python itself gives SIGINT: it raises KeyboardInterrupt.
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def free_port(preferred: int | None = None) -> int:
    """A port of 127.0.0.1 nobody listens on: `preferred` when it is free."""
    if preferred and not is_open(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    """Whether something listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def base_environment() -> dict[str, str]:
    """This process's environment, without the settings of a surrounding Airflow or Spark."""
    foreign = ("AIRFLOW", "SPARK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
