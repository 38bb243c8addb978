"""A fast test far over its budget fails, one over it warns, and one that waits does neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.run.settings import REPOSITORY

CONFTEST = """
import pytest
from tests.suite import budget
budget.slowness = lambda: 1.0  # this machine's is not under test
pytest_plugins = ("tests.suite.kinds", "tests.suite.lanes", "tests.suite.budget")

@pytest.fixture
def process(): ...
"""
TESTS = """
import sys, time, types

def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def test_busy():
    busy(2)

def test_somewhat_busy():
    busy(1)

def test_busy_and_allowed_to(process):
    busy(2)

def test_imports_a_library():
    sys.modules.update({f"library.part{n}": types.ModuleType("part") for n in range(100)})
    busy(2)

def test_waits():
    time.sleep(2)
"""


@pytest.mark.usefixtures("process")
def test_a_busy_fast_test_fails_or_warns_and_a_waiting_one_does_neither(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--budget", "0.5", "-rA"]
    paths = ["--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(
        [*command, *paths],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert "test_it.py::test_busy took 2." in done.stdout, done.stdout + done.stderr
    assert "PytestWarning: test_it.py::test_somewhat_busy took 1." in done.stdout
    assert done.stdout.count("PytestWarning: test_it.py") == 1
    assert "1 failed, 4 passed" in done.stdout
