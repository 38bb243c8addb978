"""Reads a source's text files as frames of strings; what they mean is for the transforms."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from schemas.delimited_file import DelimitedFile
from schemas.errors import UserError


def read_delimited(
    spark: SparkSession, source: Path, file: DelimitedFile, needed: list[str]
) -> DataFrame:
    """All rows of the file, every column a string, null where a row has no such column.

    Raises `UserError` when the file cannot be read or lacks one of the `needed` columns.
    """
    path = source / file.file
    columns = list(file.columns) or _header(path, file)
    missing = sorted(set(needed) - set(columns))
    if missing:
        raise UserError(
            f"{path} has the columns {columns}; the dataset spec also needs {missing}. "
            "Add them to the file, or name other columns in the spec."
        )
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


def _header(path: Path, file: DelimitedFile) -> list[str]:
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
