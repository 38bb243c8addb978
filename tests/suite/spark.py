"""One Spark Connect server for a worker of the run, as a night has one: JVMs start slowly.

Nothing of Spark is imported before a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from schemas.run.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Two workers have a processor each, and a server each: one thread, and a bounded heap.
OF_TESTS = {
    "COLDSTART_SPARK": "local[1]",
    "COLDSTART_SPARK_MEMORY": "1g",
    "COLDSTART_SPARK_PROPERTIES": str(Path(__file__).with_name("spark.properties")),
}


def pytest_configure() -> None:
    """Also for what tests start: their own servers, and the nights of Airflow."""
    for name, value in OF_TESTS.items():
        os.environ.setdefault(name, value)


@pytest.fixture(scope="session")
def spark_variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that makes this process, and any step it starts, use the server."""
    from local.services import spark_server

    home = tmp_path_factory.mktemp("spark-server")
    with spark_server(Settings.from_environment({"COLDSTART_HOME": str(home)})) as server:
        server.wait_until_up()
        with mock.patch.dict(os.environ, server.variables):
            yield server.variables


@pytest.fixture(scope="session")
def spark(spark_variables: dict[str, str]) -> Iterator[SparkSession]:
    """A session for transforms; steps open their own on the same server."""
    from jobs.spark.session import spark_session

    with spark_session(Settings.from_environment(spark_variables)) as session:
        # PySpark gives a checkpoint to the thread's active session, whoever asked for it: that
        # must be the step's own, as it is where a step has a process of its own.
        type(session)._active_session.session = None
        yield session


@pytest.fixture
def settings(tmp_path: Path, spark_variables: dict[str, str]) -> Settings:
    """The settings of a fresh home."""
    return Settings.from_environment({"COLDSTART_HOME": str(tmp_path), **spark_variables})
