"""Reads a source's files as frames of strings; what they mean is for the transforms."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs import delimited
from jobs.transforms.source import ORIGIN, column, that_count
from schemas.dataset_spec import DatasetSpec, SourceFile
from schemas.errors import UserError


def read_file(spark: SparkSession, source: Path, file: SourceFile, needed: list[str]) -> DataFrame:
    """The file's rows that count, every column a string, null where a row has no such column.

    The column `ORIGIN` says where each comes from. Numbers of a Parquet file become their text, and
    its lists lists of texts. Raises `UserError` when the file cannot be read or lacks one of the
    `needed` columns.
    """
    path, columns = source / file.file, columns_of(source, file)
    needed = [*needed, *file.only, *file.without]
    missing = sorted(set(needed) - set(columns))
    if missing:
        raise UserError(
            f"{path} has the columns {columns}; the dataset spec also needs {missing}. "
            "Add them to the file, or name other columns in the spec."
        )
    if file.format == "parquet":
        return that_count(_parquet(spark, path, file, needed), file)
    return that_count(delimited.read(spark, path, file, columns), file)


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
    texts = (
        column(name)
        .cast("array<string>" if isinstance(types[name], T.ArrayType) else "string")
        .alias(name)
        for name in dict.fromkeys(needed)
    )
    return raw.select(*texts, origin.alias(ORIGIN))


def altered(spec: DatasetSpec, source: Path, found: str, expected: str) -> UserError:
    """A known data set holds something else than it should."""
    return UserError(
        f"{source} holds {found} where {spec.title} has {expected}; its files are cut or altered. "
        "Delete the folder and fetch it again; for data of your own, put a dataset.toml beside it."
    )
