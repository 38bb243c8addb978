"""The lake of a small night, for tests that read what earlier steps wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas import dataset_choice, dataset_spec
from schemas.settings import Settings
from tests.jobs.night import Night


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A lake that is bound to its data set; nothing is written yet. No Spark."""
    settings = Settings.from_environment({"COLDSTART_HOME": str(tmp_path)})
    dataset_choice.bind(settings.lake, dataset_spec.BUNDLED / "ml-100k.toml")
    return Night(settings)
