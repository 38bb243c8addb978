"""Reads a source's files as frames of strings; the transforms interpret them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.sources.accounts.tally import Tally
from jobs.sources.files import paths
from jobs.sources.files.folder import NUMBER, SourceFolder
from jobs.sources.files.paths import Part
from jobs.sources.formats import delimited, headers, parquet
from jobs.sources.formats.database import name_of
from jobs.sources.needed_columns import of_interactions
from jobs.transforms.source import ORIGIN, column, is_chosen, parse_interactions, quoted
from schemas.dataset.source_files import DAY
from schemas.dataset.spec import DatasetSpec, Interactions, SourceFile
from schemas.errors import UserError

NOT_CHOSEN = "not chosen by only and without"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The rows of a section's files, and the count of them, which the first action fills."""

    rows: DataFrame
    tally: Tally
    what: str  # the file, for people


def read_file(
    source: SourceFolder,
    file: SourceFile,
    needed: Sequence[str],
    parts: Sequence[Part] | None = None,
) -> Reading:
    """The file's rows that count, every column a string, null where a row has no such column.

    `parts` are the files to read where there is one a day. The column `ORIGIN` says where each row
    comes from. Numbers and times of a Parquet file become their text, and its lists lists of texts.
    Columns are found by exact name, file by file: a later file may have more, or another order.
    Raises `UserError` when a file cannot be read or lacks one of the `needed` columns.
    """
    parts = paths.parts(source.path, file) if parts is None else parts
    needed = list(dict.fromkeys([*needed, *file.only, *file.without]))
    tally, what = Tally(), str(source.path / name_of(file))
    parts = with_bytes(parts, file)
    for problem in problems(source.path, parts, file, needed):
        raise UserError(problem)
    if not parts:
        return Reading(rows=_none(source, needed), tally=tally, what=what)
    is_text = file.format == "delimited"
    raw = (_text if is_text else _parquet)(source, parts, file, needed, tally)
    if file.only or file.without:
        number = F.col(f"{ORIGIN}.number")
        raw = tally.without(raw, NOT_CHOSEN, ~is_chosen(file), number)
    return Reading(rows=raw, tally=tally, what=what)


def with_bytes(parts: Sequence[Part], file: SourceFile) -> list[Part]:
    """The files that are not empty: a program without a row may write a text without a byte, not
    even a header."""
    is_text = file.format == "delimited"
    return [part for part in parts if not (is_text and headers.is_empty(part.path))]


def problems(
    source: Path, parts: Sequence[Part], file: SourceFile, needed: Sequence[str]
) -> Iterator[str]:
    """Why the files cannot be read, or lack a column, in words."""
    if not parts and DAY not in file.file:
        yield (
            f"{source / file.file} is empty; expected a header line and rows, or a folder with "
            "such files. Fill it, or correct the spec's `file`."
        )
    for part in parts:
        try:
            if (problem := headers.missing_from(part.path, file, needed)) is not None:
                yield problem
            elif file.format == "parquet":
                list(parquet.types_of(part.path, needed))
        except UserError as error:
            yield str(error)


def check_plain(read: Reading, names: Sequence[str]) -> None:
    """A `UserError` if a column has lists and must have one value a row."""
    lists = {each.name for each in read.rows.schema if isinstance(each.dataType, T.ArrayType)}
    if found := sorted(lists.intersection(names)):
        raise UserError(
            f"{read.what} has lists in {found}; expected one value a row. Write a row for each "
            "value, or name other columns in the spec."
        )


def read_interactions(
    source: SourceFolder, spec: Interactions, parts: Sequence[Part] | None = None
) -> Reading:
    """The source's interactions, parsed; `parts` are the files to read where there is one a day."""
    read = read_file(source, spec, of_interactions(spec), parts)
    check_plain(read, of_interactions(spec))
    return replace(read, rows=parse_interactions(read.rows, spec))


def _text(
    source: SourceFolder, parts: Sequence[Part], file: SourceFile, needed: list[str], tally: Tally
) -> DataFrame:
    staged = source.stage(parts, [headers.end_of_name(part.path) for part in parts])
    tally.expects(staged)
    alike = defaultdict(list)
    for each in staged:
        alike[tuple(headers.header(each.part.path, file))].append(each)
    frames = (
        delimited.read(source, files, file, columns, needed, tally)
        for columns, files in alike.items()
    )
    rows = source.named(reduce(DataFrame.unionByName, frames), staged)
    none = F.lit(None).cast("bigint")
    origin = _origin(line=F.col(delimited.LINE), row=none, is_whole=F.col(delimited.WHOLE))
    return rows.select(*map(column, needed), origin.alias(ORIGIN))


def _parquet(
    source: SourceFolder, parts: Sequence[Part], file: SourceFile, needed: list[str], tally: Tally
) -> DataFrame:
    """For a table of a database: its name, and no row numbers, because it has no order."""
    is_table = file.format == "jdbc"
    ends = [".parquet"] * len(parts)
    staged = source.stage(parts, ends, name_of(file) if is_table else None)
    tally.expects(staged)
    rows = source.named(parquet.read(source, staged, needed, tally), staged)
    row = F.lit(None).cast("bigint") if is_table else F.col(parquet.ROW)
    origin = _origin(line=F.lit(None).cast("string"), row=row, is_whole=F.lit(True))
    return rows.select(*map(column, needed), origin.alias(ORIGIN))


def _origin(*, line: Column, row: Column, is_whole: Column) -> Column:
    return F.struct(
        F.col(NUMBER).alias("number"), F.col("_file").alias("file"), F.col("_day").alias("day"),
        line.alias("line"), row.alias("row"), is_whole.alias("is_whole"),
    )  # fmt: skip


def _none(source: SourceFolder, needed: Sequence[str]) -> DataFrame:
    strings = "".join(f"{quoted(name)} string, " for name in needed)
    origin = "struct<number int, file string, day date, line string, row bigint, is_whole boolean>"
    return source.spark.createDataFrame([], f"{strings}{ORIGIN} {origin}")


def altered(spec: DatasetSpec, source: Path, found: str, expected: str) -> UserError:
    """The error that a known data set is altered."""
    return UserError(
        f"{source} holds {found} where {spec.title} has {expected}; its files are cut or altered. "
        "Delete the folder and fetch it again; for data of your own, put a dataset.toml beside it."
    )
