"""Delimited text as rows of strings, each beside the line it was read from."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.sources.accounts.tally import Tally
from jobs.sources.files.folder import NUMBER, SourceFolder, Staged, file_number
from jobs.sources.formats import quoting
from jobs.sources.formats.headers import first_line
from jobs.spark.rows import collected
from schemas.dataset.spec import SourceFile

LINE, WHOLE = "_line", "_whole"
_BROKEN = "_broken"


def read(
    source: SourceFolder,
    staged: Sequence[Staged],
    file: SourceFile,
    columns: Sequence[str],
    needed: Sequence[str],
    tally: Tally,
) -> DataFrame:
    """The `needed` columns of files that all have these `columns`, beside NUMBER, LINE and WHOLE.

    A row with more or fewer columns is not whole, nor is one that a quote tears in two.
    """
    if file.multiline:
        rows = _of_records(source, staged, file, columns, tally)
    else:
        rows = _of_lines(source, staged, file, columns, tally)
    place = dict(zip(columns, _names(columns), strict=True))
    values = (_value(F.col(place[name]), file).alias(name) for name in dict.fromkeys(needed))
    return rows.select(NUMBER, LINE, WHOLE, *values)


def _of_lines(
    source: SourceFolder,
    staged: Sequence[Staged],
    file: SourceFile,
    columns: Sequence[str],
    tally: Tally,
) -> DataFrame:
    """Lines are read as text, and then parsed by Spark's CSV parser. Spark's CSV reader would drop
    the line of a row that it can parse, and such a row may still break a rule."""
    line = F.col(LINE)
    torn = _torn(source, staged, file)
    lines = _lines(source, [each for each in staged if each.number not in torn], file)
    lines = lines.withColumn("is_within", F.lit(False))
    if torn:
        of_torn = _lines(source, [each for each in staged if each.number in torn], file)
        lines = lines.unionByName(quoting.within_quotes(of_torn, line, file))
    headers = [] if file.columns else [first_line(each.part.path, file) for each in staged]
    is_header = line.isin(*dict.fromkeys(headers)) if headers else F.lit(False)
    is_row = line.rlike(r"\S") & ~is_header
    lines = tally.reading(lines, is_row)
    # Generated from a list of one: filters stay behind it, which Spark would otherwise move before
    # the parser, and parse again for each.
    row = F.inline(F.array(F.from_csv(line, _schema(columns), _options(file))))
    rows = lines.select(NUMBER, LINE, "is_within", row)
    whole = F.col(_BROKEN).isNull()
    if not torn:
        return rows.withColumn(WHOLE, whole)
    # The values of a line within quotes are unknown.
    values = (F.when(~F.col("is_within"), F.col(name)).alias(name) for name in _names(columns))
    whole = whole & ~F.col("is_within") & ~quoting.leaves_open(line, file)
    return rows.select(NUMBER, LINE, whole.alias(WHOLE), *values)


def _of_records(
    source: SourceFolder,
    staged: Sequence[Staged],
    file: SourceFile,
    columns: Sequence[str],
    tally: Tally,
) -> DataFrame:
    """Rows that may go over several lines: one reader a file, which cannot be divided.

    A quote that is never closed makes one record of all that follows. Each line of a record that is
    not whole is a row of its own, so that what was swallowed is counted, and quarantined. A quote
    that opens in the last column is not noticed: its record has as many columns as any other.
    """
    reader = source.spark.read.schema(_schema(columns)).options(
        **_options(file), multiLine="true", header=str(not file.columns), encoding=file.encoding
    )
    names = _names(columns)
    raw = reader.csv([each.link for each in staged])
    text = F.to_csv(F.struct(*names), {"sep": file.delimiter, "quote": file.quote or "\0"})
    whole = F.col(_BROKEN).isNull()
    lines = F.when(whole, F.array(text)).otherwise(F.split(_BROKEN, r"\r\n|\r|\n"))
    # The values of a record that is not whole are those of its first line.
    values = (F.when(F.col("_place") == 0, F.col(name)).alias(name) for name in names)
    rows = raw.select(
        file_number().alias(NUMBER),
        whole.alias(WHOLE),
        F.posexplode(lines).alias("_place", LINE),
        *names,
    ).select(NUMBER, LINE, WHOLE, *values)
    return tally.reading(rows, F.col(WHOLE) | F.col(LINE).rlike(r"\S"))


def _lines(source: SourceFolder, staged: Sequence[Staged], file: SourceFile) -> DataFrame:
    place = F.col("_metadata.file_block_start").alias(quoting.PLACE)
    if not staged:
        types = f"{NUMBER} int, {LINE} string, {quoting.PLACE} bigint, {quoting.ORDER} bigint"
        return source.spark.createDataFrame([], types)
    lines = source.spark.read.text([each.link for each in staged])
    order = F.monotonically_increasing_id().alias(quoting.ORDER)
    return lines.select(file_number().alias(NUMBER), _text(file).alias(LINE), place, order)


def _torn(source: SourceFolder, staged: Sequence[Staged], file: SourceFile) -> set[int]:
    """The files with a line that leaves a quote open; most have no quote at all."""
    suspects = [each for each in staged if file.quote and _has(each, file.quote.encode())]
    if not suspects:
        return set()
    lines = _lines(source, suspects, file)
    found = lines.where(quoting.leaves_open(F.col(LINE), file)).select(NUMBER).distinct()
    return {row[NUMBER] for row in collected(found)}


def _has(staged: Staged, quote: bytes) -> bool:
    if not staged.link.endswith(".txt"):
        return True  # packed
    with (
        staged.part.path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(quote) >= 0


def _names(columns: Sequence[str]) -> list[str]:
    return [f"_c{n}" for n in range(len(columns))]  # theirs may be repeated, empty, or like ours


def _schema(columns: Sequence[str]) -> str:
    return ", ".join(f"{name} string" for name in (*_names(columns), _BROKEN))


def _options(file: SourceFile) -> dict[str, str]:
    return {
        "sep": file.delimiter,
        "quote": file.quote,
        # Without one, a quote inside a quoted value is doubled (RFC 4180).
        "escape": file.quote if file.escape is None else file.escape,
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": _BROKEN,
    }


def _text(file: SourceFile) -> Column:
    if file.encoding == "UTF-8":
        return F.make_valid_utf8("value")
    return F.decode(F.col("value").cast("binary"), file.encoding)


def _value(text: Column, file: SourceFile) -> Column:
    return F.when(~F.trim(text).isin(*file.nulls), text) if file.nulls else text
