"""Gives the tasks of a queue their own pod; Airflow finds this module on PYTHONPATH by its name.

KubernetesExecutor does not look at queues. Under CeleryExecutor this file is not needed: there a
worker takes the tasks of the queues it is started with.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

GPU_POD = Path(__file__).with_name("gpu_pod.yaml")


def task_policy(task: BaseOperator) -> None:
    """Airflow's hook, called with every task of every DAG when the DAG is read."""
    gpu_queue = os.environ.get("COLDSTART_GPU_QUEUE")
    if gpu_queue and task.queue == gpu_queue:
        task.executor_config = {**(task.executor_config or {}), "pod_template_file": str(GPU_POD)}
