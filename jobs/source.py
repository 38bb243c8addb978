"""Reads a source's files as frames of strings; what they mean is for the transforms."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from jobs.transforms.source import column
from schemas.dataset_spec import DatasetSpec, SourceFile
from schemas.errors import UserError


def read_file(spark: SparkSession, source: Path, file: SourceFile, needed: list[str]) -> DataFrame:
    """All rows of the file, every column a string, null where a row has no such column.

    Numbers of a Parquet file become their text, and its lists lists of texts. Raises `UserError`
    when the file cannot be read or lacks one of the `needed` columns.
    """
    path, is_parquet = source / file.file, file.format == "parquet"
    columns = _parquet_columns(path) if is_parquet else list(file.columns) or _header(path, file)
    missing = sorted(set(needed) - set(columns))
    if missing:
        raise UserError(
            f"{path} has the columns {columns}; the dataset spec also needs {missing}. "
            "Add them to the file, or name other columns in the spec."
        )
    return _parquet(spark, path, needed) if is_parquet else _delimited(spark, path, file, columns)


def _delimited(spark: SparkSession, path: Path, file: SourceFile, columns: list[str]) -> DataFrame:
    return (
        spark.read.schema(T.StructType([T.StructField(name, T.StringType()) for name in columns]))
        .option("sep", file.delimiter)
        .option("quote", file.quote)
        .option("escape", file.quote)  # a quote inside a quoted value is doubled (RFC 4180)
        .option("encoding", file.encoding)
        .option("header", not file.columns)
        .option("mode", "PERMISSIVE")
        .csv(str(path))
    )


def _parquet(spark: SparkSession, path: Path, needed: list[str]) -> DataFrame:
    raw = spark.read.parquet(str(path)).select(*(column(name) for name in dict.fromkeys(needed)))
    return raw.select(
        *(
            column(each.name).cast(
                "array<string>" if isinstance(each.dataType, T.ArrayType) else "string"
            )
            for each in raw.schema
        )
    )


def _parquet_columns(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(
            f"{path} cannot be read as Parquet: {error}. Mend the file, or the spec's `file` and "
            "`format`."
        ) from error


def altered(spec: DatasetSpec, source: Path, found: str, expected: str) -> UserError:
    """A known data set holds something else than it should."""
    return UserError(
        f"{source} holds {found} where {spec.title} has {expected}; its files are cut or altered. "
        "Delete the folder and fetch it again; for data of your own, put a dataset.toml beside it."
    )


def _header(path: Path, file: SourceFile) -> list[str]:
    try:
        with path.open(encoding=file.encoding) as lines:
            first = lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise UserError(
            f"{path} cannot be read as {file.encoding} text: {error}. "
            "Mend the file, or the spec's `file` and `encoding`."
        ) from error
    if not first:
        raise UserError(f"{path} is empty; expected a header line and rows.")
    return [name.strip(file.quote or None) for name in first.split(file.delimiter)]
