"""A run that has to end in time skips what is left, and says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.run.settings import REPOSITORY

CONFTEST = """
import types
from tests.suite import minutes
minutes.time = types.SimpleNamespace(now=0.0, monotonic=lambda: minutes.time.now)
pytest_plugins = ("tests.suite.minutes",)
"""
TESTS = """
from tests.suite import minutes

def test_begun_in_time():
    minutes.time.now += 3.1  # a clock that only tests move: this machine may be slow

def test_too_late():
    assert False
"""


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize(
    ("options", "outcome"),
    [(("--minutes", "0.05"), "1 passed, 1 skipped"), ((), "1 failed, 1 passed")],
)
def test_what_is_too_late_is_skipped(
    tmp_path: Path, options: tuple[str, ...], outcome: str
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *options]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert outcome in done.stdout, done.stdout + done.stderr
    assert ("no time was left: --minutes 0.05" in done.stdout) == bool(options)
