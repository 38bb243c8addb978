"""A night that goes wrong: killed, out of disk, on damaged files, run twice at once.

Late rows have come, and the night of `DS` is run again, step by step. Whatever happens to a step,
what was in force stays, and a rerun leaves the very rows of a night that nothing disturbed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from schemas.steps import MADE_BY
from tests.jobs.breakage import cut, fill_but_a_page, flip_a_bit, small_disk
from tests.jobs.homes import Home, changed
from tests.jobs.processes import freeze_when, read_until, run_step, running_step, waiting_step
from tests.tiny_shop import empty_shop

EARLIER, DS = date(1998, 3, 6), date(1998, 3, 8)
LAST_TABLE = {
    "ingest": "interactions",
    "build-profiles": "item_profiles",
    "build-episodes": "episodes",
    "build-metapaths": "metapath_neighbours",
}
NIGHT = tuple(LAST_TABLE)
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


@pytest.fixture(scope="module")
def stages(
    tmp_path_factory: pytest.TempPathFactory, spark_variables: Mapping[str, str]
) -> dict[str, Home]:
    """The home before each step of the second night, and at "" after the undisturbed last one."""
    folder = tmp_path_factory.mktemp("undisturbed")
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


def _after(stages: dict[str, Home], step: str) -> Home:
    names = list(stages)
    return stages[names[names.index(step) + 1]]


def _assert_undisturbed(home: Home, step: str, stages: dict[str, Home]) -> None:
    """The home is as the step leaves one in peace: rows, partitions it changed, and no litter."""
    before, expected, found = (h.partitions() for h in (stages[step], _after(stages, step), home))
    assert home.rows() == _after(stages, step).rows()
    assert changed(before, found) == changed(before, expected)
    versions = home.lake.root.glob(".versions/*/ds=*/*")
    assert {path.name for path in versions} == {partition.version for partition in found.values()}
    assert not list(home.lake.root.glob(".scratch/*"))


def _drafts(home: Home, table: str) -> list[Path]:
    root = home.lake.root
    in_force = {link.resolve() for link in root.glob(f"{table}/ds=*")}
    versions = {path for path in root.glob(f".versions/{table}/ds=*/*") if path.is_dir()}
    return [*(versions - in_force), *root.glob(f".scratch/{table}")]


def _has_begun(home: Home, table: str) -> bool:
    return bool(_drafts(home, table))


def _is_writing(home: Home, table: str) -> bool:
    walks = (files for draft in _drafts(home, table) for _, _, files in os.walk(draft))
    return any(name.startswith("part-") for files in walks for name in files)


@pytest.mark.parametrize("step", NIGHT)
def test_a_kill_leaves_what_was_in_force(
    stages: dict[str, Home], tmp_path: Path, step: str
) -> None:
    """Before a step's last table is written, while, and after. What a kill leaves is what lies
    there when nothing runs any more: a copy of a frozen home is that, and spares a start of Spark.
    """
    home, table = stages[step].copied_to(tmp_path / "home"), LAST_TABLE[step]
    before, afterwards = stages[step].partitions(), _after(stages, step).partitions()
    killed = [home]
    with waiting_step(replace(home, spark={}), table, step, DS) as process:
        for moment in (_has_begun, _is_writing):
            freeze_when(lambda seen=moment: seen(home, table), process)  # type: ignore[misc]
            killed.append(home.copied_to(tmp_path / moment.__name__))
            os.killpg(process.pid, signal.SIGCONT)
        read_until("sealed", process.stdout)
    assert any((draft / "_SUCCESS").exists() for draft in _drafts(home, table))
    for left in killed:
        found = left.partitions()
        assert table not in {name for name, _ in changed(before, found)}
        for where, partition in found.items():
            assert partition.rows in (before[where].rows, afterwards[where].rows), where
        left.step(step, DS)
        _assert_undisturbed(left, step, stages)


@pytest.mark.parametrize(
    ("step", "has_server"), [*((step, True) for step in NIGHT), ("build-metapaths", False)]
)
def test_a_full_disk_is_told_in_a_line(
    stages: dict[str, Home], tmp_path: Path, step: str, has_server: bool
) -> None:
    with small_disk(tmp_path / "home" / "lake"):
        home = stages[step].copied_to(tmp_path / "home")
        before = home.partitions()
        ballast = fill_but_a_page(home.lake.root)
        code, said = run_step(home if has_server else replace(home, spark={}), step, DS)
        error = said.splitlines()[-1]
        assert code == 1
        assert f"No space left on device: '{home.lake.root}/." in error
        assert "Free some space and run the step again" in error
        assert not any(word in said for word in ("Traceback", "Exception", "\tat "))
        assert not changed(before, home.partitions())
        ballast.unlink()
        home.step(step, DS)
        _assert_undisturbed(home, step, stages)


@pytest.mark.parametrize(
    ("step", "table", "day", "damage"),
    [
        ("build-episodes", "interactions", 1, flip_a_bit),
        ("build-profiles", "items", 8, cut),
        ("build-episodes", "user_profiles", 8, flip_a_bit),
        ("build-metapaths", "interactions", 5, cut),
    ],
)
def test_a_damaged_file_is_named_with_the_step_that_makes_it(
    stages: dict[str, Home],
    tmp_path: Path,
    step: str,
    table: str,
    day: int,
    damage: Callable[[Path], None],
) -> None:
    home = stages[step].copied_to(tmp_path / "home")
    before = home.partitions()
    link = home.lake.partition(table, date(1998, 3, day))
    [file] = link.resolve().glob("*.parquet")
    damage(file)
    code, said = run_step(home, step, DS)
    assert code == 2
    assert f"error: {file} cannot be read" in said
    assert f"Remove {link} and run the step {MADE_BY[table]} again" in said
    assert not any(word in said for word in ("Traceback", "\tat "))
    link.unlink()
    home.step(MADE_BY[table], DS)
    home.step(step, DS)
    assert home.rows() == _after(stages, step).rows()
    made = {(name, f"ds={DS}") for name, by in MADE_BY.items() if by in (MADE_BY[table], step)}
    assert changed(before, home.partitions()) <= {*made, (table, link.name)}


@pytest.mark.parametrize("step", ["ingest", "build-profiles"])
def test_of_two_runs_at_once_the_second_waits(
    stages: dict[str, Home], tmp_path: Path, step: str
) -> None:
    """With steps of several tables: those of one night all come from one run."""
    home = stages[step].copied_to(tmp_path / "home")
    with waiting_step(home, LAST_TABLE[step], step, DS) as first:
        read_until("sealed", first.stdout)
        halfway = home.partitions()
        with running_step(home, step, DS) as second:
            read_until("waiting for another process to release", second.stderr)
            assert not changed(halfway, home.partitions())
            first.communicate("go on\n")
            second.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    _assert_undisturbed(home, step, stages)
