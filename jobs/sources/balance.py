"""Rows in, rows out: no row of a source's files may vanish without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.accounting import READ
from jobs.quarantine import Outcome
from jobs.sources.tally import Tally
from schemas.errors import UserError

_FILES = 20  # in the journal, and in an error


def check(tally: Tally, arrived: Mapping[str | None, int], what: str) -> dict[str, int]:
    """What the tally counted; a `UserError` when rows of `what` came in that went nowhere.

    `arrived`: how many rows of each file were written, whether good or bad.
    Spark may count a row twice when it does a piece of work again, on a cluster that loses a
    machine: before anything is said, what came in is counted once more, by file.
    """
    counts = tally.counts()
    left_out = {rule: n for rule, n in counts.items() if rule != READ}
    gone = sum(arrived.values()) + sum(left_out.values())
    if counts[READ] == gone:
        return counts
    read = tally.recounted()
    if (total := sum(read.values())) == gone:
        return {**counts, READ: total}
    lines = [
        f"\n  {file}: {n:,} rows read, {arrived.get(file, 0):,} written"
        for file, n in read.items()
        if n != arrived.get(file, 0)
    ]
    rules = "".join(f", {n:,} {rule}" for rule, n in left_out.items())
    raise UserError(
        f"{what}: {total:,} rows came in, and {sum(arrived.values()):,} went on{rules}; expected "
        "each row once. Nothing was written, the lake keeps what it had."
        + "".join(lines[:_FILES])
        + "\nA file may have been written while it was read: run the step again. If it stays, "
        "report these lines: it is a fault of this program."
    )


def by_file(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Rows kept and set aside of the first files, by name, for the journal."""
    files: dict[str, dict[str, Any]] = {}
    for each in sorted(outcomes, key=lambda each: each.file or ""):
        rows = files.setdefault(str(each.file), {"kept": 0, "quarantined": 0})
        rows["quarantined" if each.reason else "kept"] += each.rows
    return dict(list(files.items())[:_FILES])


def of_files(outcomes: Sequence[Outcome]) -> dict[str | None, int]:
    """How many rows of each file there are, good or bad."""
    rows = Counter[str | None]()
    for each in outcomes:
        rows[each.file] += each.rows
    return dict(rows)
