"""The extract of a source: the same for one file and for a file a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from jobs.sources.accounts.accounting import Counts
from jobs.sources.accounts.quarantine import ReasonCount
from jobs.sources.entities import Entities


@dataclass(frozen=True, kw_only=True)
class Extract:
    """The source's entities and rows, read and checked; nothing is written yet.

    checked: the rows that were read, each with the `reason` to set it aside, null if valid
    reason_counts: the number of rows by file and reason
    rows: for each file of interactions, the rows read, kept, set aside and left out
    changed: the days up to ds whose interactions are to be replaced, with their fingerprints
    gone: the days up to ds to be emptied, with the number of their interactions in the lake
    n_days: how many days up to ds the source has
    notes: sentences about files that are not read
    source_days: the days whose files were read; None where the source is one file
    """

    entities: Entities
    checked: DataFrame
    reason_counts: Sequence[ReasonCount]
    rows: Counts
    changed: Mapping[date, str]
    gone: Mapping[date, int]
    n_days: int
    notes: Sequence[str] = ()
    source_days: Sequence[date] | None = None
