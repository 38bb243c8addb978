"""One Spark Connect server for the whole test run, as a night has one: JVMs start slowly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.session import spark_session
from local.services import spark_server
from schemas.settings import Settings
from tests.tiny_shop import source, tiny

__all__ = ["source", "tiny"]  # fixtures for every test


@pytest.fixture(scope="session")
def spark_variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that makes this process, and any step it starts, use the server."""
    home = tmp_path_factory.mktemp("spark-server")
    with spark_server(Settings.from_environment({"COLDSTART_HOME": str(home)})) as server:
        server.wait_until_up()
        os.environ.update(server.variables)
        yield server.variables
        for name in server.variables:
            del os.environ[name]


@pytest.fixture(scope="session")
def spark(spark_variables: dict[str, str]) -> Iterator[SparkSession]:
    """A session for transforms; steps open their own on the same server."""
    with spark_session(Settings.from_environment(spark_variables)) as session:
        session.conf.set("spark.sql.shuffle.partitions", "2")
        # PySpark gives a checkpoint to the thread's active session, whoever asked for it: that
        # must be the step's own, as it is where a step has a process of its own.
        type(session)._active_session.session = None
        yield session


@pytest.fixture
def settings(tmp_path: Path, spark_variables: dict[str, str]) -> Settings:
    """The settings of a fresh home."""
    return Settings.from_environment({"COLDSTART_HOME": str(tmp_path), **spark_variables})
