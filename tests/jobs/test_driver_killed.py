"""Spark's driver dies under a step, as when the kernel runs out of memory, and Python lives on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from local.services import spark_server
from schemas.run.settings import Settings
from tests.jobs.homes import Home, changed
from tests.jobs.processes import java_of, running_step
from tests.jobs.second_night import DS, assert_undisturbed, is_writing
from tests.suite.spark import OF_TESTS


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _own_server(servers: ExitStack, home: Path) -> tuple[Mapping[str, str], int]:
    settings = Settings.from_environment({"COLDSTART_HOME": str(home)})
    server = servers.enter_context(spark_server(settings))
    server.wait_until_up()
    return server.variables, server.child.process.pid


@pytest.mark.slow  # Spark drivers that are started to be killed
@pytest.mark.parametrize("is_server", [False, True])
def test_a_killed_driver_is_reported_and_leaves_what_was_in_force(
    stages: dict[str, Home], tmp_path: Path, servers: ExitStack, is_server: bool
) -> None:
    home = stages["build_episodes"].copied_to(tmp_path / "home")
    variables, server = _own_server(servers, tmp_path / "server") if is_server else (OF_TESTS, None)
    before = home.partitions()
    with running_step(replace(home, spark=variables), "build_episodes", DS) as process:
        while not is_writing(home, "episodes"):
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        java_of(server or process.pid).kill()
        _, said = process.communicate()
    assert process.returncode == 1  # worth another try
    assert "error: Spark's driver has ended under the step" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert {table for table, _ in changed(before, home.partitions())} <= {"timelines"}
    home.step("build_episodes", DS)
    assert_undisturbed(home, "build_episodes", stages)
