"""The steps of the night as Airflow tasks: where each runs, what it reads and makes."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset
from alerts import kept_champion
from report_links import DataDocsLink, ReportLink
from step_operator import StepOperator

from schemas.pipeline import (
    CHECK_FEATURES,
    CHECK_INTERACTIONS,
    CHECK_OUTPUTS,
    GATE,
    INGEST,
    META_TRAIN,
    PUBLISH,
    REPORT,
    SCORE_COLD_USERS,
    SELECT_EVIDENCE,
)
from schemas.run.team_file import variables
from schemas.step import Step
from schemas.tables.products import PRODUCTS


def lake_asset(table: str) -> Asset:
    """A table of the lake, one partition a ds: for lineage."""
    return Asset(name=f"lake {table}", uri=f"coldstart://lake/{table}", group="coldstart-lake")


def warehouse_asset(table: str) -> Asset:
    """A published table, which other DAGs may be scheduled on."""
    return Asset(
        name=f"coldstart.{table}", uri=f"coldstart://warehouse/{table}", group="coldstart-warehouse"
    )


PUBLISHED = [warehouse_asset(table) for table in (*(p.name for p in PRODUCTS), "publications")]

# The run's parameters that a step takes beside the model, each with its flag.
OPTIONS = {
    INGEST: {"dataset": "--dataset"},
    META_TRAIN: {"epochs": "--epochs", "rank_by": "--rank-by"},
    GATE: {"gate": "--choose"},
    SELECT_EVIDENCE: {"evidence_items": "--evidence-items"},
    SCORE_COLD_USERS: {"top_k": "--top-items"},
}

# What is particular about the task of a step.
SPECIAL: dict[Step, dict[str, Any]] = {
    **{
        step: {"links": [DataDocsLink()]}
        for step in (CHECK_INTERACTIONS, CHECK_FEATURES, CHECK_OUTPUTS)
    },
    GATE: {"on_success_callback": kept_champion},
    PUBLISH: {"only_if": "publish", "outlets": PUBLISHED},
    REPORT: {"links": [ReportLink()]},
}


def task(step: Step) -> StepOperator:
    """A task that runs the step's command line, with lineage, in the pool of what it needs."""
    of_model = {"model": "--model"} if step.takes_model else {}
    usual = {
        "options": {**of_model, **OPTIONS.get(step, {})},
        "inlets": [lake_asset(table) for table in step.reads],
        "outlets": [lake_asset(table) for table in step.makes],
    }
    return StepOperator(
        task_id=step.name,
        module=step.program,
        doc_md=step.does,
        **_where(step),
        **usual | SPECIAL.get(step, {}),
    )


def _where(step: Step) -> dict[str, Any]:
    """As many tasks at once as the step's pool has slots; and those that need a GPU in the queue of
    `COLDSTART_GPU_QUEUE`, if that is set: there the workers with the GPUs listen."""
    if step.pool is None:
        return {}
    queue = variables().get("COLDSTART_GPU_QUEUE") if step.pool == "gpu" else None
    return {"pool": step.pool, **({"queue": queue} if queue else {})}
