"""Sections of a source in a database: they are copied to files, and the rest of ingest reads those.

There is one copy, so a table that changes meanwhile is the same for every reader. Columns that the
spec does not name are not copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from jobs.sources import needed_columns
from jobs.transforms.source import column
from schemas.dataset.spec import Database, DatasetSpec, SourceFile
from schemas.errors import PassingError, UserError
from schemas.lake import Lake
from schemas.run.settings import Settings

# What drivers of PostgreSQL, MySQL and SQL Server say of a server that does not answer.
_LOST = (
    "Connection refused",
    "connection attempt failed",
    "Communications link failure",
    "Connection reset",
    "terminating connection",
    "onnect timed out",  # not all that times out: Spark's futures do, too
    "onnection timed out",
    "Read timed out",
)
_FETCHED_ROWS = 10_000  # at a time, over the wire: some drivers' default is all


@contextmanager
def as_files(
    spark: SparkSession, settings: Settings, spec: DatasetSpec, lake: Lake
) -> Iterator[DatasetSpec]:
    """The spec with its database's tables as files, which are there for the block.

    Raises `UserError` when the database cannot be read, or a table lacks a column, and
    `PassingError` when the database does not answer.
    """
    if spec.database is None:
        yield spec
        return
    asked = {id(file): names for file, names in needed_columns.of_spec(spec)}
    with lake.scratch("source") as folder:
        copied: dict[str, Any] = {}
        for name, file in spec.in_database.items():
            copy = folder / name / file.file  # two sections may be of one table
            frame = _table(spark, settings, spec.database, file, asked[id(file)])
            _write(frame, copy, file, spec.database)
            copied[name] = file.model_copy(update={"file": str(copy)})
        yield spec.model_copy(update=copied)


def _table(
    spark: SparkSession, settings: Settings, database: Database, file: SourceFile, names: list[str]
) -> DataFrame:
    options = {
        "url": database.url,
        "driver": database.driver,
        "user": settings.source_user,
        "password": settings.source_password,
    }
    reader = spark.read.format("jdbc").option("fetchsize", _FETCHED_ROWS)
    for key, value in options.items():
        if value is not None:
            reader = reader.option(key, value)
    try:
        frame = reader.option("dbtable", file.file).load()
        found = frame.columns  # asks the database
    except PySparkException as error:
        raise (PassingError if _is_lost(error) else UserError)(
            f"{_unread(file, database, error)} "
            "Expected a table that COLDSTART_SOURCE_USER may read with COLDSTART_SOURCE_PASSWORD, "
            "and the database's driver among the jars of COLDSTART_SPARK_JARS."
        ) from error
    needed = list(dict.fromkeys([*names, *file.only, *file.without]))
    if missing := sorted(set(needed) - set(found)):
        raise UserError(
            f"{file.file} in {database.url} has the columns {found}; the dataset spec also needs "
            f"{missing}. Add them to a view, or name other columns in the spec."
        )
    return frame.select(*map(column, needed))


def _write(frame: DataFrame, copy: Path, file: SourceFile, database: Database) -> None:
    """Copy the table's rows; an error of Spark or of the disk is raised as it is."""
    try:
        frame.write.parquet(str(copy))
    except Exception as error:  # a driver of the step's own raises another class than a server
        if not _is_lost(error):
            raise
        raise PassingError(
            f"{_unread(file, database, error)} Expected the database to answer until all rows are "
            "copied. Run the step again: nothing was written."
        ) from error


def _is_lost(error: Exception) -> bool:
    return any(words in str(error) for words in _LOST)


def _unread(file: SourceFile, database: Database, error: Exception) -> str:
    return f"{file.file} in {database.url} cannot be read: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def name_of(file: SourceFile) -> str:
    """The name of the file for people; for a copied table, the name of the table."""
    return Path(file.file).name if file.format == "jdbc" else file.file
