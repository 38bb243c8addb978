"""The episodes of a night, streamed from Parquet: memory is bounded, whatever the files' size.

Rows come in buffers of a few thousand tasks. Training may deal the row groups out to shards, one
or more to a process, and visit them in random order; a shard reads its own row groups alone. Where
there are fewer row groups than shards, every shard reads all of them and keeps its share of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.tables.lake import SPLITS

BUFFER_TASKS = 8192


@dataclass(frozen=True, order=True)
class RowGroup:
    """A row group of a Parquet file by its number in it; `rows` counts those of all splits."""

    file: Path
    number: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """The rows of `files` in one of the `splits` and, unless it is None, of the `scenario`.

    is_ordered: whether each support and query, one after the other, are in the order of time
    """

    files: tuple[Path, ...]
    splits: tuple[str, ...] = SPLITS
    scenario: str | None = None
    shard: int = 0
    shards: int = 1
    is_ordered: bool = True

    def split(self, *splits: str, scenario: str | None = None) -> Episodes:
        """The rows of these splits, read when they are needed; None takes every scenario."""
        return replace(self, splits=splits, scenario=scenario)

    def of_shard(self, shard: int, shards: int) -> Episodes:
        """The part of one of `shards` streams, for training that is spread over processes."""
        return replace(self, shard=shard, shards=shards)

    @cached_property
    def n_tasks(self) -> int:
        """How many rows there are; reads the two narrow columns it needs."""
        return sum(map(len, self._tables(self.row_groups, ["split", "scenario"])))

    @cached_property
    def users(self) -> np.ndarray:
        """The user_index of each user that has a row, once; reads three narrow columns."""
        found = [np.zeros(0, dtype=np.int64)]
        for table in self._tables(self.row_groups, ["split", "scenario", "user_index"]):
            found.append(np.unique(table["user_index"].to_numpy()))
        return np.unique(np.concatenate(found))

    @cached_property
    def row_groups(self) -> tuple[RowGroup, ...]:
        """This shard's row groups, dealt so that shards have about as many rows."""
        if self._deals_rows:
            return self._row_groups
        loads = [0] * self.shards
        dealt = []
        for group in sorted(self._row_groups, key=lambda group: -group.rows):
            least = loads.index(min(loads))
            loads[least] += group.rows
            if least == self.shard:
                dealt.append(group)
        return tuple(sorted(dealt))

    def buffers(self, shuffle: np.random.Generator | None = None) -> Iterator[pa.Table]:
        """All rows, `BUFFER_TASKS` or some more at a time; with `shuffle`, groups in random order.

        Shards whose generators are in the same state visit groups that they share in one order.
        """
        groups = self.row_groups
        if shuffle is not None:
            order = shuffle.permutation(len(groups))
            groups = tuple(groups[number] for number in order.tolist())
        waiting: list[pa.Table] = []
        for table in self._tables(groups, None):
            waiting.append(table)
            if sum(map(len, waiting)) >= BUFFER_TASKS:
                yield pa.concat_tables(waiting)
                waiting = []
        if any(map(len, waiting)):
            yield pa.concat_tables(waiting)

    @cached_property
    def _row_groups(self) -> tuple[RowGroup, ...]:
        """The row groups that may hold rows of these splits, by the files' own statistics."""
        found = []
        for file in self.files:
            metadata = pq.read_metadata(file)
            column = metadata.schema.names.index("split")
            for number in range(metadata.num_row_groups):
                bounds = metadata.row_group(number).column(column).statistics
                if bounds is None or not bounds.has_min_max or self._within(bounds):
                    found.append(RowGroup(file, number, metadata.row_group(number).num_rows))
        return tuple(found)

    def _within(self, bounds: pq.Statistics) -> bool:
        lowest, highest = str(bounds.min), str(bounds.max)
        return any(lowest <= split <= highest for split in self.splits)

    @property
    def _deals_rows(self) -> bool:
        return len(self._row_groups) < self.shards

    def _tables(self, groups: Sequence[RowGroup], columns: list[str] | None) -> Iterator[pa.Table]:
        seen = 0
        for group in groups:
            with pq.ParquetFile(group.file) as file:
                for batch in file.iter_batches(BUFFER_TASKS, [group.number], columns):
                    table = self._chosen(pa.Table.from_batches([batch]))
                    if self._deals_rows:
                        numbers = np.arange(seen, seen + len(table))
                        seen += len(table)
                        table = table.filter(pa.array(numbers % self.shards == self.shard))
                    yield table

    def _chosen(self, table: pa.Table) -> pa.Table:
        table = table.filter(pc.is_in(table["split"], pa.array(self.splits)))
        if self.scenario is None:
            return table
        return table.filter(pc.equal(table["scenario"], pa.scalar(self.scenario)))
