"""A night's tables, held to their contracts: one error names all that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from jobs.checks import data_docs, drift, incremental
from jobs.checks.validation import Validation, Validator
from jobs.spark.partitions import read_partition
from jobs.spark.session import spark_session
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import MADE_BY
from schemas.projections.arrow import check_arrow
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables.columns import Table
from schemas.tables.drift import DRIFT


@dataclass(frozen=True, kw_only=True)
class Night:
    """The tables of one ds, as Spark frames."""

    spark: SparkSession
    lake: Lake
    spec: DatasetSpec
    ds: date

    def read(self, table: Table) -> DataFrame:
        """The partition in force of `ds`; raises `UserError` with the step that makes it."""
        return read_partition(self.spark, self.lake, table, self.ds)


Frames = Iterator[tuple[Table, DataFrame]]


def check(
    settings: Settings,
    ds: date,
    record: journal.Step,
    spec: DatasetSpec,
    checked: tuple[Table, ...],
    frames: Callable[[Night], Frames],
) -> None:
    """Validate the frames, write their Data Docs, and raise one `UserError` of all failures.

    Drift from the previous ds is reported, and fails no step.
    """
    lake = Lake(root=settings.lake)
    _check_files(lake, ds, checked)
    validations = []
    with spark_session(settings) as spark:
        validator = Validator()
        for table, frame in frames(Night(spark=spark, lake=lake, spec=spec, ds=ds)):
            validation = validator.validate(table, frame)
            validations.append(validation)
            counts = validation.result.statistics
            record.progress(
                f"{table.name}: {validation.rows:,} rows, {counts['successful_expectations']} of "
                f"{counts['evaluated_expectations']} expectations met"
            )
        drifts = validator.validate(DRIFT, drift.measure(spark, lake, checked, ds))
    record.rows_in = sum(validation.rows for validation in validations)
    title = f"{record.name} of {spec.title}, ds {ds}"
    folder = settings.data_docs / f"ds={ds}" / record.name
    index = data_docs.write(folder, title, [*validations, drifts])
    record.facts["warnings"] = warnings = drifts.warnings()
    for warning in warnings:
        record.progress(f"warning: {warning}")
    record.facts["data_docs"] = str(index)
    record.progress(f"Data Docs: {index}")
    _raise_failures(validations, ds, f"Data Docs: {index}")


def _check_files(lake: Lake, ds: date, checked: tuple[Table, ...]) -> None:
    """Hold the files themselves to their contracts: Spark would read a missing column as nulls."""
    problems = []
    for table in checked:
        is_history = table.name == "interactions"
        for day in incremental.days_to_check(lake, table, ds) if is_history else [ds]:
            partition = lake.require(table.name, day)
            for file in sorted(partition.glob("*.parquet")):
                try:
                    check_arrow(table, pq.read_schema(file), str(file))
                except UserError as error:
                    problems.append(str(error))
                except pa.ArrowInvalid as error:
                    step = MADE_BY[table.name]
                    problems.append(
                        f"{file} is not readable Parquet ({error}); "
                        f"run the step {step.name} for ds {day} again: {step.command(day)}"
                    )
    if problems:
        raise UserError("\n".join(problems))


def _raise_failures(validations: list[Validation], ds: date, docs: str) -> None:
    failures = [failure for validation in validations for failure in validation.failures()]
    if not failures:
        return
    at_fault = sorted({MADE_BY[v.table.name].name for v in validations if v.failures()})
    raise UserError(
        f"{len(failures)} expectations of ds {ds} are not met:\n- "
        + "\n- ".join(failures)
        + f"\nCorrect the data or the step that wrote it ({', '.join(at_fault)}), "
        f"and run that step again for ds {ds}. {docs}"
    )
