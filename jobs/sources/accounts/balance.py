"""Rows in, rows out: no row of a source may be lost without an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from jobs.sources.accounts.accounting import KEPT, QUARANTINED, READ, Counts
from jobs.sources.accounts.quarantine import ReasonCount
from jobs.sources.accounts.rows_by_file import total
from jobs.sources.accounts.tally import Tally
from schemas.errors import UserError

_FILES = 20  # in an error


def check(tally: Tally, arrived: Mapping[str | None, int], what: str) -> Counts:
    """The counts of the tally; a `UserError` when rows of `what` came in that went nowhere.

    `arrived`: how many rows of each file were written, whether good or bad.
    Spark may count a row twice if it repeats a task, on a cluster that loses a machine. So before
    an error, all rows are counted once more.
    """
    counts = tally.counts()
    if not _unbalanced(counts, arrived):
        return counts
    counts = tally.counts(again=True)
    if not (lines := _unbalanced(counts, arrived)):
        return counts
    rows = total(counts.values())
    rules = "".join(f", {n:,} {rule}" for rule, n in rows.items() if rule != READ)
    raise UserError(
        f"{what}: {rows[READ]:,} rows came in, and {sum(arrived.values()):,} went on"
        f"{rules}; expected each row once. Nothing was written, the lake keeps what it had."
        + "".join(lines[:_FILES])
        + "\nA file may have been written while it was read: run the step again. If it stays, "
        "report these lines: it is a fault of this program."
    )


def _unbalanced(counts: Counts, arrived: Mapping[str | None, int]) -> list[str]:
    """A line for each file whose rows are not all written or left out by a rule."""
    lines = []
    for file in sorted({*counts, *arrived}, key=str):
        rows = counts.get(str(file), {})
        read, written = rows.get(READ, 0), arrived.get(file, 0)
        left_out = sum(rows.values()) - read
        if read != written + left_out:
            rules = f", {left_out:,} left out" if left_out else ""
            lines.append(f"\n  {file}: {read:,} rows read, {written:,} written{rules}")
    return lines


def of_files(reason_counts: Iterable[ReasonCount]) -> dict[str | None, int]:
    """How many rows of each file there are, good or bad."""
    rows = Counter[str | None]()
    for each in reason_counts:
        rows[each.file] += each.rows
    return dict(rows)


def with_reason_counts(counts: Counts, reason_counts: Sequence[ReasonCount]) -> Counts:
    """The counts of interactions, and how many rows of each file are kept and set aside."""
    made = {file: {KEPT: 0, QUARANTINED: 0, **rows} for file, rows in counts.items()}
    for each in reason_counts:
        made[str(each.file)][QUARANTINED if each.reason else KEPT] += each.rows
    return made
