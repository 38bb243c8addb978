"""What becomes of source rows that break a rule: counted, kept with the reason, and never too many.

A row's place is the file and, for text, the line as it is written, which `grep -nF` finds. A line
number would need every earlier line to be counted first, and Spark's byte blocks move when a file
grows, which would give a day another quarantine on its next run. Parquet numbers its rows itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.partitions import write_days, write_partition
from jobs.rows import Row, collected
from schemas import journal, tables
from schemas.errors import UserError
from schemas.lake import Lake

_REASONS = 3
_EXAMPLES = 3


def count(checked: DataFrame) -> dict[str | None, int]:
    """Rows by reason, the most frequent first; under None, those that break no rule."""
    counts = checked.groupBy("reason").count().orderBy(F.desc("count"), "reason")
    return {row["reason"]: row["count"] for row in collected(counts)}


def check(checked: DataFrame, limit: float, spec_file: Path) -> dict[str, int]:
    """How many rows break which rule, the most frequent first.

    Raises a `UserError` with examples when they are more than the fraction `limit` of all.
    """
    counts = count(checked)
    rows, valid = sum(counts.values()), counts.pop(None, 0)
    fraction = (rows - valid) / rows if rows else 0.0
    reasons = {str(reason): number for reason, number in counts.items()}
    if fraction <= limit:
        return reasons
    shown = [
        f"\n  {reason}: {number:,} rows, for example"
        + "".join(f"\n    {_shown(row)}" for row in _examples(checked, reason))
        for reason, number in list(reasons.items())[:_REASONS]
    ]
    raise UserError(
        f"{rows - valid:,} of {rows:,} interactions ({fraction:.2%}) break a rule, and the dataset "
        f"spec allows {limit:.2%}; nothing was written, the lake keeps what it had."
        + "".join(shown)
        + f"\nMend the source, or {spec_file} where it reads the source wrongly; if these rows are "
        "to be set aside, raise max_quarantined_fraction there."
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

    Of one file, ds has all rows set aside; of a file a day, each day those of its own file.
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


def _shown(row: Row) -> str:
    if row["source_line"] is not None:
        return f"{row['source_file']}: {row['source_line']}"
    place = "" if row["source_row"] is None else f", row {row['source_row']:,}"
    values = (f"{name} {row[name]!r}" for name in ("user_id", "item_id", "rating", "event_time"))
    return f"{row['source_file']}{place}: {', '.join(values)}"
