"""Nights on a small cut of the real data set, whose steps run in this process.

Steps as processes of their own, as Airflow starts them, are in test_airflow_night.py.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from jobs.warehouse import open_reader
from schemas.dataset import spec as dataset_spec
from schemas.lake import Lake
from schemas.pipeline import GATE, META_TRAIN, NIGHT
from schemas.run.settings import Settings
from schemas.step import Step
from schemas.tables.products import WAREHOUSE_TABLES
from tests.suite.training import SHORT_CHOICES


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home with a source of its own, a cut of MovieLens-100K."""

    settings: Settings
    movielens: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "COLDSTART_HOME": str(self.settings.home),
            "COLDSTART_SOURCE": str(self.settings.source),
            "COLDSTART_SPARK": self.settings.spark,
        }

    def cut(self, until: date, *, every: int = 3, cold_max: int = 30) -> None:
        """Make the source hold each `every`-th user's events up to and including `until`."""
        source = self.settings.source
        source.mkdir(exist_ok=True)
        for name in ("ml-100k.user", "ml-100k.item"):
            shutil.copy(self.movielens / name, source / name)
        end = datetime.combine(until, datetime.max.time(), UTC).timestamp()
        header, *lines = (self.movielens / "ml-100k.inter").read_text().splitlines()
        rows = (line.split("\t") for line in lines)
        kept = [row for row in rows if int(row[0]) % every == 0 and float(row[3]) <= end]
        text = "\n".join([header, *("\t".join(row) for row in kept)]) + "\n"
        (source / "ml-100k.inter").write_text(text)
        spec = (dataset_spec.BUNDLED / "ml-100k.toml").read_text()
        spec = re.sub(r"\[(fetch|expected)\]\n(?:.+\n)+", "", spec)
        spec += f"\n[cold_start]\ncold_user_max_interactions = {cold_max}\n"
        (source / "dataset.toml").write_text(spec)

    def step(self, step: Step, ds: date, *options: str) -> None:
        """Run one step by its command line."""
        main = import_module(f"{step.program}.__main__").main
        with mock.patch.dict(os.environ, self.environment):
            assert main([step.name, "--ds", str(ds), *options]) == 0, step.name

    def night(self, ds: date) -> None:
        """In two epochs, whose quality on a third of the users is a matter of chance."""
        options = {META_TRAIN: ("--epochs", "2", *SHORT_CHOICES), GATE: ("--choose", "challenger")}
        for step in NIGHT:
            self.step(step, ds, *options.get(step, ()))

    @property
    def lake(self) -> Lake:
        return Lake(root=self.settings.lake)

    def published(self, ds: date) -> dict[str, list[tuple]]:
        """Every row of every warehouse table for `ds`, but for what the run itself makes of it:
        the moments, and how much more of the source lies after ds by now."""
        of_run = {"data_read_at", "made_at", "published_at", "rows_read", "rows_left_out"}
        found = {}
        with open_reader(self.settings.warehouse) as warehouse:
            for table in WAREHOUSE_TABLES:
                columns = ", ".join(name for name in table.column_names if name not in of_run)
                sql = f"select {columns} from coldstart.{table.name} where ds = $1"
                found[table.name] = sorted(warehouse.rows(sql, ds), key=str)
        return found

    def in_lake(self, ds: date) -> dict[str, list[tuple]]:
        """Every row of every lake table's partition of `ds`."""
        names = sorted(path.name for path in self.lake.root.glob("[!.]*") if path.is_dir())
        return {
            name: duckdb.execute(
                "select * from read_parquet(?, hive_partitioning = false) order by all",
                [f"{self.lake.version(name, ds)}/*.parquet"],
            ).fetchall()
            for name in names
            if self.lake.manifest(name, ds) is not None
        }


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, spark_variables: dict[str, str], movielens: Path
) -> Home:
    folder = tmp_path_factory.mktemp("night")
    environment = {"COLDSTART_HOME": str(folder), "COLDSTART_SOURCE": str(folder / "source")}
    settings = Settings.from_environment(environment | spark_variables)
    return Home(settings=settings, movielens=movielens)
