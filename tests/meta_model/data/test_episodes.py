"""Streaming and sharding lose no row, invent none, and keep memory bounded."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from meta_model.data import episodes as episodes_module
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs


def _ids(episodes: Episodes, shuffle: np.random.Generator | None = None) -> list[str]:
    return [i for table in episodes.buffers(shuffle) for i in table["task_id"].to_pylist()]


def test_a_split_is_read_whole_and_alone(inputs: Inputs) -> None:
    train = inputs.episodes.split("train")
    assert _ids(train) == [f"u{user}/train" for user in range(1, 25)]
    assert train.n_tasks == 24
    assert inputs.episodes.split("test", scenario="warm").n_tasks == 2


def test_row_groups_without_the_split_are_not_opened(inputs: Inputs) -> None:
    # 24 train rows in groups of 10: the third holds train and validation rows.
    assert [group.number for group in inputs.episodes.split("train").row_groups] == [0, 1, 2]
    assert [group.number for group in inputs.episodes.split("serve").row_groups] == [3, 4]


@pytest.mark.parametrize("shards", [1, 2, 3, 5])
def test_shards_share_the_rows_out(inputs: Inputs, shards: int) -> None:
    train = inputs.episodes.split("train")
    parts = [_ids(train.of_shard(number, shards)) for number in range(shards)]
    assert sorted(chain.from_iterable(parts)) == sorted(_ids(train))
    if shards <= 3:  # as many row groups as shards: each reads its own alone
        groups = [set(train.of_shard(number, shards).row_groups) for number in range(shards)]
        assert not any(one & other for one in groups for other in groups if one is not other)


def test_a_shuffle_visits_row_groups_in_another_order(inputs: Inputs) -> None:
    train = inputs.episodes.split("train")
    orders = {tuple(_ids(train, np.random.default_rng(seed))) for seed in range(8)}
    assert len(orders) > 1
    assert all(sorted(order) == sorted(_ids(train)) for order in orders)


def test_buffers_hold_as_many_tasks_as_they_may(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes_module, "BUFFER_TASKS", 4)
    sizes = [len(table) for table in inputs.episodes.split("train").buffers()]
    assert sum(sizes) == 24
    assert max(sizes) <= 8


def test_memory_does_not_grow_with_the_file(tmp_path: Path, rows: Callable[..., pa.Table]) -> None:
    def peak_of(copies: int) -> int:
        file = tmp_path / f"{copies}.parquet"
        with pq.ParquetWriter(file, rows("train").schema) as writer:
            for _ in range(copies):
                writer.write_table(pa.concat_tables([rows("train")] * 400))
        peak, before = 0, pa.total_allocated_bytes()
        for table in Episodes(files=(file,)).split("train").buffers():
            peak = max(peak, pa.total_allocated_bytes() - before)
            del table
        return peak

    assert peak_of(8) < 1.5 * peak_of(2)
