"""Reads a source's files as frames of strings; what they mean is for the transforms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs import delimited
from jobs.transforms.source import ORIGIN, column, that_count
from schemas.dataset_spec import DatasetSpec, SourceFile
from schemas.errors import UserError


def read_file(spark: SparkSession, source: Path, file: SourceFile, needed: list[str]) -> DataFrame:
    """The file's rows that count, every column a string, null where a row has no such column.

    The column `ORIGIN` says where each comes from. Numbers and times of a Parquet file become
    their text, and its lists lists of texts. Raises `UserError` when the file cannot be read or
    lacks one of the `needed` columns.
    """
    if (problem := missing_from(source, file, needed)) is not None:
        raise UserError(problem)
    path = source / file.file
    if file.format == "parquet":
        needed = [*needed, *file.only, *file.without]
        return that_count(_parquet(spark, path, file, needed), file)
    return that_count(delimited.read(spark, path, file, columns_of(source, file)), file)


def missing_from(source: Path, file: SourceFile, needed: Sequence[str]) -> str | None:
    """Which columns the file lacks, in words; None when it has all that the spec asks it for."""
    columns = columns_of(source, file)
    missing = sorted({*needed, *file.only, *file.without} - set(columns))
    if not missing:
        return None
    return (
        f"{source / file.file} has the columns {columns}; the dataset spec also needs {missing}. "
        "Add them to the file, or name other columns in the spec."
    )


def columns_of(source: Path, file: SourceFile) -> list[str]:
    """The names of the file's columns; a `UserError` when it cannot be read."""
    path = source / file.file
    try:
        is_parquet = file.format == "parquet"
        names = list(pq.read_schema(path).names) if is_parquet else delimited.header(path, file)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{path} cannot be read as Parquet: {error}. Mend the file, or the spec's `file` and "
            "`format`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        kind = "Parquet" if file.format == "parquet" else f"{file.encoding} text"
        raise UserError(
            f"{path} cannot be read as {kind}: {error}. "
            "Mend the file, or the spec's `file`, `format` and `encoding`."
        ) from error
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserError(
            f"{path} has several columns named {repeated}; expected each name once. "
            "Rename them in the file, or name all columns in the spec's `columns`."
        )
    return names


def _parquet(spark: SparkSession, path: Path, file: SourceFile, needed: list[str]) -> DataFrame:
    raw = spark.read.parquet(str(path))
    origin = F.struct(
        F.lit(file.file).alias("file"),
        F.lit(None).cast("string").alias("line"),
        F.col("_metadata.row_index").alias("row"),
        F.lit(True).alias("is_whole"),
    )
    types = {each.name: each.dataType for each in raw.schema}
    nanoseconds = _nanoseconds(path)

    def text(name: str) -> Column:
        if isinstance(types[name], T.ArrayType):
            return column(name).cast("array<string>")
        if name in nanoseconds:  # through a decimal: a double would round
            micros = (column(name).cast("decimal(20, 0)") / 1000).cast("bigint")
            return F.timestamp_micros(micros).cast("string")
        return column(name).cast("string")

    texts = (text(name).alias(name) for name in dict.fromkeys(needed))
    return raw.select(*texts, origin.alias(ORIGIN))


def _nanoseconds(path: Path) -> set[str]:
    """The columns of times in nanoseconds, which the session has Spark read as plain numbers."""
    types = {field.name: field.type for field in pq.read_schema(path)}
    return {n for n, t in types.items() if pa.types.is_timestamp(t) and t.unit == "ns"}


def altered(spec: DatasetSpec, source: Path, found: str, expected: str) -> UserError:
    """A known data set holds something else than it should."""
    return UserError(
        f"{source} holds {found} where {spec.title} has {expected}; its files are cut or altered. "
        "Delete the folder and fetch it again; for data of your own, put a dataset.toml beside it."
    )
