"""Delimited text as rows of strings, each beside the line it was read from."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def origin(source: Path, *, line: Column, row: Column, is_whole: Column) -> Column:
    """Where a row comes from: its file, by its path in the source, and its line or row there."""
    root = "^file:/+" + re.escape(str(source.absolute()).lstrip("/")) + "/"
    file = F.regexp_replace(F.url_decode("_metadata.file_path"), root, "")
    return F.struct(
        file.alias("file"), line.alias("line"), row.alias("row"), is_whole.alias("is_whole")
    )


def read(
    spark: SparkSession, source: Path, paths: Sequence[Path], file: SourceFile, columns: list[str]
) -> DataFrame:
    """The rows of files with these columns. One with more or fewer is not whole.

    Lines are read as text, and taken apart by Spark's CSV parser: its own reader would forget the
    line of a row that it understands, and such a row may still break a rule.
    """
    line, broken = F.col(_LINE), F.col(_BROKEN)
    none = F.lit(None).cast("bigint")
    lines = spark.read.text([str(path) for path in paths])
    lines = lines.select(
        _text(file).alias(_LINE),
        origin(source, line=_text(file), row=none, is_whole=F.lit(True)).alias(ORIGIN),
    )
    if not file.columns:
        headers = {_first_line(path, file) for path in paths}
        lines = lines.where(~line.isin(*headers))
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
    rows = lines.where(line.rlike(r"\S")).select(ORIGIN, row)
    return rows.select(
        *(_value(name, file).alias(name) for name in columns),
        F.col(ORIGIN).withField("is_whole", broken.isNull()).alias(ORIGIN),
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
