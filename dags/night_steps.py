"""The steps of the night as Airflow tasks: where each runs, what it reads and makes."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import Asset
from report_links import DataDocsLink
from step_operator import StepOperator

from schemas.products import PRODUCTS
from schemas.steps import MADE_BY, READS

MODEL = {"model": "--model"}


def lake_asset(table: str) -> Asset:
    """A table of the lake, one partition a ds: for lineage."""
    return Asset(name=f"lake {table}", uri=f"coldstart://lake/{table}", group="coldstart-lake")


def warehouse_asset(table: str) -> Asset:
    """A published table, which other DAGs may be scheduled on."""
    return Asset(
        name=f"coldstart.{table}", uri=f"coldstart://warehouse/{table}", group="coldstart-warehouse"
    )


PUBLISHED = [warehouse_asset(table) for table in (*(p.name for p in PRODUCTS), "publications")]


def job(task_id: str, doc_md: str, **options: Any) -> StepOperator:
    """A task on tables: `python -m jobs <task-id> --ds D`."""
    return _step("jobs", task_id.replace("_", "-"), task_id, doc_md, **options)


def spark_job(task_id: str, doc_md: str, **options: Any) -> StepOperator:
    """The same by Spark: as many at once as the pool `spark` has slots."""
    return job(task_id, doc_md, pool="spark", **options)


def check(task_id: str, doc_md: str, **options: Any) -> StepOperator:
    """A Spark job that stops the night on bad data, and shows what it found."""
    return spark_job(task_id, doc_md, links=[DataDocsLink()], **options)


def model_step(task_id: str, command: str, doc_md: str, **options: str) -> StepOperator:
    """A task of the model itself: `python -m meta_model <command> --ds D --model M`.

    In the pool `gpu`, one at a time unless it has more slots, and in the queue of
    `COLDSTART_GPU_QUEUE`, if that is set: there the workers with the GPUs listen.
    """
    queue = os.environ.get("COLDSTART_GPU_QUEUE")
    where = {"pool": "gpu", **({"queue": queue} if queue else {})}
    return _step("meta_model", command, task_id, doc_md, options={**MODEL, **options}, **where)


def _step(module: str, command: str, task_id: str, doc_md: str, **kwargs: Any) -> StepOperator:
    name = task_id.replace("_", "-")
    lineage = {
        "inlets": [lake_asset(table) for table in READS.get(name, ())],
        "outlets": [lake_asset(table) for table, step in MADE_BY.items() if step == name],
    }
    return StepOperator(
        **{"task_id": task_id, "module": module, "command": command, "doc_md": doc_md}
        | lineage
        | kwargs
    )
