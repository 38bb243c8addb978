"""The night of `DS`, run again because late rows have come: what tests of faults disturb."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from schemas.pipeline import INGEST, steps_of
from tests.jobs.homes import Home, changed
from tests.tiny_shop import empty_shop

EARLIER, DS = date(1998, 3, 6), date(1998, 3, 8)
NIGHT = tuple(step.name for step in steps_of("jobs").values() if step.makes)
LAST_TABLE = {step.name: step.makes[-1] for step in steps_of("jobs").values() if step.makes}
LAST_TABLE |= {INGEST.name: "interactions"}  # the last but for the daily statistics
NETWORK = """
[cold_start]
new_user_days = 2
new_item_days = 2
min_query = 1

[network.metapaths]
by_user = "users"
by_tag = "tag"

[network.relations.tag]
feature = "tags"
"""


def stages(folder: Path, spark_variables: Mapping[str, str]) -> dict[str, Home]:
    """The home before each step of the second night, and at "" after the undisturbed last one."""
    source = empty_shop(folder / "source")
    source.respell(('separator = ";" }\n', 'separator = ";" }\n' + NETWORK))
    source.add(
        *((f"u{u}", f"i{i}", "4", 1 + (3 * u + 5 * i) % 8) for u in range(9) for i in range(8))
    )
    home = Home(folder=folder / "home", source=source.folder, spark=spark_variables)
    for ds, steps in ((EARLIER, NIGHT[:2]), (DS, NIGHT)):
        for step in steps:
            home.step(step, ds)
    source.add(("u1", "i8", "2", 3), ("u2", "i8", "5", 7))
    homes = {}
    for step in NIGHT:
        homes[step] = home.copied_to(folder / step)
        home.step(step, DS)
    return {**homes, "": home}


def after(stages: dict[str, Home], step: str) -> Home:
    names = list(stages)
    return stages[names[names.index(step) + 1]]


def assert_undisturbed(home: Home, step: str, stages: dict[str, Home]) -> None:
    """The home is as the step leaves one in peace: rows, partitions it changed, and no litter."""
    before, expected, found = (h.partitions() for h in (stages[step], after(stages, step), home))
    assert home.rows() == after(stages, step).rows()
    assert changed(before, found) == changed(before, expected)
    versions = home.lake.root.glob(".versions/*/ds=*/*")
    assert {path.name for path in versions} == {partition.version for partition in found.values()}
    assert not list(home.lake.root.glob(".scratch/*"))


def drafts(home: Home, table: str) -> list[Path]:
    root = home.lake.root
    in_force = {link.resolve() for link in root.glob(f"{table}/ds=*")}
    versions = {path for path in root.glob(f".versions/{table}/ds=*/*") if path.is_dir()}
    return [*(versions - in_force), *root.glob(f".scratch/{table}")]


def has_begun(home: Home, table: str) -> bool:
    return bool(drafts(home, table))


def is_writing(home: Home, table: str) -> bool:
    walks = (files for draft in drafts(home, table) for _, _, files in os.walk(draft))
    return any(name.startswith("part-") for files in walks for name in files)
