"""Profiles on small literal frames."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.transforms import profiles as T
from schemas import dataset_spec, tables
from schemas.holdout import Holdout

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
HELD_OUT = Holdout(
    new_users_from=datetime(1998, 3, 10, tzinfo=UTC),
    new_items_from=datetime(1998, 3, 5, tzinfo=UTC),
)
SCHEMA = "user_id string, item_id string, rating double, event_time timestamp"


def day(number: int) -> datetime:
    return datetime(1998, 3, number, 12, tzinfo=UTC)


def _training_user(spark: SparkSession) -> str:
    """An id outside the validation tenth, found by the rule itself."""
    ids = spark.range(50).select(F.concat(F.lit("u"), "id").alias("user_id"))
    row = ids.where(~T.is_validation_user()).orderBy("user_id").first()
    assert row is not None
    return str(row.user_id)


def _validation_user(spark: SparkSession) -> str:
    ids = spark.range(50).select(F.concat(F.lit("u"), "id").alias("user_id"))
    row = ids.where(T.is_validation_user()).orderBy("user_id").first()
    assert row is not None
    return str(row.user_id)


def test_dense_index_is_dense_unique_and_independent_of_order(spark: SparkSession) -> None:
    ids = [(f"id{i}",) for i in range(500)]
    first = T.dense_index(spark.createDataFrame(ids, "k string"), "k", "n").collect()
    second = T.dense_index(spark.createDataFrame(ids[::-1], "k string"), "k", "n").collect()
    assert sorted(row.n for row in first) == list(range(1, 501))
    assert {row.k: row.n for row in first} == {row.k: row.n for row in second}


def test_user_activity(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [("a", "x", 3.0, day(1)), ("a", "y", 4.0, day(12)), ("b", "x", 5.0, day(10))], SCHEMA
    )
    rows = T.user_activity(frame, HELD_OUT, cold_max=1).orderBy("user_id").collect()
    assert [(r.user_id, r.n_interactions, r.is_new, r.is_cold) for r in rows] == [
        ("a", 2, False, False),
        ("b", 1, True, True),
    ]
    assert rows[0].first_seen.astimezone(UTC) == day(1)
    assert rows[0].last_seen.astimezone(UTC) == day(12)


def test_training_statistics_hold_no_held_out_rating(spark: SparkSession) -> None:
    """Only the training user's early rating of the old item may count."""
    train, validation = _training_user(spark), _validation_user(spark)
    frame = spark.createDataFrame(
        [
            (train, "old", 2.0, day(1)),  # counts
            (train, "old", 5.0, day(11)),  # held-out days
            (validation, "old", 5.0, day(1)),  # validation user
            ("new", "old", 5.0, day(12)),  # new user
            (train, "young", 5.0, day(6)),  # new item
        ],
        SCHEMA,
    )
    users = T.user_activity(frame, HELD_OUT, cold_max=30)
    rows = T.item_activity(frame, users, HELD_OUT).orderBy("item_id").collect()
    assert [
        (
            r.item_id,
            r.n_interactions,
            r.rating_mean,
            r.is_new,
            r.train_n_ratings,
            r.train_rating_sum,
        )
        for r in rows
    ] == [("old", 4, 4.25, False, 1, 2.0), ("young", 1, 5.0, True, 0, 0.0)]


def test_vocabulary_numbers_values_within_their_feature(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(["1990"], ["War", "Drama"]), (["1980"], ["Drama"]), ([], [])],
        "release_year array<string>, genres array<string>",
    )
    rows = T.vocabulary(frame, "item", SPEC.items.features).orderBy("feature", "index").collect()
    assert [tuple(row) for row in rows] == [
        ("item.genres", "Drama", 1),
        ("item.genres", "War", 2),
        ("item.release_year", "1980", 1),
        ("item.release_year", "1990", 2),
    ]


def test_unknown_values_become_index_0(spark: SparkSession) -> None:
    table = tables.items(SPEC)
    frame = spark.createDataFrame(
        [("a", "A", ["1990"], ["War", "Drama", "never seen"]), ("b", "B", ["never seen"], [])],
        "item_id string, title string, release_year array<string>, genres array<string>",
    )
    vocabulary = spark.createDataFrame(
        [("item.genres", "Drama", 1), ("item.genres", "War", 2), ("item.release_year", "1990", 1)],
        "feature string, value string, index int",
    )
    profile = tables.Table(
        name="p",
        description="-",
        key=("item_id",),
        columns=(
            table.column("item_id"),
            *(tables.item_profiles(SPEC).column(name) for name in ("release_year", "genres")),
        ),
    )
    rows = T.with_feature_indices(frame, vocabulary, "item", SPEC.items.features, profile)
    assert [tuple(row) for row in rows.orderBy("item_id").collect()] == [
        ("a", 1, [0, 1, 2]),
        ("b", 0, []),
    ]
