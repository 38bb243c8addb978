"""What a launcher does before Airflow is up."""

from pathlib import Path

import pytest

from local.services import fetch
from schemas.run.settings import Settings


@pytest.mark.usefixtures("process")
def test_data_is_fetched_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path))
    monkeypatch.delenv("COLDSTART_SOURCE", raising=False)
    settings = Settings.from_environment()
    assert fetch(settings) == 0
    assert (settings.source / "ml-100k.inter").exists()


def test_nothing_is_fetched_beside_a_source_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where that is wrong: the first step says so, and needs no network to."""
    home = tmp_path / "home"
    monkeypatch.setenv("COLDSTART_HOME", str(home))
    for source in (tmp_path, tmp_path / "missing"):
        monkeypatch.setenv("COLDSTART_SOURCE", str(source))
        assert fetch(Settings.from_environment()) == 0
    assert not home.exists()
