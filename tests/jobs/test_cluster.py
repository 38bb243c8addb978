"""The night on a standalone cluster, a master and two workers of one core, is that of one machine.

All listen on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.java import java_home
from jobs.spark_server import _spark_home
from local.processes import Child, base_environment, free_port, running
from tests.jobs.homes import Home
from tests.jobs.processes import run_step
from tests.jobs.second_night import DS, after

_LIMIT_SECONDS = 60
_WORKERS = 2


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The environment that makes a step use the cluster."""
    port, ui = free_port(), free_port()
    url = f"spark://127.0.0.1:{port}"
    own = {"SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": str(java_home(tmp_path))}
    spark_class = _spark_home() / "bin" / "spark-class"

    def start(stack: ExitStack, name: str, *options: str) -> Child:
        command = [spark_class, f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", *options]
        environment = {**base_environment(), **own, "SPARK_HOME": str(_spark_home())}
        return stack.enter_context(
            running(name, command, environment=environment, log=tmp_path / "cluster.log")
        )

    with ExitStack() as stack:
        master = start(stack, "master.Master", "--port", str(port), "--webui-port", str(ui))
        for n in range(_WORKERS):
            work = ("--work-dir", str(tmp_path / f"work-{n}"), "--webui-port", "0")
            start(stack, "worker.Worker", "--cores", "1", "--memory", "1g", *work, url)
        master.wait_until(lambda: _n_workers(ui) == _WORKERS, timeout_seconds=_LIMIT_SECONDS)
        yield {**own, "COLDSTART_SPARK": url}


def _n_workers(ui: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{ui}/json") as page:
            return int(json.load(page)["aliveworkers"])
    except OSError:
        return 0  # not up yet


def test_the_same_tables_as_on_one_machine(
    stages: dict[str, Home], tmp_path: Path, cluster: Mapping[str, str]
) -> None:
    for step in ("ingest", "build-episodes"):
        home = stages[step].copied_to(tmp_path / step)
        code, said = run_step(replace(home, spark=cluster), step, DS)
        assert code == 0, said
        assert home.rows() == after(stages, step).rows()
    executors = list(tmp_path.glob("work-*/app-*/*"))
    assert len({executor.parts[-3] for executor in executors}) == _WORKERS, "both workers worked"
