"""Parquet as rows of strings, whatever types the columns have, file by file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.sources.accounts.tally import Tally
from jobs.sources.files.folder import NUMBER, SourceFolder, Staged, file_number
from jobs.transforms.source import column, quoted
from schemas.errors import UserError

ROW = "_row"
_NANOSECONDS = "nanoseconds"  # of the files; Spark reads them as numbers
# To the same instant, whatever calendar the writer used.
_AS_WRITTEN = {"datetimeRebaseMode": "CORRECTED", "int96RebaseMode": "CORRECTED"}


def read(
    source: SourceFolder, staged: Sequence[Staged], needed: Sequence[str], tally: Tally
) -> DataFrame:
    """The `needed` columns as text, or lists of texts, beside NUMBER and ROW.

    Files are read together that have the needed columns of the same types.
    """
    alike: dict[tuple[str, ...], list[Staged]] = defaultdict(list)
    for each in staged:
        alike[tuple(types_of(each.part.path, needed))].append(each)
        tally.knows(each.name, pq.read_metadata(each.part.path).num_rows)
    frames = (_of_types(source, files, needed, types) for types, files in alike.items())
    return reduce(DataFrame.unionByName, frames)


def _of_types(
    source: SourceFolder, staged: Sequence[Staged], needed: Sequence[str], types: tuple[str, ...]
) -> DataFrame:
    fields = zip(needed, types, strict=True)
    schema = ", ".join(f"{quoted(n)} {'bigint' if t == _NANOSECONDS else t}" for n, t in fields)
    reader = source.spark.read.schema(schema).options(**_AS_WRITTEN)
    raw = reader.parquet(*(each.link for each in staged))
    values = (_text(name, type_).alias(name) for name, type_ in zip(needed, types, strict=True))
    row = F.col("_metadata.row_index").alias(ROW)
    return raw.select(file_number().alias(NUMBER), row, *values)


def _text(name: str, type_: str) -> Column:
    value = column(name)
    if type_.startswith("array<"):
        return value.cast("array<string>")
    if type_ in ("float", "double"):
        return _of_number(value.cast("double"))
    if type_.startswith("decimal(") and not type_.endswith(",0)"):
        return F.when(value == F.floor(value), F.floor(value).cast("string")).otherwise(
            value.cast("string")
        )
    if type_ == _NANOSECONDS:
        # Through a decimal: a double would round.
        micros = (value.cast("decimal(20, 0)") / 1000).cast("bigint")
        return F.timestamp_micros(micros).cast("string")
    return value.cast("string")


def _of_number(value: Column) -> Column:
    """As a person writes it: a whole number has no point and no exponent, and NaN is none."""
    is_whole = (F.abs(value) < 1e37) & (value == F.rint(value))
    whole = F.when(is_whole, value).try_cast("decimal(38, 0)").cast("string")
    return F.when(~F.isnan(value), F.coalesce(whole, value.cast("string")))


def types_of(path: Path, needed: Sequence[str]) -> Iterator[str]:
    """The columns' types as Spark calls them; a `UserError` where it has none."""
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    physical = {file.schema.column(n).path: file.schema.column(n).physical_type
                for n in range(len(file.schema))}  # fmt: skip
    for name in needed:
        found = schema.field(name).type
        type_ = "timestamp" if physical.get(name) == "INT96" else _of_arrow(found)
        if type_ is None:
            raise UserError(
                f"{path} has {name} as {found}, which cannot be read; expected text, a number, a "
                "time, true or false, or a list of them. Write it as text."
            )
        yield type_


_NAMES = {
    pa.bool_(): "boolean", pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int",
    pa.int64(): "bigint", pa.uint8(): "smallint", pa.uint16(): "int", pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)", pa.float32(): "float", pa.float64(): "double",
    pa.string(): "string", pa.large_string(): "string", pa.string_view(): "string",
    pa.binary(): "binary", pa.large_binary(): "binary", pa.binary_view(): "binary",
    pa.date32(): "date", pa.date64(): "date", pa.null(): "string",
}  # fmt: skip


def _of_arrow(type_: pa.DataType) -> str | None:
    """The type that Spark reads such a column with; None if there is none."""
    if pa.types.is_dictionary(type_):
        return _of_arrow(type_.value_type)
    if pa.types.is_timestamp(type_):
        if type_.unit == "ns":
            return _NANOSECONDS
        return "timestamp_ntz" if type_.tz is None else "timestamp"
    if pa.types.is_decimal128(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        of_values = _of_arrow(type_.value_type)
        plain = of_values and "<" not in of_values and of_values != _NANOSECONDS
        return f"array<{of_values}>" if plain else None
    return _NAMES.get(type_)
