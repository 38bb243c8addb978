"""Fixtures that start nothing: they say what a test needs, and the run plans for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.run.settings import Settings


@pytest.fixture
def process() -> None:
    """For a test that starts Python, or another program that takes its time to start."""


@pytest.fixture
def long() -> None:
    """For a test that does all in this process, and cannot do with a fast test's budget."""


@pytest.fixture(scope="session")
def movielens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MovieLens-100K, fetched once for all workers by the code that users run."""
    from jobs.tools import fetch

    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return fetch.run(Settings.from_environment({"COLDSTART_HOME": str(shared / "movielens")}))
