"""A data set without a split is cut by the night's own steps; what fails in them is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.inputs import lake_inputs
from schemas.errors import UserError


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere is no folder; expected the files of .* toys"):
        lake_inputs.prepare(tmp_path / "nowhere", "toys", tmp_path / "home")


def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "toys"
    folder.mkdir()
    with pytest.raises(UserError, match=r"the step ingest --ds 2020-08-31 failed:\n.*dataset"):
        lake_inputs.prepare(folder, "toys", tmp_path / "home")
