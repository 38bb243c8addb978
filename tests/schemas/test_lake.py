"""A partition is replaced whole or not at all, whoever else is at work and whatever ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date

import pytest

import schemas.lake
from schemas import files
from schemas.errors import UserError
from schemas.lake import Lake, Manifest
from schemas.pipeline import PUBLISH
from schemas.run.settings import REPOSITORY

DS = date(1998, 3, 31)


@pytest.fixture
def lake(tmp_path):
    return Lake(root=tmp_path / "lake")


def _write(lake: Lake, text: str | None, ds: date = DS) -> None:
    with lake.replacing("t", ds) as draft:
        if text is not None:
            (draft.path / "part-0").write_text(text)
        draft.rows = 0 if text is None else 1


def _read(lake: Lake, ds: date = DS) -> list[str]:
    return [path.read_text() for path in sorted(lake.partition("t", ds).glob("part-*"))]


def _versions(lake: Lake) -> list[str]:
    return [path.name for path in (lake.root / ".versions" / "t" / f"ds={DS}").iterdir()]


def test_a_rerun_replaces_also_by_nothing(lake):
    _write(lake, "old")
    assert _read(lake) == ["old"]
    _write(lake, "new")
    assert _read(lake) == ["new"]
    _write(lake, None)
    assert _read(lake) == []
    assert lake.manifest("t", DS) == Manifest(rows=0)
    assert lake.require("t", DS, made_by=PUBLISH) == lake.partition("t", DS).resolve()
    assert len(_versions(lake)) == 1


def test_all_of_a_version_outlasts_a_power_cut_before_it_is_in_force(lake, monkeypatch):
    synced, in_force = [], []

    def fsync(path):
        files.fsync(path)
        synced.append(path)
        in_force.append(lake.partition("t", DS).exists())

    monkeypatch.setattr(schemas.lake, "fsync", fsync)
    with lake.replacing("t", DS) as draft:
        (draft.path / "folder").mkdir()
        for name in ("part-0", "folder/weights"):
            (draft.path / name).write_text("bytes")
        draft.rows = 1
    version = lake.version("t", DS)
    assert {*synced} >= {version, *version.rglob("*")}
    assert in_force == [False] * (len(synced) - 1) + [True]  # the last is the folder of the link


def test_other_days_are_left_alone(lake):
    for day in (1, 2, 3):
        _write(lake, f"day {day}", date(1998, 3, day))
    before = lake.partition("t", date(1998, 3, 1)).resolve()
    _write(lake, "again", date(1998, 3, 2))
    assert lake.partition("t", date(1998, 3, 1)).resolve() == before
    assert list(lake.days("t", until=date(1998, 3, 2))) == [date(1998, 3, 1), date(1998, 3, 2)]


def test_a_failure_leaves_the_old_version(lake):
    _write(lake, "old")

    def fill_the_disk() -> None:
        with lake.replacing("t", DS) as draft:
            (draft.path / "part-0").write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fill_the_disk()
    assert _read(lake) == ["old"]
    assert len(_versions(lake)) == 1


def test_a_draft_without_rows_is_a_mistake_of_the_program(lake):
    with pytest.raises(ValueError, match="set `rows`"), lake.replacing("t", DS):
        pass
    assert lake.manifest("t", DS) is None


def test_a_missing_partition_names_the_step(lake):
    missing = r"t has no complete partition for ds 1998-03-31 .*run the step publish .*: "
    command = "python -m jobs publish --ds 1998-03-31 --model NAME"
    with pytest.raises(UserError, match=missing + command):
        lake.require("t", DS, made_by=PUBLISH)
    assert not lake.days("t", until=DS)


WRITER = """
import sys, time
from datetime import date
from pathlib import Path
from schemas.lake import Lake
with Lake(root=Path(sys.argv[1])).replacing("t", date(1998, 3, 31)) as draft:
    (draft.path / "part-0").write_text("the child's")
    print("writing", flush=True)
    time.sleep(float(sys.argv[2]))
    draft.rows = 1
"""


def _child(lake: Lake, seconds: float) -> subprocess.Popen:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(lake.root), str(seconds)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    )
    assert child.stdout.readline() == "writing\n"
    return child


def test_a_kill_in_mid_write_leaves_the_old_version_and_garbage_is_swept(lake):
    _write(lake, "old")
    child = _child(lake, 60)
    assert _read(lake) == ["old"]
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert _read(lake) == ["old"]
    assert len(_versions(lake)) == 2
    with lake.replacing("t", DS) as draft:
        # Swept first: a full disk may be full of what killed writers left.
        assert len(_versions(lake)) == 2
        (draft.path / "part-0").write_text("new")
        draft.rows = 1
    assert _read(lake) == ["new"]
    assert len(_versions(lake)) == 1


def test_two_writers_wait_for_each_other(lake):
    child = _child(lake, 1)
    _write(lake, "mine")
    assert child.wait() == 0
    assert _read(lake) == ["mine"], "it came after the child's, which had begun before"


def test_readers_see_the_old_version_until_the_block_ends(lake):
    _write(lake, "old")
    with lake.replacing("t", DS) as draft:
        (draft.path / "part-0").write_text("new")
        draft.rows = 1
        assert _read(lake) == ["old"]
    assert _read(lake) == ["new"]


def test_scratch_is_empty_at_first_and_gone_at_last(lake):
    left = lake.root / ".scratch" / "t"
    left.mkdir(parents=True)
    (left / "of a killed run").touch()
    with lake.scratch("t") as folder:
        assert list(folder.iterdir()) == []
        (folder / "x").touch()
    assert not folder.exists()
