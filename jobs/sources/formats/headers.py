"""The format of a file and the names of its columns, from its first bytes or its Parquet footer."""

from __future__ import annotations

import bz2
import csv
import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.dataset.spec import SourceFile
from schemas.errors import UserError

_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_PACKED = {
    b"PK\x03\x04": "a ZIP archive or an Excel file",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\xfd7zXZ": "compressed by xz",
    b"7z\xbc\xaf": "a 7z archive",
}
_MARK = "\ufeff"


def columns_of(path: Path, file: SourceFile) -> list[str]:
    """The names of the file's columns; a `UserError` when it cannot be read."""
    is_text = file.format == "delimited"
    try:
        return header(path, file) if is_text else list(pq.read_schema(path).names)
    except pa.ArrowException as error:
        raise UserError(
            f"{path} cannot be read as Parquet: {error}. Correct the file, or the spec's `file` "
            "and `format`."
        ) from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        kind = f"{file.encoding} text" if is_text else "Parquet"
        raise UserError(
            f"{path} cannot be read as {kind}: {error}. "
            "Correct the file, or the spec's `file`, `format` and `encoding`."
        ) from error


def missing_from(path: Path, file: SourceFile, needed: Sequence[str]) -> str | None:
    """A sentence about the columns of the spec that the file lacks; None if it has all."""
    columns = columns_of(path, file)
    asked = {*needed, *file.only, *file.without}
    if missing := sorted(asked - set(columns)):
        return (
            f"{path} has the columns {columns}; the dataset spec also needs {missing}. "
            "Add them to the file, or name other columns in the spec."
        )
    if repeated := sorted(name for name in asked if columns.count(name) > 1):
        return (
            f"{path} has several columns named {repeated}; expected each name once. "
            "Rename them in the file, or name all columns in the spec's `columns`."
        )
    return None


def header(path: Path, file: SourceFile) -> list[str]:
    """The names of a text's columns, from the spec or from its first line; none of no line."""
    if file.columns:
        path.stat()
        return list(file.columns)
    return _names(first_line(path, file), file)


def first_line(path: Path, file: SourceFile) -> str:
    """The line without its mark; empty for a file without one."""
    with _opened(path) as lines:
        first = lines.readline().splitlines()
    text = first[0].decode(file.encoding).removeprefix(_MARK) if first else ""
    if text.startswith(("{", "[{")):
        raise UserError(
            f"{path} begins with {text[:40]!r}, which looks like JSON; expected a line of column "
            "names. Write it as delimited text or Parquet."
        )
    return text


def is_empty(path: Path) -> bool:
    """Whether a text has no byte, like the files of writers without a row."""
    return path.is_file() and path.stat().st_size == 0


def end_of_name(path: Path) -> str:
    """The end of a link's name that lets Spark decompress the text."""
    with path.open("rb") as file:
        first = file.read(8)
    for mark, kind in _PACKED.items():
        if first.startswith(mark):
            raise UserError(f"{path} is {kind}; expected text or gzip. Unpack it first.")
    if first.startswith(b"PAR1"):
        raise UserError(f'{path} is a Parquet file; say format = "parquet" in the dataset spec.')
    return ".gz" if first.startswith(_GZIP) else ".bz2" if first.startswith(_BZIP2) else ".txt"


def _opened(path: Path) -> BinaryIO:
    match end_of_name(path):
        case ".gz":
            return cast(BinaryIO, gzip.open(path))
        case ".bz2":
            return cast(BinaryIO, bz2.open(path))
    return path.open("rb")


def _names(line: str, file: SourceFile) -> list[str]:
    if len(file.delimiter) > 1:
        return [name.strip(file.quote or None) for name in line.split(file.delimiter)]
    names = csv.reader(
        [line],
        delimiter=file.delimiter,
        quotechar=file.quote or None,
        quoting=csv.QUOTE_MINIMAL if file.quote else csv.QUOTE_NONE,
        escapechar=file.escape or None,
    )
    return next(names, [])
