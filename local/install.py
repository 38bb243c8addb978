"""Makes or updates `.venv`, and does nothing when it is as it should be.

Runs before anything is installed, so: standard library only, and syntax an old Python can read,
which then says clearly that it is too old. The project itself is not installed: it runs from its
checkout, so there is nothing to build and the checkout stays clean.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON_VERSION = (3, 11)


class InstallError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def main() -> int:
    if sys.version_info[:2] != PYTHON_VERSION:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(
            f"this is Python {found} ({sys.executable}); expected Python 3.11, which every pinned "
            "package was tested with. Install it, or name it: make PYTHON=/path/to/python3.11",
            file=sys.stderr,
        )
        return 2
    try:
        install(REPOSITORY)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def install(repository: Path) -> bool:
    """Bring `repository/.venv` up to date; whether there was anything to do.

    The stamp that makes the next call a no-op is written only after pip has found the whole
    environment consistent.
    """
    folder = repository / ".venv"
    stamp = folder / "installed.sha256"
    requirements = requirements_of(repository)
    expected = fingerprint(repository, requirements)
    if stamp.exists() and stamp.read_text() == expected:
        return False
    stamp.unlink(missing_ok=True)
    print("installing the Python environment into .venv (once; 2 GB, some minutes)", flush=True)
    python = folder / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(folder)], "is the system's venv module installed?")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    constraints = repository / "constraints.txt"
    _run([*pip, "install", "-c", str(constraints), *requirements], "is a package index reachable?")
    _run([*pip, "check"], "remove .venv and try again.")
    draft = stamp.with_suffix(".draft")
    draft.write_text(expected)
    draft.replace(stamp)
    return True


def requirements_of(repository: Path) -> list[str]:
    """The direct needs declared in `pyproject.toml`, those of the extra `dev` included."""
    import tomllib

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


def _run(command: list[str], hint: str) -> None:
    code = subprocess.run(command).returncode
    if code != 0:
        raise InstallError(
            f"`{' '.join(command[:4])} ...` ended with exit code {code}; {hint} "
            "Nothing counts as installed; run the same command again when it is mended."
        )


if __name__ == "__main__":
    sys.exit(main())
