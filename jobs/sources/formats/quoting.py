"""Line breaks within quotes, where a row is one line: such lines are no rows.

A line break in a quoted value splits a row in two, and the second half may look like a row. Lines
are read in parallel, so each line has two states: whether a quote is open after it if none was open
before it, and if one was. Only files with a line that leaves a quote open are scanned from the
first line to the last.
"""

from __future__ import annotations

import re

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.sources.files.folder import NUMBER
from schemas.dataset.spec import SourceFile

PLACE, ORDER = "_place", "_order"  # where a line's block begins in the file, and the line's order


def leaves_open(line: Column, file: SourceFile) -> Column:
    """Whether a quoted value begins on the line and does not end on it."""
    return F.contains(line, F.lit(file.quote)) & _opens(_bare(line, file), file)


def _stays_open(line: Column, file: SourceFile) -> Column:
    """Whether a quote that is open before the line is open after it, or another one is."""
    quote, bare = re.escape(file.quote), _bare(line, file)
    end = f"^[^{quote}]*{quote}"  # what follows a quote that ends a value is the next value
    closes = bare.rlike(f"{end}({re.escape(file.delimiter)}|$)")
    return ~closes | _opens(F.regexp_replace(bare, end, ""), file)


def _bare(line: Column, file: SourceFile) -> Column:
    """The line without the quotes that belong to values."""
    quote = re.escape(file.quote)
    return F.regexp_replace(line, re.escape(file.escape) + "." if file.escape else quote * 2, "")


def _opens(bare: Column, file: SourceFile) -> Column:
    quote, delimiter = re.escape(file.quote), re.escape(file.delimiter)
    whole = f"(^|{delimiter}){quote}.*?{quote}(?={delimiter}|$)"
    return F.regexp_replace(bare, whole, "$1").rlike(f"(^|{delimiter}){quote}")


def within_quotes(lines: DataFrame, line: Column, file: SourceFile) -> DataFrame:
    """The lines with `is_within`: whether a quote is open before the line, and closed later.

    A quote that nothing closes is a stray one: what follows it is as good as ever.
    """
    opens = leaves_open(line, file)
    stays = _stays_open(line, file)
    in_file = Window.partitionBy(NUMBER).orderBy(PLACE, ORDER)
    since, to_end = (
        in_file.rowsBetween(Window.unboundedPreceding, 0),
        in_file.rowsBetween(0, Window.unboundedFollowing),
    )
    # Whatever was before it: open after some lines, closed after others, and turned by the rest.
    sets = F.when(opens & stays, F.lit(1)).when(~opens & ~stays, F.lit(0))
    turns = F.when(opens & ~stays, F.lit(1)).otherwise(F.lit(0))
    staged = lines.withColumn("_sets", sets).withColumn("_turns", turns)
    staged = staged.withColumn("_run", F.count("_sets").over(since))
    in_run = Window.partitionBy(NUMBER, "_run").orderBy(PLACE, ORDER)
    so_far = in_run.rowsBetween(Window.unboundedPreceding, 0)
    base = F.coalesce(F.max("_sets").over(so_far), F.lit(0))
    turned = F.sum("_turns").over(so_far)
    staged = staged.withColumn("_open_after", (base + turned) % 2 == 1)
    staged = staged.withColumn("_open_before", F.lag("_open_after", 1, False).over(in_file))
    closes = F.max(~F.col("_open_after")).over(to_end)
    return staged.withColumn("is_within", F.col("_open_before") & closes).drop(
        "_sets", "_turns", "_run", "_open_after", "_open_before"
    )
