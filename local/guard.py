"""Runs one command and answers for everything it starts.

    python -m local.guard GRACE_SECONDS COMMAND ...

The guard ends when the command ends, when it gets SIGTERM or SIGINT, or when its standard input
closes, which the kernel does for it when its launcher ends, even by SIGKILL. Before it ends, so
does every descendant of the command: as the *subreaper* of its descendants (Linux), the guard
inherits those that left their parents or sessions, and can name them all.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import psutil  # type: ignore[import-untyped]  # its types are a package of their own

_PR_SET_CHILD_SUBREAPER = 36  # from <linux/prctl.h>
_LEFTOVER_GRACE_SECONDS = 3


def main(arguments: list[str]) -> int:
    """Run COMMAND until it ends, a signal comes or stdin closes; returns its exit code."""
    grace_seconds, command = float(arguments[0]), arguments[1:]
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    _adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for wait in (child.wait, _wait_for_end_of_input):
        threading.Thread(target=_then_set, args=(wait, over), daemon=True).start()
    over.wait()
    _end(child, grace_seconds)
    _end_leftovers()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _then_set(wait: Callable[[], object], over: threading.Event) -> None:
    wait()
    over.set()


def _wait_for_end_of_input() -> None:
    while os.read(0, 1):  # not sys.stdin: a thread blocked in it would break the guard's own end
        pass


def _adopt_orphans() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end(child: subprocess.Popen[bytes], grace_seconds: float) -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_leftovers() -> None:
    """End what the command left, politely first; again until there is nothing."""
    me = psutil.Process()
    polite = True
    while leftovers := me.children(recursive=True):
        for process in leftovers:
            try:
                process.terminate() if polite else process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(leftovers, timeout=_LEFTOVER_GRACE_SECONDS)
        polite = False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
