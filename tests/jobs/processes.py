"""Steps as processes that tests stop, watch and kill, with the Spark driver of their own if any."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date
from threading import Timer
from typing import IO

import psutil  # type: ignore[import-untyped]  # its types are a package of their own

from schemas.run.settings import REPOSITORY
from tests.jobs.homes import Home

LIMIT_SECONDS = 180
# The step, which waits where it would put a table's new version, written and sealed, in force.
_WAITING = """
import sys
from jobs.__main__ import main
from schemas import lake

_, table, *arguments = sys.argv
activate = lake._activate

def wait_and_activate(link, version):
    if link.parent.name == table:
        lake._activate = activate
        print("sealed", flush=True)
        sys.stdin.readline()
    activate(link, version)

lake._activate = wait_and_activate
sys.exit(main(arguments))
"""
Process = subprocess.Popen[str]


@contextmanager
def _process(home: Home, *arguments: str) -> Iterator[Process]:
    """Python in a group of its own; SIGKILL for all of it when the block ends or takes long."""
    foreign = ("COLDSTART_", "SPARK_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**inherited, **home.environment},
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    limit = Timer(LIMIT_SECONDS, kill)
    limit.start()
    try:
        yield process
    finally:
        kill()
        limit.cancel()
        process.communicate()


def running_step(home: Home, step: str, ds: date) -> AbstractContextManager[Process]:
    return _process(home, "-m", "jobs", step, "--ds", str(ds))


def waiting_step(home: Home, table: str, step: str, ds: date) -> AbstractContextManager[Process]:
    """The step; it says `sealed` before the table's first new version, and goes on when told."""
    return _process(home, "-c", _WAITING, table, step, "--ds", str(ds))


def run_step(home: Home, step: str, ds: date) -> tuple[int, str]:
    """Run the step to its end; its exit code, and what it said."""
    with running_step(home, step, ds) as process:
        _, said = process.communicate()
        return process.returncode, said


def read_until(words: str, stream: IO[str] | None) -> None:
    assert stream is not None
    said = []
    while words not in (line := stream.readline()):
        said.append(line)
        assert line, f"the step ended without {words!r}: {said}"


@contextmanager
def frozen_when(seen: Callable[[], bool], process: Process, java: psutil.Process) -> Iterator[None]:
    """Stop the step and the Spark server that works for it in the state that is waited for.

    They go on after the block.
    """
    while not seen():
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)  # nothing tells of files in folders that have no name yet
    both = (psutil.Process(process.pid), java)
    for each in both:
        each.suspend()
    for each in both:
        while each.status() != psutil.STATUS_STOPPED:
            time.sleep(0.001)
    yield
    for each in both:
        each.resume()


def java_of(process_id: int) -> psutil.Process:
    """The one JVM among what a process started."""
    [java] = (
        child
        for child in psutil.Process(process_id).children(recursive=True)
        if child.name() == "java"
    )
    return java
