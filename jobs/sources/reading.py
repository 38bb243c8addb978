"""Reads a source's files as frames of strings; what they mean is for the transforms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.sources import delimited
from jobs.sources import paths as source_paths
from jobs.sources.database import name_of
from jobs.sources.needed_columns import of_interactions
from jobs.transforms.source import ORIGIN, column, parse_interactions, that_count
from schemas.dataset_spec import DatasetSpec, Interactions, SourceFile
from schemas.errors import UserError


def read_file(
    spark: SparkSession,
    source: Path,
    file: SourceFile,
    needed: Sequence[str],
    paths: Sequence[Path] | None = None,
) -> DataFrame:
    """The file's rows that count, every column a string, null where a row has no such column.

    `paths` are the files to read where there is one a day. The column `ORIGIN` says where each row
    comes from. Numbers and times of a Parquet file become their text, and its lists lists of texts.
    Raises `UserError` when a file cannot be read or lacks one of the `needed` columns.
    """
    paths = source_paths.paths(source, file) if paths is None else paths
    for path in paths:
        if (problem := missing_from(path, file, needed)) is not None:
            raise UserError(problem)
    if file.format != "delimited":
        needed = list(dict.fromkeys([*needed, *file.only, *file.without]))
        return that_count(_parquet(spark, source, file, paths, needed), file)
    columns = columns_of(paths[0], file)
    for path in paths[1:]:
        if columns_of(path, file) != columns:
            raise UserError(
                f"{path} has the columns {columns_of(path, file)}; expected {columns}, as "
                f"{paths[0]} has. Write all days' files with the same columns."
            )
    return that_count(delimited.read(spark, source, paths, file, columns), file)


def read_interactions(
    spark: SparkSession, source: Path, spec: Interactions, paths: Sequence[Path] | None = None
) -> DataFrame:
    """The source's interactions, parsed; `paths` are the files to read where there is one a day."""
    return parse_interactions(read_file(spark, source, spec, of_interactions(spec), paths), spec)


def missing_from(path: Path, file: SourceFile, needed: Sequence[str]) -> str | None:
    """Which columns the file lacks, in words; None when it has all that the spec asks it for."""
    columns = columns_of(path, file)
    missing = sorted({*needed, *file.only, *file.without} - set(columns))
    if not missing:
        return None
    return (
        f"{path} has the columns {columns}; the dataset spec also needs {missing}. "
        "Add them to the file, or name other columns in the spec."
    )


def columns_of(path: Path, file: SourceFile) -> list[str]:
    """The names of the file's columns; a `UserError` when it cannot be read."""
    try:
        is_text = file.format == "delimited"
        names = delimited.header(path, file) if is_text else list(pq.read_schema(path).names)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{path} cannot be read as Parquet: {error}. Mend the file, or the spec's `file` and "
            "`format`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        kind = f"{file.encoding} text" if file.format == "delimited" else "Parquet"
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


def _parquet(
    spark: SparkSession,
    source: Path,
    file: SourceFile,
    paths: Sequence[Path],
    needed: list[str],
) -> DataFrame:
    raw = spark.read.parquet(*map(str, paths))
    origin = _origin(source, file)
    schema = _schema(paths, needed)

    def text(name: str) -> Column:
        type_ = schema.field(name).type
        if pa.types.is_list(type_) or pa.types.is_large_list(type_):
            return column(name).cast("array<string>")
        # Plain numbers, as the session reads them. Through a decimal: a double would round.
        if pa.types.is_timestamp(type_) and type_.unit == "ns":
            micros = (column(name).cast("decimal(20, 0)") / 1000).cast("bigint")
            return F.timestamp_micros(micros).cast("string")
        return column(name).cast("string")

    return raw.select(*(text(name).alias(name) for name in needed), origin.alias(ORIGIN))


def _origin(source: Path, file: SourceFile) -> Column:
    """Of a row of a database: its table, which has no order, so that no row has a number."""
    none, is_whole = F.lit(None).cast("string"), F.lit(True)
    row = F.col("_metadata.row_index")
    origin = delimited.origin(source, line=none, row=row, is_whole=is_whole)
    if file.format != "jdbc":
        return origin
    of_table = origin.withField("file", F.lit(name_of(file)))
    return of_table.withField("row", F.lit(None).cast("bigint"))


def _schema(paths: Sequence[Path], needed: list[str]) -> pa.Schema:
    """Of the columns needed; a `UserError` when the files have them of different types."""
    schemas = [pq.read_schema(path) for path in paths]
    for path, schema in zip(paths, schemas, strict=True):
        for name in needed:
            found, expected = schema.field(name).type, schemas[0].field(name).type
            if found != expected:
                raise UserError(
                    f"{path} has {name} as {found}; expected {expected}, as {paths[0]} has it. "
                    "Write all days' files with the same types."
                )
    return schemas[0]


def altered(spec: DatasetSpec, source: Path, found: str, expected: str) -> UserError:
    """A known data set holds something else than it should."""
    return UserError(
        f"{source} holds {found} where {spec.title} has {expected}; its files are cut or altered. "
        "Delete the folder and fetch it again; for data of your own, put a dataset.toml beside it."
    )
