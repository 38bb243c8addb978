"""A night that goes wrong: killed, out of disk, on damaged files, run twice at once.

Late rows have come, and the night of `DS` is run again, step by step. Whatever happens to a step,
what was in force stays, and a rerun leaves the very rows of a night that nothing disturbed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its types are a package of their own
import pytest

from local.services import spark_server
from schemas.pipeline import MADE_BY
from schemas.run.settings import Settings
from tests.jobs.breakage import cut, fill_but_a_page, flip_a_bit, small_disk
from tests.jobs.homes import Home, changed
from tests.jobs.processes import (
    frozen_when,
    java_of,
    read_until,
    run_step,
    running_step,
    waiting_step,
)
from tests.jobs.second_night import (
    DS,
    LAST_TABLE,
    NIGHT,
    after,
    assert_undisturbed,
    drafts,
    has_begun,
    is_writing,
)
from tests.suite.spark import OF_TESTS


@pytest.fixture(scope="module")
def frozen_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Mapping[str, str], psutil.Process]]:
    """A Spark server that may be stopped while the tests' own goes on: its variables, its JVM."""
    folder = tmp_path_factory.mktemp("frozen-server")
    with spark_server(Settings.from_environment({"COLDSTART_HOME": str(folder)})) as server:
        server.wait_until_up()
        yield server.variables, java_of(server.child.process.pid)


@pytest.mark.slow  # each step is run, killed and run again
@pytest.mark.parametrize("step", NIGHT)
def test_a_kill_leaves_what_was_in_force(
    stages: dict[str, Home],
    tmp_path: Path,
    frozen_server: tuple[Mapping[str, str], psutil.Process],
    step: str,
) -> None:
    """Before a step's last table is written, while, and after. What a kill leaves is what lies
    there when nothing runs any more: a copy of a frozen home is that, and spares a start of Spark.
    """
    variables, java = frozen_server
    home, table = stages[step].copied_to(tmp_path / "home"), LAST_TABLE[step]
    before, afterwards = stages[step].partitions(), after(stages, step).partitions()
    killed = [home]
    with waiting_step(replace(home, spark=variables), table, step, DS) as process:
        for moment in (has_begun, is_writing):
            with frozen_when(lambda seen=moment: seen(home, table), process, java):  # type: ignore[misc]
                killed.append(home.copied_to(tmp_path / moment.__name__))
        read_until("sealed", process.stdout)
    assert any((draft / "_SUCCESS").exists() for draft in drafts(home, table))
    for left in killed:
        found = left.partitions()
        assert table not in {name for name, _ in changed(before, found)}
        for where, partition in found.items():
            assert partition.rows in (before[where].rows, afterwards[where].rows), where
        left.step(step, DS)
        assert_undisturbed(left, step, stages)


@pytest.mark.parametrize(
    ("step", "has_server"), [*((step, True) for step in NIGHT), ("build_metapaths", False)]
)
def test_a_full_disk_is_reported_in_a_line(
    stages: dict[str, Home], tmp_path: Path, step: str, has_server: bool
) -> None:
    with small_disk(tmp_path / "home" / "lake"):
        home = stages[step].copied_to(tmp_path / "home")
        before = home.partitions()
        ballast = fill_but_a_page(home.lake.root)
        code, said = run_step(home if has_server else replace(home, spark=OF_TESTS), step, DS)
        error = said.splitlines()[-1]
        assert code == 1
        assert f"No space left on device: '{home.lake.root}/." in error
        assert "Free some space and run the step again" in error
        assert not [
            line for line in said.splitlines() if re.search("Traceback|Exception|\tat ", line)
        ]
        assert not changed(before, home.partitions())
        ballast.unlink()
        home.step(step, DS)
        assert_undisturbed(home, step, stages)


@pytest.mark.parametrize(
    ("step", "table", "day", "damage"),
    [
        ("build_episodes", "interactions", 1, flip_a_bit),
        ("build_profiles", "items", 8, cut),
        ("build_episodes", "user_profiles", 8, flip_a_bit),
        ("build_metapaths", "interactions", 5, cut),
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
    assert f"Remove {link} and run the step {MADE_BY[table].name} again" in said
    assert not any(word in said for word in ("Traceback", "\tat "))
    link.unlink()
    home.step(MADE_BY[table].name, DS)
    home.step(step, DS)
    assert home.rows() == after(stages, step).rows()
    run = (MADE_BY[table].name, step)
    made = {(name, f"ds={DS}") for name, by in MADE_BY.items() if by.name in run}
    assert changed(before, home.partitions()) <= {*made, (table, link.name)}


@pytest.mark.parametrize("step", ["ingest", "build_profiles"])
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
    assert_undisturbed(home, step, stages)
