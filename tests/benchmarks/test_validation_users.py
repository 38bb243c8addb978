"""Some training users are held back whole, to validate on."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.inputs import public_split, split_tasks, validation_users
from meta_model.data.episodes import Episodes

SPLIT = public_split.Split(users=("gender",), items=("genres", "year"))


def _rows(episodes: Episodes, split: str) -> pa.Table:
    return pa.concat_tables(episodes.split(split).buffers()).sort_by("user_index")


@pytest.mark.parametrize(("most", "expected"), [(1_000, 4), (3, 3)])
def test_one_user_of_ten_validates_and_does_not_train(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, expected: int
) -> None:
    monkeypatch.setattr(validation_users, "_MOST", most)
    monkeypatch.setattr(split_tasks, "LONGEST_TASK", 15)  # 20 ratings are two tasks
    inputs = public_split.load(folder, SPLIT, tmp_path, windows=True, seed=1)
    before = _rows(inputs.episodes, "train")
    assert len(before) == 80
    held = validation_users.held_back(inputs, tmp_path, seed=1)
    train, validation = (_rows(held.episodes, split) for split in ("train", "validation"))
    validated, trained = (set(t["user_index"].to_pylist()) for t in (validation, train))
    assert len(validation) == len(validated) == expected
    assert len(train) == 80 - 2 * expected
    assert not validated & trained
    tasks = before.select(["user_index", "support_items"]).to_pylist()
    for row in validation.select(["user_index", "support_items"]).to_pylist():
        assert row in tasks
    other = validation_users.held_back(inputs, tmp_path, seed=2)
    assert set(_rows(other.episodes, "validation")["user_index"].to_pylist()) != validated
