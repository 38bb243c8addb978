"""User histories that grow by a day equal those of all days read at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms import user_histories as T
from tests.suite.examples import examples

START = datetime(1998, 3, 1, tzinfo=UTC)
N = 5  # users and items, numbered by arrival: u1, i1, ... come first
Event = tuple[int, int, float, int]  # user, item, rating, hours since the start

events = st.tuples(
    st.integers(1, N), st.integers(1, N), st.sampled_from([1.0, 3.0, 5.0]), st.integers(0, 23)
)


def _interactions(spark: SparkSession, rows: list[Event]) -> DataFrame:
    return spark.createDataFrame(
        [(f"u{u}", f"i{i}", r, START + timedelta(hours=h)) for u, i, r, h in rows],
        "user_id string, item_id string, rating double, event_time timestamp",
    )


def _profiles(spark: SparkSession, *, n_existing: int = N) -> tuple[DataFrame, DataFrame]:
    users = [(f"u{n}", n, n > n_existing, n == 1) for n in range(1, N + 1)]
    items = [(f"i{n}", n, n > n_existing) for n in range(1, N + 1)]
    return (
        spark.createDataFrame(
            users, "user_id string, user_index int, is_new boolean, is_cold boolean"
        ),
        spark.createDataFrame(items, "item_id string, item_index int, is_new boolean"),
    )


def _made(spark: SparkSession, rows: list[Event]) -> DataFrame:
    return T.user_histories(_interactions(spark, rows), *_profiles(spark))


def _rows(frame: DataFrame) -> list[tuple]:
    return sorted(tuple(row) for row in frame.collect())


@settings(
    max_examples=examples(fast=3, default=5, nightly=20),
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    early=st.lists(events, min_size=1, max_size=12), late=st.lists(events, min_size=1, max_size=12)
)
def test_a_later_day_adds_to_what_there_is(
    spark: SparkSession, early: list[Event], late: list[Event]
) -> None:
    by_time = [_once_an_hour(early), _once_an_hour([(u, i, r, h + 24) for u, i, r, h in late])]
    # Who comes later has greater numbers.
    n_early = max(u for u, *_ in by_time[0])
    everyone = [(u, u, 1.0, 0) for u in range(1, n_early + 1)]
    first = _once_an_hour([*everyone, *by_time[0]])
    grown = T.extended(_made(spark, first), _made(spark, by_time[1]), n_early)
    assert _rows(grown) == _rows(_made(spark, [*first, *by_time[1]]))


def _once_an_hour(rows: list[Event]) -> list[Event]:
    """No two interactions of a user with an item at one time: ingest sets them aside."""
    return list({(u, i, h): (u, i, r, h) for u, i, r, h in rows}.values())


def test_an_item_that_comes_again_is_moved_to_its_last_time(spark: SparkSession) -> None:
    earlier = _made(spark, [(1, 1, 1.0, 1), (1, 2, 2.0, 2), (2, 2, 3.0, 3)])
    later = _made(spark, [(1, 1, 5.0, 30), (3, 3, 4.0, 31)])
    at = [START + timedelta(hours=h) for h in (2, 3, 30, 31)]
    assert [
        (user, items, ratings, [t.replace(tzinfo=UTC) for t in times])
        for user, items, ratings, times in _rows(T.extended(earlier, later, 2))
    ] == [
        (1, [2, 1], [2.0, 5.0], [at[0], at[2]]),
        (2, [2], [3.0], [at[1]]),
        (3, [3], [4.0], [at[3]]),
    ]


def test_the_last_to_come_are_new(spark: SparkSession) -> None:
    users, items = _profiles(spark, n_existing=3)
    of_users = _made(spark, [(1, 3, 1.0, 1), (1, 4, 2.0, 2), (4, 5, 3.0, 3)])
    rows = T.with_profiles(of_users, users, items).orderBy("user_index").collect()
    flags = ("user_id", "user_index", "is_new", "is_cold", "n_existing_items")
    assert [tuple(row[name] for name in flags) for row in rows] == [
        ("u1", 1, False, True, 3),
        ("u4", 4, True, False, 3),
    ]
    events = [[(event.item_index, event.rating) for event in row.events] for row in rows]
    assert events == [[(3, 1.0), (4, 2.0)], [(5, 3.0)]]
