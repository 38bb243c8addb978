from collections.abc import Callable
from pathlib import Path

import pytest

from local.install import InstallError, fingerprint, install, requirements_of

PYPROJECT = """
[project]
dependencies = ["b==1"]
[project.optional-dependencies]
dev = ["pytest"]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "constraints.txt").write_text("b==1\n")
    return tmp_path


@pytest.fixture
def python(repository: Path) -> Callable[[str], Path]:
    """Puts a `.venv/bin/python` in place that notes its arguments and then runs a line of shell."""

    def make(then: str) -> Path:
        executable, calls = repository / ".venv" / "bin" / "python", repository / "calls"
        executable.parent.mkdir(parents=True, exist_ok=True)
        executable.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{then}\n')
        executable.chmod(0o755)
        return calls

    return make


def test_requirements_are_the_direct_ones_and_those_for_development(repository: Path) -> None:
    assert requirements_of(repository) == ["b==1", "pytest"]


def test_a_fresh_environment_is_left_alone(repository: Path, python: Callable[[str], Path]) -> None:
    calls = python("exit 0")
    assert install(repository) is True
    assert calls.read_text().splitlines() == [
        f"-m pip --disable-pip-version-check install -c {repository}/constraints.txt b==1 pytest",
        "-m pip --disable-pip-version-check check",
    ]
    assert install(repository) is False


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_needed_makes_it_stale(
    repository: Path, python: Callable[[str], Path], changed: str
) -> None:
    python("exit 0")
    install(repository)
    text = (repository / changed).read_text()
    (repository / changed).write_text(text.replace("b==1", "b==2"))
    assert install(repository) is True


def test_an_environment_that_was_moved_is_stale(repository: Path, tmp_path: Path) -> None:
    before = fingerprint(repository, [])
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "constraints.txt").write_text((repository / "constraints.txt").read_text())
    assert fingerprint(moved, []) != before


@pytest.mark.parametrize("failing", ["install", "check"])
def test_a_failed_install_counts_as_none(
    repository: Path, python: Callable[[str], Path], failing: str
) -> None:
    python("exit 0")
    install(repository)
    (repository / "constraints.txt").write_text("b==3\n")
    python(f'case "$4" in {failing}) exit 1;; esac')
    for _ in range(2):
        with pytest.raises(InstallError, match="run the same command again"):
            install(repository)
    # Back to what was installed before: the failed attempt may have changed half of it.
    (repository / "constraints.txt").write_text("b==1\n")
    python("exit 0")
    assert install(repository) is True
