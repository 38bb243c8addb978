"""Makes or updates `.venv`, and does nothing when it is as it should be: `python -m local.install`.

Runs before anything is installed, so: standard library only. `local/setup.sh` finds the Python
that runs it. The project itself is not installed: it runs from its checkout, so there is nothing
to build and the checkout stays clean.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from local.pip_settings import for_uv
from local.stages import InstallError, Stages

REPOSITORY = Path(__file__).resolve().parents[1]
_TRY_AGAIN = "remove .venv and try again."


def main() -> int:
    """Set up `.venv` of this checkout; returns 2 after an error on stderr."""
    try:
        install(REPOSITORY)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def install(repository: Path) -> bool:
    """Bring `repository/.venv` up to date; whether there was anything to do.

    The stamp that makes the next call a no-op is written only after the whole environment has been
    found consistent.
    """
    folder = repository / ".venv"
    stamp = folder / "installed.sha256"
    requirements = requirements_of(repository)
    expected = fingerprint(repository, requirements)
    if stamp.exists() and stamp.read_text() == expected:
        return False
    stamp.unlink(missing_ok=True)
    found = ".".join(str(part) for part in sys.version_info[:3])
    print(f"installing into .venv for Python {found} (once; 2 GB, some minutes)", flush=True)
    uv = shutil.which("uv")
    python = folder / "bin" / "python"
    if not _is_of_this_version(python):
        _remove(folder)
    folder.mkdir(exist_ok=True)
    stages = Stages(log=folder / "install.log")
    if not python.exists():
        _make(folder, uv, stages)
    _fill(python, uv, repository / "constraints.txt", requirements, stages)
    draft = stamp.with_suffix(".draft")
    draft.write_text(expected)
    draft.replace(stamp)
    return True


def _is_of_this_version(python: Path) -> bool:
    """Whether an environment's Python starts, and packages of this Python's version fit it."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        asked = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return asked.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        raise InstallError(
            f"{folder} leads to {folder.resolve()}, which has no Python "
            f"{sys.version_info[0]}.{sys.version_info[1]}; expected a folder of this checkout. "
            "Remove the link, or name the Python that it has: make PYTHON=/path/to/python"
        )
    if folder.exists():
        print("  .venv is of another Python, or broken: it is made again", flush=True)
        shutil.rmtree(folder)


def _make(folder: Path, uv: str | None, stages: Stages) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    if uv:
        # With pip, for what people install themselves, and for when uv cannot.
        command = [uv, "venv", "--allow-existing", "--seed", "--python", base, str(folder)]
        if stages.tried("environment by uv", command, for_uv(Path(base), os.environ)):
            return
    command = [base, "-m", "venv", str(folder)]
    stages.run("environment", command, "is the system's venv module installed?")


def _fill(
    python: Path, uv: str | None, constraints: Path, requirements: list[str], stages: Stages
) -> None:
    """Install what is needed, by uv if it can, and check that it fits together."""
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    pinned = ["-c", str(constraints)]
    # A wheel of 20 MB; where there is none for this machine, pip does it all.
    wheel = [*pip, "install", "--only-binary", ":all:", *pinned, "uv"]
    if uv is None and stages.tried("uv", wheel):
        uv = str(python.with_name("uv"))
    if uv is not None:
        own = [uv, "pip", "install", "--python", str(python)]
        settings = for_uv(python, os.environ)
        if stages.tried("packages by uv", [*own, *pinned, *requirements], settings):
            stages.run("check", [uv, "pip", "check", "--python", str(python)], _TRY_AGAIN)
            return
    by_pip = [*pip, "install", *pinned, *requirements]
    stages.run("packages by pip", by_pip, "is a package index reachable?")
    stages.run("check", [*pip, "check"], _TRY_AGAIN)


def requirements_of(repository: Path) -> list[str]:
    """The direct needs declared in `pyproject.toml`, those of the extra `dev` included."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project.get("optional-dependencies", {}).get("dev", [])]


def fingerprint(repository: Path, requirements: list[str]) -> str:
    """Changes with anything that makes an environment stale, its own place included."""
    facts = [
        requirements,
        (repository / "constraints.txt").read_text(),
        list(sys.version_info[:3]),
        os.path.realpath(repository),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
