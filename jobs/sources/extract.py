"""What ingest takes from a source, however its files lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from jobs.sources.accounts.accounting import Counts
from jobs.sources.accounts.quarantine import Outcome
from jobs.sources.entities import Entities


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The source's entities and rows, read and checked, and nothing written yet.

    checked: the rows that were read, each with the `reason` to set it aside, null if valid
    outcomes: how many those are, by file and reason
    rows: of each file of interactions, how many rows were read, and what became of them
    changed: the days up to ds whose interactions are to be replaced, with their fingerprints
    n_days: how many days up to ds the source has
    told: what is to be said of files that are not read
    source_days: the days whose files were read; None where the source is one file
    """

    entities: Entities
    checked: DataFrame
    outcomes: Sequence[Outcome]
    rows: Counts
    changed: Mapping[date, str]
    n_days: int
    told: Sequence[str] = ()
    source_days: Sequence[date] | None = None
