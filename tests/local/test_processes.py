import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import StartError, running
from schemas.run.settings import REPOSITORY

# A command that leaves a descendant in a session of its own, which no process group reaches.
LEAVES_A_STRAY = (
    "setsid sh -c 'echo $$ >> {pids}; exec sleep 60' & echo $$ >> {pids}; exec sleep 60"
)
# A shell's background job, such as a CI's, is born ignoring SIGINT, and hands that down.
LAUNCHER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from local.processes import running
from os import environ
with running("it", ["sh", "-c", sys.argv[1]], environment=environ) as child:
    time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], timeout_seconds: float = 60) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def read_pids(file: Path) -> list[int]:
    return [int(pid) for pid in file.read_text().split()] if file.exists() else []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_launcher(tmp_path: Path, number: int) -> None:
    pids = tmp_path / "pids"
    command = LEAVES_A_STRAY.format(pids=pids)
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, command], cwd=REPOSITORY)
    wait_until(lambda: len(read_pids(pids)) == 2)
    assert all(is_running(pid) for pid in read_pids(pids))
    launcher.send_signal(number)
    launcher.wait(60)
    wait_until(lambda: not any(is_running(pid) for pid in read_pids(pids)))


def test_nothing_outlives_the_command(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stray = f"setsid sh -c 'echo $$ >> {pids}; exec sleep 60'"
    command = f"{stray} & until [ -s {pids} ]; do sleep 0.02; done; exit 7"
    with running("it", ["sh", "-c", command], environment=os.environ) as child:
        assert child.wait() == 7
    assert [is_running(pid) for pid in read_pids(pids)] == [False]


def test_what_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"trap '' TERM; echo $$ > {pids}; while :; do sleep 0.1; done"
    with running("it", ["sh", "-c", command], environment=os.environ, grace_seconds=0.2) as child:
        wait_until(lambda: bool(read_pids(pids)))
    assert child.exit_code == 128 + signal.SIGKILL
    assert [is_running(pid) for pid in read_pids(pids)] == [False]


def test_a_child_that_does_not_come_up_is_named_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "its.log"
    command = ["sh", "-c", "echo no port left; exit 3"]
    with (
        running("the server", command, environment=os.environ, log=log) as child,
        pytest.raises(StartError, match=rf"the server ended with exit code 3; see {log}"),
    ):
        child.wait_until(lambda: False, timeout_seconds=60)
    assert log.read_text() == "no port left\n"
