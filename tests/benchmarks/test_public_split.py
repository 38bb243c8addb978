"""A public split becomes inputs that hold what the files say, and nothing of the test in train."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import accuracy
from benchmarks.inputs import public_split
from meta_model.data.inputs import Inputs
from schemas.errors import UserError
from schemas.tables.lake import SCENARIOS

SPLIT = public_split.Split(users=("gender",), items=("genres", "year"))


def _load(folder: Path, tmp_path: Path, windows: bool = True) -> Inputs:
    return public_split.load(folder, SPLIT, tmp_path, windows=windows, seed=1)


def test_statistics_are_of_train_alone(folder: Path, tmp_path: Path) -> None:
    items = _load(folder, tmp_path).item_profiles
    train = pq.read_table(folder / "train.parquet")
    assert sum(items["train_n_ratings"].to_pylist()) == len(train)
    assert set(items["train_n_ratings"].to_pylist()[30:]) == {0}


def test_values_that_train_lacks_are_unknown_but_counted(folder: Path, tmp_path: Path) -> None:
    features = _load(folder, tmp_path).items
    assert features.sizes == (2, 2)
    assert features.values[1].tolist() == [[1, -1], [1, -1]]  # Comedy; 1995
    assert features.values[50].tolist() == [[1, 0], [0, -1]]  # Comedy and a new genre; a new year


@pytest.mark.parametrize(("windows", "n_support"), [(True, 20), (False, 17)])
def test_train_tasks_hold_each_rating_once(
    folder: Path, tmp_path: Path, windows: bool, n_support: int
) -> None:
    episodes = _load(folder, tmp_path, windows).episodes
    assert not episodes.is_ordered
    [rows] = episodes.split("train").buffers()
    assert {len(items) for items in rows["support_items"].to_pylist()} == {n_support}
    assert len(rows) == 40
    for scenario in SCENARIOS:
        [tests] = episodes.split("test", scenario=scenario).buffers()
        assert {len(items) for items in tests["query_items"].to_pylist()} == {3}


def test_the_command_writes_flat_records(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    arguments = ["--data", str(folder.parent), "--dataset", "ml-1m", "--epochs", "1"]
    assert accuracy.main([*arguments, "--learner", "metahin", "--json", str(file)]) == 0
    records = json.loads(file.read_text())
    assert {(r["learner"], r["variant"]) for r in records} >= {
        ("metahin", "full"),
        ("damped_bias", "baseline"),
        ("chance", "baseline"),
    }
    [full] = [r for r in records if (r["variant"], r["scenario"]) == ("full", "item_cold")]
    assert full["n_tasks"] == 40
    for name in ("mae", "mae_before_adaptation", "rmse", "ndcg5", "damped_bias_mae"):
        assert 0 < full[name] < 5


def test_a_folder_that_is_no_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no train\.parquet; expected a folder"):
        _load(tmp_path / "nowhere", tmp_path)
