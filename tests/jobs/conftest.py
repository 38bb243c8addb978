"""The lake of a small night, for tests that read what earlier steps wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.run.settings import Settings
from schemas.warehouse.uri import WarehouseUri
from tests.jobs.engines import engine, postgresql, warehouse_uri
from tests.jobs.night import Night, implicit_metrics
from tests.jobs.second_night import stages

__all__ = ["engine", "postgresql", "stages", "warehouse_uri"]  # fixtures for every test here

_RATINGS = ("rating_scale = [1, 5]\n", 'rating = "rating:float"\n')


@pytest.fixture
def night(tmp_path: Path, warehouse_uri: WarehouseUri, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A lake that is bound to its data set; nothing is written yet. No Spark."""
    environment = {"COLDSTART_HOME": str(tmp_path), "COLDSTART_WAREHOUSE": warehouse_uri.text}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment(environment)
    dataset_choice.bind(settings.lake, dataset_spec.BUNDLED / "ml-100k.toml")
    return Night(settings)


@pytest.fixture
def implicit_night(night: Night, tmp_path: Path) -> Night:
    """The same night of the same data set without its ratings: implicit feedback."""
    text = (dataset_spec.BUNDLED / "ml-100k.toml").read_text().replace("explicit", "implicit")
    for of_ratings in _RATINGS:
        assert of_ratings in text
        text = text.replace(of_ratings, "")
    (tmp_path / "implicit.toml").write_text(text)
    dataset_choice.bind(night.settings.lake, tmp_path / "implicit.toml")
    night.rows["model_metrics"] = implicit_metrics()
    return night
