"""Neighbours become a tensor whose rows are item indices."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import torch

from meta_model.data import inputs
from meta_model.data.metapaths import NO_METAPATHS, metapaths
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.projections.arrow import arrow_schema, read_partition
from schemas.tables import lake as tables
from tests.meta_model import small_lake
from tests.meta_model.small_lake import DS, N_ITEMS, SPEC_FILE

SPEC = small_lake.dataset_spec.load(SPEC_FILE)
SCHEMA = arrow_schema(tables.metapath_neighbours(SPEC))


def _rows(*rows: tuple[int, str, list[int]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)


def test_lists_lie_at_their_path_and_item() -> None:
    rows = _rows((1, "b", [2, 3]), (1, "a", []), (3, "a", [1]), (2, "b", [3]))
    made = metapaths(rows, {"a": "users", "b": "actor"}, n_items=3)
    assert (made.names, made.over_users) == (("a", "b"), (True, False))
    assert made.neighbours.tolist() == [
        [[0, 0], [0, 0], [0, 0], [1, 0]],
        [[0, 0], [2, 3], [3, 0], [0, 0]],
    ]
    assert made.neighbours.dtype == torch.int64


def test_without_a_network_there_are_no_paths() -> None:
    assert metapaths(_rows(), {}, n_items=3).neighbours.shape == (0, 4, 1)
    assert NO_METAPATHS.neighbours.shape[0] == len(NO_METAPATHS.names) == 0


def test_rows_of_another_spec_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"the meta-paths \['c'\], expected .*run the step build_me"
    ):
        metapaths(_rows((1, "c", [2])), {"a": "users"}, n_items=3)


def test_inputs_hold_the_neighbours_of_the_lake(tmp_path: Path) -> None:
    small_lake.write(tmp_path, row_group_rows=50)
    lake, table = Lake(root=tmp_path / "lake"), tables.metapath_neighbours(SPEC)
    loaded = inputs.load(lake, DS)
    assert loaded.liked_level == SPEC.liked_level
    assert loaded.metapaths.names == ("UMUM", "UMGM")
    assert loaded.metapaths.neighbours.shape == (2, N_ITEMS + 1, 9)
    for row in read_partition(table, lake.version(table.name, DS)).to_pylist():
        path = loaded.metapaths.names.index(row["metapath"])
        reached = loaded.metapaths.neighbours[path, row["item_index"]]
        assert reached[reached > 0].tolist() == row["neighbours"]
    assert any(version.startswith("metapath_neighbours/") for version in loaded.versions)
