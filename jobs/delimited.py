"""Delimited text as rows of strings, each beside the line it was read from."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.transforms.source import ORIGIN, column, quoted
from schemas.dataset_spec import SourceFile
from schemas.errors import UserError

_LINE, _BROKEN = "_line", "_broken"


def header(path: Path, file: SourceFile) -> list[str]:
    """The names of the file's columns, from the spec or from its first line."""
    if file.columns:
        path.stat()
        return list(file.columns)
    names = _first_line(path, file).split(file.delimiter)
    return [name.strip(file.quote or None) for name in names]


def read(spark: SparkSession, path: Path, file: SourceFile, columns: list[str]) -> DataFrame:
    """The file's rows. One with other columns than the file's is not whole, and has what it has.

    Lines are read as text, and taken apart by Spark's CSV parser: its own reader would forget the
    line of a row that it understands, and such a row may still break a rule.
    """
    lines = spark.read.text(str(path)).select(_text(file).alias(_LINE))
    if not file.columns:
        lines = lines.where(F.col(_LINE) != _first_line(path, file))
    options = {
        "sep": file.delimiter,
        "quote": file.quote,
        # Without one, a quote inside a quoted value is doubled (RFC 4180).
        "escape": file.quote if file.escape is None else file.escape,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": _BROKEN,
    }
    schema = ", ".join(f"{quoted(name)} string" for name in (*columns, _BROKEN))
    # Generated from a list of one: filters stay behind it, which Spark would otherwise move before
    # the parser, and parse again for each.
    row = F.inline(F.array(F.from_csv(_LINE, schema, options)))
    rows = lines.where(F.col(_LINE).rlike(r"\S")).select(_LINE, row)
    return rows.select(
        *(_value(name, file).alias(name) for name in columns),
        F.struct(
            F.lit(file.file).alias("file"),
            F.col(_LINE).alias("line"),
            F.lit(None).cast("bigint").alias("row"),
            F.col(_BROKEN).isNull().alias("is_whole"),
        ).alias(ORIGIN),
    )


def _text(file: SourceFile) -> Column:
    if file.encoding == "UTF-8":
        return F.make_valid_utf8("value")
    return F.decode(F.col("value").cast("binary"), file.encoding)


def _value(name: str, file: SourceFile) -> Column:
    text = column(name)
    return F.when(~F.trim(text).isin(*file.nulls), text) if file.nulls else text


def _first_line(path: Path, file: SourceFile) -> str:
    with path.open("rb") as lines:
        first = lines.readline().splitlines()
    text = first[0].decode(file.encoding).removeprefix("\ufeff") if first else ""
    if not text:
        raise UserError(f"{path} is empty; expected a header line and rows.")
    return text
