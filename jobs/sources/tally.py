"""How many rows a section's files have and what becomes of them, counted while they are read.

A row that comes in is written, left out by a rule that has a name, or missing. The last must not
be: then the step fails. Spark counts as rows pass, so that nothing is read twice for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.rows import collected
from jobs.sources.folder import NUMBER

READ = "read"


@dataclass(kw_only=True)
class Tally:
    """The counts of one section's files."""

    _known: Counter[str] = field(default_factory=Counter)
    _observed: list[Observation] = field(default_factory=list)
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
        """What was counted by the first action that read all rows."""
        total = Counter({READ: sum(self._known.values())})
        for observation in self._observed:
            total.update({name: int(value or 0) for name, value in observation.get.items()})
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
        self._observed.append(observation)
        # A filter above an observation stays above it: Spark does not move what is counted.
        return frame.observe(observation, F.count_if(condition).alias(name))
