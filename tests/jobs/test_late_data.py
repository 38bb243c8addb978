"""The point-in-time promise as a property: whatever was run before, and however often, on whatever
the source held then, a run of `ds` leaves what a first run on today's source would leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.pipeline import BUILD_EPISODES, BUILD_PROFILES, HISTORY, INGEST, MADE_BY
from tests.jobs.homes import Home, Partitions, changed
from tests.suite.examples import examples
from tests.tiny_shop import Source, empty_shop

STEPS = tuple(step.name for step in (INGEST, BUILD_PROFILES, BUILD_EPISODES))
DAYS = (date(1998, 3, 4), date(1998, 3, 6))
Event = tuple[str, str, str, int]
# Always there: what every ds needs for two days of data and a training task.
CORE: list[Event] = [(f"u{u}", f"i{i}", "4", 1) for u in range(3) for i in range(6)]
CORE += [("u0", "i6", "2", 2)]

# Few people, things and days: rows repeat, days empty, and people arrive before their first day.
# 9 is off the scale, u9 is a stranger, and day 7 comes after every ds.
events = st.tuples(
    st.sampled_from([f"u{n}" for n in range(3, 10)]),
    st.sampled_from([f"i{n}" for n in range(9)]),
    st.sampled_from(["1", "3", "5", "9"]),
    st.integers(1, 7),
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """The source as it was and as it is, and who ran then and since: ds, and how many steps."""

    old: list[Event]
    new: list[Event]
    runs_on_old: list[tuple[date, int]]
    runs_on_new: list[tuple[date, int]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    drawn = draw(st.lists(events, min_size=7, max_size=14, unique=True))
    n_late = draw(st.integers(3, 5))
    late, old = drawn[:n_late], drawn[n_late:]
    kept = draw(st.permutations(old))[1:]
    repeated = draw(st.lists(st.sampled_from([*late, *kept, *CORE]), min_size=1, max_size=3))
    runs = st.tuples(st.sampled_from(DAYS[::-1]), st.sampled_from([3, 1, 2]))
    reruns = draw(st.lists(st.sampled_from(DAYS), max_size=1))
    return Story(
        old=[*CORE, *old],
        new=draw(st.permutations([*CORE, *kept, *late, *repeated])),
        runs_on_old=draw(st.lists(runs, min_size=1, max_size=2)),
        runs_on_new=[(ds, 1) for ds in reruns]
        + [(ds, len(STEPS)) for ds in draw(st.permutations(DAYS))],
    )


def _rewrite(source: Source, rows: list[Event]) -> None:
    (source.folder / "interactions.csv").write_text("who,what,stars,when\n")
    source.add(*rows)


def _run(home: Home, ds: date, n_steps: int) -> None:
    """Run the steps; each changes nothing but its own partitions, and days whose rows changed."""
    for step in STEPS[:n_steps]:
        before = home.partitions()
        home.step(step, ds)
        after = home.partitions()
        own = {(table, f"ds={ds}") for table, made_by in MADE_BY.items() if made_by.name == step}
        for table, day in changed(before, after):
            if table in HISTORY:
                assert day <= f"ds={ds}"
                old_day = before.get(("interactions", day))
                assert old_day is None or old_day.rows != after["interactions", day].rows
            else:
                assert (table, day) in own


def _known_at(ds: date, partitions: Partitions) -> dict[tuple[str, str], list[str]]:
    """What the lake says at ds. A day that lost its rows is like one that never had any; which
    nights keep user histories for later ones depends on what ran before."""
    return {
        (table, day): partition.rows
        for (table, day), partition in partitions.items()
        if day == f"ds={ds}" or (table in HISTORY and day <= f"ds={ds}")
        if table not in HISTORY or partition.rows
        if table != "timelines"
    }


@settings(
    max_examples=examples(fast=1, default=2, nightly=6),
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # an example takes seconds: a shrunk one would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(story=stories())
@pytest.mark.slow  # eight days, rerun in several orders
def test_a_rerun_leaves_what_a_first_run_would(
    story: Story,
    tmp_path_factory: pytest.TempPathFactory,
    spark_variables: Mapping[str, str],
) -> None:
    folder = tmp_path_factory.mktemp("story")
    source = empty_shop(folder / "source")
    home = Home(folder=folder / "home", source=source.folder, spark=spark_variables)
    _rewrite(source, story.old)
    for ds, n_steps in story.runs_on_old:
        _run(home, ds, n_steps)
    _rewrite(source, story.new)
    for ds, n_steps in story.runs_on_new:
        _run(home, ds, n_steps)
    lake = home.partitions()
    for ds in DAYS:
        alone = Home(folder=folder / f"{ds}", source=source.folder, spark=spark_variables)
        _run(alone, ds, len(STEPS))
        assert _known_at(ds, lake) == _known_at(ds, alone.partitions())
