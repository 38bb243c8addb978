"""Which pages in docs/benchmarks/ are older than the code that they measure, by the log of git.

    python -m benchmarks.stale

A page may be older and right: a change need not move a figure. Whoever changed the code knows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.records import Record
from benchmarks.report import FOLDER, MEASURES, records
from schemas.run.settings import REPOSITORY


def main(arguments: list[str] | None = None) -> int:
    """Print the pages that are older than the code they measure; the exit code is always 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stale", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args(arguments)
    for name, paths in MEASURES.items():
        found = records(FOLDER, name)
        commits = changes_since(REPOSITORY, found, paths) if found else []
        if commits:
            oldest = min(record["date"] for record in found)
            print(f"docs/benchmarks/{name}.md: measured {oldest}; changed since, last first:")
            print("".join(f"  {commit}\n" for commit in commits[:3]), end="")
            if len(commits) > 3:
                print(f"  and {len(commits) - 3} more")
    return 0


def changes_since(repository: Path, found: Sequence[Record], paths: Sequence[str]) -> list[str]:
    """Date, commit and subject of what changed `paths` after the oldest record was measured."""
    oldest = min(found, key=lambda record: str(record["date"]))
    commit = str(oldest.get("commit") or "").removesuffix("-dirty")
    if commit and _git(repository, "cat-file", "-e", commit) is not None:
        since = [f"{commit}..HEAD"]
    else:  # measured before records held commits, or on a branch that is gone
        since = [f"--since={oldest['date']}T23:59:59Z"]
    log = _git(repository, "log", "--format=%cs %h %s", *since, "--", *paths)
    if log is None:
        raise SystemExit(f"{repository} is no clone of git: its pages cannot be dated.")
    return log.splitlines()


def _git(repository: Path, *arguments: str) -> str | None:
    """What git says; none where it fails."""
    command = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
