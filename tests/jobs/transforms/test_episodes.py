"""Episodes on small literal histories: who is cut into which task, and nothing leaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from jobs.transforms import episodes as T
from jobs.transforms.splits import is_validation_user
from jobs.transforms.user_histories import EVENT, user_histories, with_profiles
from schemas.dataset import spec as dataset_spec
from schemas.dataset.holdout import Holdout
from schemas.dataset.spec import ColdStart
from schemas.tables import lake as tables

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
TABLE = tables.episodes(SPEC)
COLD_START = ColdStart(min_support=2, max_support=3, min_query=1, query_size=2)
START = datetime(1998, 3, 1, tzinfo=UTC)
HELD_OUT = Holdout(
    new_users_from=START + timedelta(days=10), new_items_from=START + timedelta(days=5)
)
SCHEMA = (
    "user_id string, user_index int, is_new boolean, is_cold boolean, n_existing_items int, "
    f"events array<{EVENT}>"
)
EXISTING = 1000  # new items have greater numbers: here 1001 is the item 1, as a new one
# hashed outside (inside) the validation tenth
TRAIN_USER, VALIDATION_USER = "u0", "u18"


def _cut(
    spark: SparkSession,
    *events: tuple,
    splits: str = "train validation test serve",
    cold: tuple[str, ...] = (),
) -> dict[str, tuple[list[int], list[int]]]:
    """Support and query of each task, from events (user, user is new, item, item is new, day)."""
    of_users: dict[tuple[str, bool], list[tuple]] = {}
    for user, user_is_new, item, item_is_new, day in events:
        past = of_users.setdefault((user, user_is_new), [])
        past.append((START + timedelta(days=day), item + EXISTING * item_is_new, 3.0))
    rows = [
        (user, index, is_new, user in cold, EXISTING, past)
        for index, ((user, is_new), past) in enumerate(of_users.items(), start=1)
    ]
    frame = T.episodes(spark.createDataFrame(rows, SCHEMA), HELD_OUT, COLD_START, TABLE)
    return {
        row.task_id: tuple(
            [item % EXISTING for item in side] for side in (row.support_items, row.query_items)
        )
        for row in frame.collect()
        if row.split in splits
    }


def test_the_two_users_are_on_the_sides_they_are_named_for(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(TRAIN_USER,), (VALIDATION_USER,)], "user_id string")
    flags = frame.select("user_id", is_validation_user().alias("held")).collect()
    assert {row.user_id: row.held for row in flags} == {TRAIN_USER: False, VALIDATION_USER: True}


def test_windows_run_forwards_from_the_first(spark: SparkSession) -> None:
    past = [(TRAIN_USER, False, item, False, 1) for item in range(1, 13)]
    cut = _cut(spark, *past)
    assert cut == {
        f"{TRAIN_USER}/warm/train/0": ([1, 2, 3], [4, 5]),
        f"{TRAIN_USER}/warm/train/1": ([6, 7, 8], [9, 10]),
        # two are left, too few for a support of two and a query
    }


def test_how_much_came_before_on_the_day_of_the_first_interaction(spark: SparkSession) -> None:
    """Of windows, and of tests whose support is the last of more: here, two days in turn."""
    days = [1, 1, 1, 1, 1, 1, 1, 2, 2, 2, *[2] * 5, *[11] * 4]
    events = [
        (START + timedelta(days=day, seconds=number), number, 3.0)
        for number, day in enumerate(days, start=1)
    ]
    frame = spark.createDataFrame(
        [(TRAIN_USER, 1, False, False, EXISTING, events), ("u1", 2, True, True, EXISTING, events)],
        SCHEMA,
    )
    rows = T.episodes(frame, HELD_OUT, COLD_START, TABLE).collect()
    assert {row.task_id: (row.support_items[0], row.earlier_that_day) for row in rows} == {
        f"{TRAIN_USER}/warm/train/0": (1, 0),
        f"{TRAIN_USER}/warm/train/1": (6, 5),
        f"{TRAIN_USER}/warm/train/2": (11, 3),
        f"{TRAIN_USER}/warm/test": (13, 5),
        "u1/user_cold/test": (1, 0),
        "u1/user_cold/serve": (1, 0),
    }


def test_an_interaction_has_the_utc_day_that_it_is_of(spark: SparkSession) -> None:
    late = datetime(1998, 3, 1, 23, 59, 59, tzinfo=UTC)
    events = [(late + timedelta(seconds=number), number, 3.0) for number in range(1, 4)]
    events[0] = (late, 1, 3.0)
    frame = spark.createDataFrame([(TRAIN_USER, 1, False, True, EXISTING, events)], SCHEMA)
    rows = T.episodes(frame, HELD_OUT, COLD_START, TABLE).collect()
    day = (late - datetime(1970, 1, 1, tzinfo=UTC)).days
    found = {row.split: (row.support_days, row.query_days) for row in rows}
    assert found == {
        "train": ([day, day + 1], [day + 1]),
        "serve": ([day, day + 1, day + 1], []),
    }


def test_a_short_window_keeps_the_least_support(spark: SparkSession) -> None:
    past = [(TRAIN_USER, False, item, False, 1) for item in (1, 2, 3)]
    cut = _cut(spark, *past)
    assert cut == {f"{TRAIN_USER}/warm/train/0": ([1, 2], [3])}


def test_training_sees_no_new_item_no_new_user_no_held_out_day(spark: SparkSession) -> None:
    past = [(TRAIN_USER, False, item, False, 1) for item in (1, 2, 3)]
    past += [(TRAIN_USER, False, 4, True, 6), (TRAIN_USER, False, 5, False, 10)]
    past += [("new", True, item, False, 11) for item in (1, 2, 3, 4)]
    cut = _cut(spark, *past, splits="train validation")
    assert cut == {f"{TRAIN_USER}/warm/train/0": ([1, 2], [3])}


def test_validation_is_on_first_windows_of_users_of_its_own(spark: SparkSession) -> None:
    past = [(VALIDATION_USER, False, item, False, 1) for item in range(1, 13)]
    cut = _cut(spark, *past)
    assert list(cut) == [f"{VALIDATION_USER}/warm/validation/0"]


def test_each_scenario_asks_of_its_own_users_and_items(spark: SparkSession) -> None:
    events = []
    for user, user_is_new, item_is_new in (
        ("warm", False, False),
        ("user_cold", True, False),
        ("item_cold", False, True),
        ("both_cold", True, True),
    ):
        before = 11 if user_is_new else 1
        events += [(user, user_is_new, item, False, before) for item in (1, 2, 3, 4)]
        events += [(user, user_is_new, item, item_is_new, 12) for item in (5, 6)]
    cut = _cut(spark, *events, splits="test")
    assert cut == {
        "warm/warm/test": ([2, 3, 4], [5, 6]),
        "user_cold/user_cold/test": ([1, 2, 3], [4, 5]),  # begins with the user
        "item_cold/item_cold/test": ([2, 3, 4], [5, 6]),
        "both_cold/both_cold/test": ([2, 3, 4], [5, 6]),
        "both_cold/user_cold/test": ([1, 2, 3], [4]),
    }


def test_the_support_lies_before_the_query(spark: SparkSession) -> None:
    """A new item after some old ones: its task's support ends before it, whatever came later."""
    events = [("new", True, item, item == 5, 11) for item in (1, 2, 3, 4, 5, 6, 7)]
    cut = _cut(spark, *events)
    assert cut == {
        "new/both_cold/test": ([2, 3, 4], [5]),
        "new/user_cold/test": ([1, 2, 3], [4, 6]),
    }


def test_a_short_beginning_leaves_the_query_its_part(spark: SparkSession) -> None:
    events = [("new", True, item, False, 11) for item in (1, 2, 3, 4)]
    cut = _cut(spark, *events)
    assert cut == {"new/user_cold/test": ([1, 2], [3, 4])}


def test_validation_users_are_no_warm_test_users(spark: SparkSession) -> None:
    events = [(VALIDATION_USER, False, item, False, 1) for item in (1, 2, 3)]
    events += [(VALIDATION_USER, False, 4, False, 12)]
    assert _cut(spark, *events, splits="test") == {}


def test_a_repeated_item_counts_once_at_its_last_time(spark: SparkSession) -> None:
    interactions = spark.createDataFrame(
        [
            ("a", "x", 1.0, START),
            ("a", "y", 2.0, START + timedelta(days=1)),
            ("a", "x", 5.0, START + timedelta(days=2)),
        ],
        "user_id string, item_id string, rating double, event_time timestamp",
    )
    users = spark.createDataFrame(
        [("a", 1, False, True)], "user_id string, user_index int, is_new boolean, is_cold boolean"
    )
    items = spark.createDataFrame(
        [("x", 1, False), ("y", 2, False)], "item_id string, item_index int, is_new boolean"
    )
    of_users = with_profiles(user_histories(interactions, users, items), users, items)
    [row] = T.episodes(of_users, HELD_OUT, COLD_START, TABLE).collect()
    assert row.split == "serve"
    assert (row.support_items, row.support_ratings, row.query_items) == ([2, 1], [2.0, 5.0], [])


def test_only_cold_users_are_served(spark: SparkSession) -> None:
    events = [("a", True, 1, False, 11), ("b", True, 1, False, 11), ("b", True, 2, True, 12)]
    assert _cut(spark, *events, cold=("b",)) == {"b/user_cold/serve": ([1, 2], [])}
