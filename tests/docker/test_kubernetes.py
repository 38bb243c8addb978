"""The pods of a cluster, and that Airflow gives them to the tasks they are for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.run.settings import REPOSITORY

FOLDER = REPOSITORY / "docker" / "kubernetes"
PODS = {name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text()) for name in ("pod", "gpu_pod")}
DAG_FILE = """
from datetime import datetime, UTC
from airflow.sdk import DAG
from airflow.providers.standard.operators.bash import BashOperator

with DAG("night", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None):
    BashOperator(task_id="meta_train", bash_command="true", queue="gpus")
    BashOperator(task_id="ingest", bash_command="true")
"""
# What the scheduler knows of the tasks: the DAG as it was read, written down and read back.
AS_SCHEDULED = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
written = json.loads(json.dumps(DagSerialization.to_dict(bag.dags["night"])))
dag = DagSerialization.from_dict(written)
print(json.dumps({task.task_id: task.executor_config for task in dag.tasks}))
"""
each_pod = pytest.mark.parametrize("name", PODS)


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["spec"]["containers"]
    return only


@each_pod
def test_a_pod_can_do_little(name: str) -> None:
    spec, base = PODS[name]["spec"], container(name)
    assert (
        spec["securityContext"] | {"runAsNonRoot": True, "runAsUser": 10001}
        == (spec["securityContext"])
    )
    assert base["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["restartPolicy"] == "Never"
    assert base["resources"]["limits"]["memory"]
    assert base["name"] == "base", "Airflow looks for this name"


@each_pod
def test_what_is_mounted_is_there(name: str) -> None:
    volumes = {volume["name"] for volume in PODS[name]["spec"]["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container(name)["volumeMounts"]}
    assert set(mounts) == volumes
    assert mounts["home"] == "/var/lib/coldstart"  # COLDSTART_HOME of the images


def test_only_the_gpu_pod_takes_a_gpu_and_only_the_other_gets_secrets() -> None:
    assert container("gpu_pod")["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "nvidia.com/gpu" not in json.dumps(PODS["pod"])
    assert "secret" not in json.dumps(PODS["gpu_pod"]).lower()
    variables = {each["name"]: each for each in container("pod")["env"]}
    assert variables["PGPASSWORD"]["valueFrom"]["secretKeyRef"] == {
        "name": "coldstart",
        "key": "coldstart_writer_password",
    }


@pytest.mark.usefixtures("process")
@pytest.mark.slow  # Airflow reads a DAG file
@pytest.mark.parametrize(
    ("queue", "expected"),
    [("gpus", {"pod_template_file": str(FOLDER / "gpu_pod.yaml")}), ("others", {}), (None, {})],
)
def test_tasks_of_the_queue_get_the_gpu_pod(
    tmp_path: Path, queue: str | None, expected: dict[str, str]
) -> None:
    file = tmp_path / "dags" / "night.py"
    file.parent.mkdir()
    file.write_text(DAG_FILE)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "PYTHONPATH": str(FOLDER),
    }
    environment.pop("COLDSTART_GPU_QUEUE", None)
    if queue:
        environment["COLDSTART_GPU_QUEUE"] = queue
    command = [sys.executable, "-c", AS_SCHEDULED, str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    configured = json.loads(done.stdout.splitlines()[-1])
    assert configured == {"meta_train": expected, "ingest": {}}
