"""The accounts of the rows that the ingest of a night read, from its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.pipeline import INGEST
from schemas.run import journal
from schemas.run.settings import Settings

# Among the journal's `rows` and `rows_of_files`; the other names there are those of rules.
READ, KEPT, QUARANTINED = "read", "kept", "quarantined"
Counts = dict[str, dict[str, int]]  # rows by file, and by what became of them


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Numbers of the source's interactions. `left_out`: by the name of the rule."""

    read: int
    kept: int
    quarantined: int
    left_out: Mapping[str, int]

    def columns(self) -> dict[str, int]:
        """As `publications` has them."""
        return {
            "rows_read": self.read,
            "rows_kept": self.kept,
            "rows_quarantined": self.quarantined,
            "rows_left_out": sum(self.left_out.values()),
        }

    def __str__(self) -> str:
        parts = [f"{self.read:,} rows read: {self.kept:,} kept, {self.quarantined:,} set aside"]
        return ", ".join([*parts, *(f"{n:,} {rule}" for rule, n in self.left_out.items())])


def of_facts(facts: Mapping[str, Any]) -> Rows | None:
    """The rows of one run of ingest, from its journal's facts.

    None if the run failed, or is of a release that did not count.
    """
    if not (rows := dict(facts.get("rows") or {})):
        return None
    return Rows(
        read=rows.pop(READ),
        kept=rows.pop(KEPT),
        quarantined=facts.get("quarantined", 0),
        left_out=rows,
    )


def of_night(settings: Settings, ds: date) -> Rows | None:
    """The rows of the last ingest of ds that finished; None if the journal has none."""
    ended = [
        entry
        for entry in journal.read(settings.journals, ds)
        if entry["step"] == INGEST.name and entry["event"] == "finished"
    ]
    return of_facts(ended[-1]) if ended else None
