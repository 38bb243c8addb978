"""How many rows a section's files have and what becomes of them, counted while they are read.

A row that comes in is written, left out by a rule that has a name, or missing. The last must not
be: then the step fails. Spark counts as rows pass, so that nothing is read twice for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.accounting import READ
from jobs.rows import collected
from jobs.sources.folder import NUMBER

_TENTHS_OF_A_SECOND = 20  # for which a count may come later than the result


@dataclass(kw_only=True)
class Tally:
    """The counts of one section's files."""

    _known: Counter[str] = field(default_factory=Counter)
    _observed: list[tuple[str, Observation, DataFrame]] = field(default_factory=list)
    _frames: list[tuple[DataFrame, Mapping[int, str]]] = field(default_factory=list)

    def knows(self, file: str, rows: int) -> None:
        """A file says itself how many rows it has."""
        self._known[file] += rows

    def reading(self, frame: DataFrame, is_row: Column, names: Mapping[int, str]) -> DataFrame:
        """The rows of a frame of lines, counted; `names` are those of the files by NUMBER."""
        self._frames.append((frame.where(is_row), names))
        return self._counting(frame, READ, is_row).where(is_row)

    def without(self, frame: DataFrame, rule: str, is_left_out: Column) -> DataFrame:
        """The frame without the rows that the rule leaves out, counted under its name."""
        flag = F.coalesce(is_left_out, F.lit(False))
        return self._counting(frame, rule, flag).where(~flag)

    def counts(self) -> dict[str, int]:
        """What was counted by the first action that read all rows.

        Where Spark finds a frame empty, it drops what led to it from the plan, and its counts too,
        just when rows are missing: what was not counted is counted now.
        """
        total = Counter({READ: sum(self._known.values())})
        for name, observation, rows in self._observed:
            count = _observed(observation).get(name)
            total[name] += rows.count() if count is None else int(count)
        return dict(total)

    def recounted(self) -> dict[str, int]:
        """The rows of each file, read again for it."""
        read = Counter(self._known)
        for frame, names in self._frames:
            by_file = collected(frame.groupBy(NUMBER).count())
            read.update({names[row[NUMBER]]: row["count"] for row in by_file})
        return dict(read)

    def _counting(self, frame: DataFrame, name: str, condition: Column) -> DataFrame:
        observation = Observation()
        self._observed.append((name, observation, frame.where(condition)))
        # A filter above an observation stays above it: Spark does not move what is counted.
        return frame.observe(observation, F.count_if(condition).alias(name))


def _observed(observation: Observation) -> Mapping[str, Any]:
    """What was counted; nothing where Spark dropped the count.

    A driver of the step's own would wait for it without end, so it is asked before.
    """
    java = getattr(observation, "_jo", None)  # a server has none
    asked = (
        (java.getRowOrEmpty().isDefined() for _ in range(_TENTHS_OF_A_SECOND)) if java else [True]
    )
    return observation.get if any(asked) else {}
