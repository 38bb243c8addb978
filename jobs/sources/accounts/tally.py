"""How many rows the files of a section have and what becomes of them, counted while they are read.

A row that is read is written, left out by a named rule, or missing, and a missing row fails the
step. Spark counts rows while it reads them, so nothing is read twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.sources.accounts.accounting import READ, Counts
from jobs.sources.files.folder import NUMBER, Staged
from jobs.spark.rows import collected

_TENTHS_OF_A_SECOND = 20  # for which a count may come later than the result
_BY_FILE = "by_file"


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """Rows that are counted under a name as they pass; `numbers` has the file of each of them."""

    name: str
    observation: Observation
    numbers: DataFrame


@dataclass(kw_only=True)
class Tally:
    """The counts of one section's files. Files are called as in the source, rows have numbers."""

    _names: dict[int, str] = field(default_factory=dict)
    _known: Counter[str] = field(default_factory=Counter)
    _counted: list[_Counted] = field(default_factory=list)

    def expects(self, staged: Sequence[Staged]) -> None:
        """Expect rows of these files."""
        self._names.update((each.number, each.name) for each in staged)

    def knows(self, file: str, rows: int) -> None:
        """A file says itself how many rows it has."""
        self._known[file] += rows

    def reading(self, frame: DataFrame, is_row: Column) -> DataFrame:
        """The rows of a frame of lines, counted."""
        return self._counting(frame, READ, is_row, F.col(NUMBER)).where(is_row)

    def without(
        self, frame: DataFrame, rule: str, is_left_out: Column, number: Column
    ) -> DataFrame:
        """The frame without the rows that the rule leaves out, counted under its name."""
        flag = F.coalesce(is_left_out, F.lit(False))
        return self._counting(frame, rule, flag, number).where(~flag)

    def counts(self, *, again: bool = False) -> Counts:
        """What was counted by the first action that read all rows, or `again`, by reading them.

        Where Spark finds a frame empty, it drops what led to it from the plan, and its counts too,
        just when rows are missing: what was not counted is counted now.
        """
        found: Counts = defaultdict(dict, {name: {READ: 0} for name in self._names.values()})
        for file, rows in self._known.items():
            found[file] = {READ: rows}
        for each in self._counted:
            seen = None if again else _observed(each.observation)
            for number, rows in (_recounted(each) if seen is None else seen).items():
                of_file = found[self._names[number]]
                of_file[each.name] = of_file.get(each.name, 0) + rows
        return dict(found)

    def _counting(
        self, frame: DataFrame, name: str, condition: Column, number: Column
    ) -> DataFrame:
        observation = Observation()
        numbers = frame.where(condition).select(number.alias(NUMBER))
        self._counted.append(_Counted(name=name, observation=observation, numbers=numbers))
        # What is observed cannot be grouped. A histogram with a bin for each file counts exactly;
        # the numbers of files are rounded when tasks' bins are joined, so they are no integers.
        bins = F.lit(max(2, len(self._names)))
        by_file = F.histogram_numeric(F.when(condition, number.cast("double")), bins)
        # A filter above an observation stays above it: Spark does not move what is counted.
        return frame.observe(observation, by_file.alias(_BY_FILE))


def _observed(observation: Observation) -> Counter[int] | None:
    """Rows by number of file; None where Spark dropped the count.

    A driver of the step's own would wait for it without end, so it is asked before.
    """
    java = getattr(observation, "_jo", None)  # a server has none
    asked = (
        (java.getRowOrEmpty().isDefined() for _ in range(_TENTHS_OF_A_SECOND)) if java else [True]
    )
    found: Mapping[str, Any] = observation.get if any(asked) else {}
    if _BY_FILE not in found:
        return None
    rows = Counter[int]()
    for number, of_bin in found[_BY_FILE] or ():
        rows[round(number)] += round(of_bin)  # a file may have a bin of each task
    return rows


def _recounted(counted: _Counted) -> Counter[int]:
    by_file = collected(counted.numbers.groupBy(NUMBER).count())
    return Counter({row[NUMBER]: row["count"] for row in by_file})
