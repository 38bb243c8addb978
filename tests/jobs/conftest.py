"""The lake of a small night, for tests that read what earlier steps wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.warehouse.uri import WarehouseUri
from tests.jobs.engines import engine, postgresql, warehouse_uri
from tests.jobs.night import Night, environment_of, implicit_metrics, new_night

__all__ = ["engine", "postgresql", "warehouse_uri"]  # fixtures for every test here

_RATINGS = ("rating_scale = [1, 5]\n", 'rating = "rating:float"\n')


@pytest.fixture
def night(tmp_path: Path, warehouse_uri: WarehouseUri, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A lake that is bound to its data set; nothing is written yet. No Spark."""
    made = new_night(tmp_path, warehouse_uri)
    for name, value in environment_of(made).items():
        monkeypatch.setenv(name, value)
    return made


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
