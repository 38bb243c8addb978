"""Homes that are looked at from outside: which version of each partition is in force, its rows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from schemas.lake import Lake
from schemas.pipeline import steps_of
from schemas.run import journal
from schemas.run.settings import Settings


class Partition(NamedTuple):
    version: str
    rows: list[str]  # as text and in order: rows hold lists and None, which do not sort


Partitions = dict[tuple[str, str], Partition]  # of table and `ds=<date>`


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home of its own, and the source and the Spark server that it shares with others."""

    folder: Path
    source: Path
    spark: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        own = {"COLDSTART_HOME": str(self.folder), "COLDSTART_SOURCE": str(self.source)}
        return {**own, **self.spark}

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    @property
    def lake(self) -> Lake:
        return Lake(root=self.settings.lake)

    def step(self, name: str, ds: date) -> None:
        with journal.step(self.settings.journals, name, ds) as record:
            steps_of("jobs")[name].function()(self.settings, ds, record)

    def copied_to(self, folder: Path) -> Home:
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Home(folder=folder, source=self.source, spark=self.spark)

    def partitions(self) -> Partitions:
        return {
            (link.parent.name, link.name): Partition(link.resolve().name, _rows(link.resolve()))
            for link in sorted(self.lake.root.glob("[!.]*/ds=*"))
        }

    def rows(self) -> dict[tuple[str, str], list[str]]:
        return {where: partition.rows for where, partition in self.partitions().items()}


def changed(before: Partitions, after: Partitions) -> set[tuple[str, str]]:
    """The partitions that are not in the version that they were in."""
    return {
        where
        for where in before.keys() | after.keys()
        if where not in before
        or where not in after
        or before[where].version != after[where].version
    }


def _rows(version: Path) -> list[str]:
    files = version.glob("*.parquet")
    return sorted(str(row) for file in files for row in pq.ParquetFile(file).read().to_pylist())
