"""The lake's layout, and how a partition is replaced: whole, or not at all.

    lake/<table>/ds=<date>            a symlink to the version in force
    lake/.versions/<table>/ds=<date>/<version>/part-*.parquet, _SUCCESS

A writer fills a new version folder beside the old one, seals it with a `_SUCCESS` manifest, and
then moves the symlink in one atomic rename. Whatever happens before that rename (a kill, a full
disk) leaves the old version in force; whatever happens after it leaves the new one. A lock that
the kernel drops with its holder keeps two writers of one partition apart, so a version that the
symlink does not name is garbage to the holder of the lock.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from schemas import utc
from schemas.errors import UserError
from schemas.files import exclusive_lock, fsync
from schemas.pipeline import MADE_BY
from schemas.step import Step

_PARTITION = re.compile(r"ds=(\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What `_SUCCESS` says of a partition: its rows, and their fingerprint where one is kept."""

    rows: int
    fingerprint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Lake:
    """The tables of one lake, addressed by name and `ds`."""

    root: Path

    def partition(self, table: str, ds: date) -> Path:
        """The path of the symlink to the version in force; it may not exist."""
        return self.root / table / f"ds={ds}"

    def version(self, table: str, ds: date) -> Path:
        """The folder of the version in force, whose files never change.

        Readers use it rather than the symlink: a reader that starts on one version ends on it,
        and nothing that remembers results by path (Spark's cache does) can serve an older one.
        """
        return self.partition(table, ds).resolve()

    def require(self, table: str, ds: date, *, made_by: Step | None = None) -> Path:
        """The version in force, or a `UserError` naming the step that makes it.

        made_by: where the lake is one of models; else the step that makes the table
        """
        path = self.partition(table, ds)
        if not (path / "_SUCCESS").exists():
            step = made_by or MADE_BY[table]
            raise UserError(
                f"{table} has no complete partition for ds {ds} ({path}); "
                f"run the step {step.name} for that ds first: {step.command(ds)}"
            )
        return self.version(table, ds)

    def manifest(self, table: str, ds: date) -> Manifest | None:
        """The manifest of the partition in force, or None if there is none."""
        try:
            return Manifest(**json.loads((self.partition(table, ds) / "_SUCCESS").read_text()))
        except FileNotFoundError:
            return None

    def days(self, table: str, *, until: date) -> dict[date, Manifest]:
        """The complete partitions up to and including `until`, in order of their day."""
        folder = self.root / table
        names = (_PARTITION.match(path.name) for path in folder.glob("ds=*"))
        days = (date.fromisoformat(match[1]) for match in names if match)
        manifests = ((day, self.manifest(table, day)) for day in sorted(days) if day <= until)
        return {day: manifest for day, manifest in manifests if manifest is not None}

    def rows(self, table: str, *, until: date) -> int:
        """How many rows the complete partitions up to and including `until` have."""
        return sum(manifest.rows for manifest in self.days(table, until=until).values())

    @contextmanager
    def replacing(self, table: str, ds: date) -> Iterator[Draft]:
        """A new version of a partition; it replaces the old one if the block raises no error.

        Waits while another process replaces the same partition.
        """
        versions = self.root / ".versions" / table / f"ds={ds}"
        versions.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(self.root / ".locks" / f"{table}.ds={ds}"):
            link = self.partition(table, ds)
            in_force = link.resolve().name if link.is_symlink() else None
            _remove_all_but(versions, in_force)
            draft = Draft(path=versions / uuid.uuid4().hex)
            draft.path.mkdir()
            try:
                yield draft
                draft.seal()
            except BaseException as error:
                shutil.rmtree(draft.path, ignore_errors=True)
                if isinstance(error, OSError) and error.filename is None:
                    error.filename = str(draft.path)  # a write that fails does not say where
                raise
            _activate(link, draft.path)
            _remove_all_but(versions, draft.path.name)

    def remove(self, table: str, ds: date) -> None:
        """Take a partition out of the lake; readers see all of it, or none."""
        with exclusive_lock(self.root / ".locks" / f"{table}.ds={ds}"):
            self.partition(table, ds).unlink(missing_ok=True)
            fsync(self.root / table)
            shutil.rmtree(self.root / ".versions" / table / f"ds={ds}", ignore_errors=True)

    @contextmanager
    def step_lock(self, step: str, ds: date) -> Iterator[None]:
        """One run of a step and `ds` at a time, so that its tables all come from one run.

        Waits while another process holds it.
        """
        with exclusive_lock(self.root / ".locks" / f"step.{step}.ds={ds}"):
            yield

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """An empty folder on the lake's own disk, so that its files can be renamed into drafts.

        One process at a time has the scratch folder of a name; what a killed one left is removed.
        """
        folder = self.root / ".scratch" / name
        with exclusive_lock(self.root / ".locks" / f"scratch.{name}"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)


@dataclass(kw_only=True)
class Draft:
    """A version being written: put Parquet files into `path` and say what they hold."""

    path: Path
    rows: int | None = None
    fingerprint: str | None = None

    def seal(self) -> None:
        """Write `_SUCCESS`, and make the version outlast a power cut; `ValueError` without rows."""
        if self.rows is None:
            raise ValueError(f"draft {self.path}: set `rows` before the block ends")
        manifest = Manifest(rows=self.rows, fingerprint=self.fingerprint)
        success = self.path / "_SUCCESS"
        success.write_text(json.dumps(asdict(manifest)) + "\n")
        for path in (*self.path.rglob("*"), self.path):
            fsync(path)


def written_at(version: Path) -> datetime:
    """When a version of a partition was sealed."""
    return utc.at((version / "_SUCCESS").stat().st_mtime)


def _activate(link: Path, version: Path) -> None:
    """Make `version` the one that `link` names, by one atomic rename."""
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = version.parent / f"{version.name}.link"
    temporary.symlink_to(os.path.relpath(version, link.parent))
    temporary.replace(link)
    fsync(link.parent)


def _remove_all_but(versions: Path, name: str | None) -> None:
    """Remove all other versions. A Spark server may still be writing for a step that was killed:
    the next run removes what cannot be removed now."""
    for path in versions.iterdir():
        if path.is_symlink():
            path.unlink()
        elif path.name != name:
            shutil.rmtree(path, ignore_errors=True)
