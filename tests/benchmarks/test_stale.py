"""A page is stale when the code that it measures has changed since, by a real log of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.records import commit
from benchmarks.report import MEASURES, PAGES
from benchmarks.stale import changes_since
from schemas.run.settings import REPOSITORY


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    _git(tmp_path, "init", "--quiet")
    _commit(tmp_path, "measured.py", "one", "2026-01-01")
    return tmp_path


def _git(repository: Path, *arguments: str, day: str = "2026-01-01") -> None:
    at = f"{day}T12:00:00+00:00"
    names = {
        f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    own = {**names, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    subprocess.run(["git", *arguments], cwd=repository, env={**os.environ, **own}, check=True)


def _commit(repository: Path, file: str, text: str, day: str) -> None:
    (repository / file).write_text(text)
    _git(repository, "add", file)
    _git(repository, "commit", "--quiet", "-m", f"{file} is {text}", day=day)


def test_what_changed_after_the_measured_commit_is_listed(repository: Path) -> None:
    record = {"date": "2026-01-01", "commit": commit(repository)}
    assert record["commit"]
    assert changes_since(repository, [record], ["measured.py"]) == []
    _commit(repository, "other.py", "one", "2026-01-01")
    assert changes_since(repository, [record], ["measured.py"]) == []
    _commit(repository, "measured.py", "two", "2026-01-01")
    [change] = changes_since(repository, [record], ["measured.py"])
    assert change.startswith("2026-01-01 ")
    assert change.endswith(" measured.py is two")


@pytest.mark.parametrize("unknown", [None, "0123456789ab"])
def test_a_record_without_a_known_commit_goes_by_its_day(
    repository: Path, unknown: str | None
) -> None:
    record = {"date": "2026-01-02", "commit": unknown}
    assert changes_since(repository, [record], ["measured.py"]) == []
    _commit(repository, "measured.py", "two", "2026-01-03")
    assert len(changes_since(repository, [record], ["measured.py"])) == 1


def test_a_measured_tree_that_differs_from_its_commit_says_so(repository: Path) -> None:
    (repository / "measured.py").write_text("not committed")
    assert str(commit(repository)).endswith("-dirty")


def test_every_page_says_what_it_measures() -> None:
    assert set(MEASURES) == set(PAGES)
    for paths in MEASURES.values():
        assert [path for path in paths if not (REPOSITORY / path).exists()] == []
