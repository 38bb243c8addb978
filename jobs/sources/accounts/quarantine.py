"""Source rows that break a rule: counted, kept with the reason, and an error if they are too many.

The place of a row is the file and, for text, the line as it is written, which `grep -nF` finds. A
line number would need a count of all earlier lines, and Spark's byte blocks move when a file grows,
so a day would have another quarantine on its next run. Parquet numbers its rows itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.spark.partitions import write_days, write_partition
from jobs.spark.rows import Row, collected
from jobs.transforms.valid_rows import is_between_levels
from schemas.dataset import time_units
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.tables import lake as tables

_REASONS = 3
_EXAMPLES = 3
_SEVERAL_LINES = "Where quoted values go over several lines, say multiline = true in the spec."
_OF_TIME = ("unreadable_event_time", "event_too_early", "future_event")


class ReasonCount(NamedTuple):
    """The number of rows of a file with one reason to be set aside; None is that of valid rows.

    `between`: how many of these rows have a rating between two levels of the spec.
    """

    file: str | None
    day: date | None
    reason: str | None
    rows: int
    between: int = 0


def reason_counts(checked: DataFrame, spec: DatasetSpec) -> list[ReasonCount]:
    """Rows by file, day and reason (None: valid), and how many have a rating between levels."""
    counts = checked.groupBy("source_file", "source_day", "reason").agg(
        F.count("*"), F.count_if(is_between_levels(spec))
    )
    return [ReasonCount(*row.values()) for row in collected(counts)]


def between_levels(found: Iterable[ReasonCount], spec: DatasetSpec) -> str | None:
    """A sentence about valid ratings between the levels of the spec, if there are any."""
    if not (rows := sum(each.between for each in found if each.reason is None)):
        return None
    lowest, step = spec.rating_levels[0], spec.rating_step
    return (
        f"{rows:,} ratings lie between the levels of the dataset spec, {lowest:g}, "
        f"{lowest + step:g}, ..., {spec.rating_levels[-1]:g}: they are kept as they are, and a "
        "model of rating levels takes the nearest. Correct rating_step if there are more levels"
    )


def count(found: Iterable[ReasonCount]) -> dict[str | None, int]:
    """Rows by reason, the most frequent first; under None, those that break no rule."""
    counts = Counter[str | None]()
    for each in found:
        counts[each.reason] += each.rows
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] or "")))


def check(
    checked: DataFrame, found: Iterable[ReasonCount], spec: DatasetSpec, spec_file: Path
) -> dict[str, int]:
    """How many rows break which rule, the most frequent first.

    Raises a `UserError` with examples when they are more than the spec's fraction of all.
    """
    counts, limit = count(found), spec.max_quarantined_fraction
    rows, valid = sum(counts.values()), counts.pop(None, 0)
    fraction = (rows - valid) / rows if rows else 0.0
    reasons = {str(reason): number for reason, number in counts.items()}
    if fraction <= limit:
        return reasons
    examples = {reason: _examples(checked, reason) for reason in list(reasons)[:_REASONS]}
    shown = [
        f"\n  {reason}: {number:,} rows, for example"
        + "".join(f"\n    {_shown(row)}" for row in rows_of)
        + _hint(reason, rows_of, spec)
        for reason, rows_of in examples.items()
        for number in [reasons[reason]]
    ]
    raise UserError(
        f"{rows - valid:,} of {rows:,} interactions that were read ({fraction:.2%}) break a rule, "
        f"and the dataset spec allows {limit:.2%}; nothing was written, the lake keeps what it had."
        + "".join(shown)
        + f"\nCorrect the source, or {spec_file} if it reads the source wrongly. If these rows are "
        "rightly set aside, raise max_quarantined_fraction there."
    )


def write(
    checked: DataFrame,
    reasons: Mapping[str, int],
    lake: Lake,
    ds: date,
    record: journal.Step,
    source_days: Sequence[date] | None = None,
) -> None:
    """Replace the quarantine, and say in the journal how many rows it has, and why.

    With a single source file, ds holds all quarantined rows; with a file a day, each day holds
    those of its own file.
    """
    table = tables.INTERACTIONS_QUARANTINE
    bad = checked.where(F.col("reason").isNotNull())
    if source_days is None:
        rows = bad.select(*table.column_names)
        write_partition(lake, table, ds, rows.orderBy(*table.column_names))
    else:
        of_days = bad.select(*table.column_names, F.col("source_day").alias("ds"))
        write_days(lake, table, of_days, dict.fromkeys(source_days))
    record.facts["quarantined"] = sum(reasons.values())
    if reasons:
        record.facts["quarantined_by_reason"] = reasons
        shown = ", ".join(f"{reason} {n:,}" for reason, n in reasons.items())
        record.progress(f"{sum(reasons.values()):,} rows quarantined: {shown}")


def _examples(checked: DataFrame, reason: str) -> list[Row]:
    names = tables.INTERACTIONS_QUARANTINE.column_names
    alike = checked.where(F.col("reason") == reason).select(*names)
    return collected(alike.orderBy(*names).limit(_EXAMPLES))


def _hint(reason: str, rows: Sequence[Row], spec: DatasetSpec) -> str:
    """A change of the spec that would make such rows readable, if there is one."""
    columns, hint = spec.interactions, None
    if reason in _OF_TIME:
        hint = time_units.hint([row["event_time"] for row in rows], columns)
    elif reason == "unparsable_row" and columns.quote and not columns.multiline:
        is_quoted = any(columns.quote in (row["source_line"] or "") for row in rows)
        hint = _SEVERAL_LINES if is_quoted else None
    return f"\n    {hint}" if hint else ""


def _shown(row: Row) -> str:
    if row["source_line"] is not None:
        return f"{row['source_file']}: {row['source_line']}"
    place = "" if row["source_row"] is None else f", row {row['source_row']:,}"
    values = (f"{name} {row[name]!r}" for name in ("user_id", "item_id", "rating", "event_time"))
    return f"{row['source_file']}{place}: {', '.join(values)}"
