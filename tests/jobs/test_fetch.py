"""A data set is fetched whole or not at all."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from jobs.tools import fetch
from schemas.dataset.spec import Fetch
from schemas.errors import UserError
from schemas.run.settings import Settings

FOLDER = "pack/data"


def _wheel(folder: Path, *names: str) -> tuple[Path, Fetch]:
    wheel = folder / "pack-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in names:
            archive.writestr(f"{FOLDER}/{name}", name)
        archive.writestr("pack/other.txt", "no data")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return wheel, Fetch(requirement="pack==1", sha256=digest, folder=FOLDER)


def test_the_data_folder_is_unpacked_and_nothing_else(tmp_path: Path) -> None:
    wheel, spec = _wheel(tmp_path, "a", "b")
    folder = fetch.unpack(wheel, spec, ("a",), tmp_path / "out")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "a", "b": "b"}


def test_a_wrong_hash_unpacks_nothing(tmp_path: Path) -> None:
    wheel, spec = _wheel(tmp_path, "a")
    with pytest.raises(UserError, match=r"expected 0000"):
        fetch.unpack(wheel, spec.model_copy(update={"sha256": "0" * 64}), ("a",), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_archive_is_said(tmp_path: Path) -> None:
    wheel, spec = _wheel(tmp_path, "a")
    wheel.write_bytes(wheel.read_bytes()[:50])
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=r"is a broken archive"):
        fetch.unpack(wheel, spec.model_copy(update={"sha256": digest}), ("a",), tmp_path / "out")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    wheel, spec = _wheel(tmp_path, "a")
    with pytest.raises(UserError, match=r"holds no \['b'\]"):
        fetch.unpack(wheel, spec, ("a", "b"), tmp_path / "out")


def test_a_failed_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    settings = Settings.from_environment({"COLDSTART_HOME": str(tmp_path)})
    with pytest.raises(UserError, match=r"pip could not download recbole==1.2.1"):
        fetch.run(settings)
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [".ml-100k.lock"]


def test_only_some_data_sets_can_be_fetched(tmp_path: Path) -> None:
    settings = Settings.from_environment({"COLDSTART_HOME": str(tmp_path)})
    with pytest.raises(UserError, match=r"ml-1m cannot be fetched; get it yourself"):
        fetch.run(settings, "ml-1m")
