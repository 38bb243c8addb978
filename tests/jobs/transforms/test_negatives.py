"""Sampled negatives on literal tasks: from the right items, never chosen, the same anywhere."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms.negatives import with_negatives
from schemas.dataset import spec as dataset_spec
from schemas.dataset.spec import Negatives
from schemas.projections.spark import spark_schema
from schemas.tables import lake as tables

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "toys.toml")
TABLE = tables.episodes(SPEC)
NEGATIVES = Negatives(support_per_positive=2, train_query_per_positive=3, test_query=5)
N_ITEMS, NEW = 40, frozenset(range(31, 41))
CHOSEN = {1: [1, 2, 3, 4, 5, 31, 32], 2: [1, 2, 6], 3: list(range(1, 29))}


def _task(user: int, scenario: str, split: str, support: list[int], query: list[int]) -> tuple:
    return (
        f"{user}/{scenario}/{split}", user, scenario, split,
        2, support, [1.0] * len(support), list(range(8, 8 + len(support))),
        query, [1.0] * len(query), [20] * len(query),
    )  # fmt: skip


TASKS = (
    _task(1, "warm", "train", [1, 2], [3]),
    _task(1, "warm", "validation", [1], [2, 3]),
    _task(1, "warm", "test", [1, 2], [3, 4]),
    _task(1, "item_cold", "test", [1, 2], [31]),
    _task(2, "user_cold", "serve", [1, 2, 6], []),
)


def _items(spark: SparkSession) -> DataFrame:
    rows = [(item, item in NEW) for item in range(1, N_ITEMS + 1)]
    return spark.createDataFrame(rows, "item_index int, is_new boolean")


def _histories(spark: SparkSession) -> DataFrame:
    rows = [(user, [(item,) for item in items]) for user, items in CHOSEN.items()]
    return spark.createDataFrame(rows, "user_index int, events array<struct<item_index int>>")


def _drawn(
    spark: SparkSession, *tasks: tuple, negatives: Negatives = NEGATIVES, partitions: int = 1
) -> dict[str, tuple[list[int], list[int]]]:
    """The negatives of each task's support and query, whose lists begin with the positives."""
    episodes = spark.createDataFrame(list(tasks), spark_schema(TABLE)).repartition(partitions)
    frames = (frame(spark).repartition(partitions) for frame in (_histories, _items))
    rows = with_negatives(episodes, *frames, negatives, TABLE).collect()
    positives = {task[0]: (task[5], task[8]) for task in tasks}
    drawn = {}
    for row in rows:
        sides = (
            (row.support_items, row.support_ratings, row.support_days),
            (row.query_items, row.query_ratings, row.query_days),
        )
        for (items, ratings, days), first in zip(sides, positives[row.task_id], strict=True):
            assert items[: len(first)] == first
            assert ratings == [1.0] * len(first) + [0.0] * (len(items) - len(first))
            assert len(days) == len(items)
            assert set(days[len(first) :]) <= set(days[: len(first)][-1:])
        assert row.earlier_that_day == 2
        (support, *_), (query, *_) = sides
        n_support, n_query = map(len, positives[row.task_id])
        drawn[row.task_id] = (support[n_support:], query[n_query:])
    return drawn


def test_how_many_and_of_which_items(spark: SparkSession) -> None:
    drawn = _drawn(spark, *TASKS)
    sizes = {task: (len(support), len(query)) for task, (support, query) in drawn.items()}
    assert sizes == {
        "1/warm/train": (4, 3),
        "1/warm/validation": (2, 6),
        "1/warm/test": (4, 5),
        "1/item_cold/test": (4, 5),
        "2/user_cold/serve": (6, 0),
    }
    for task, (support, query) in drawn.items():
        assert not NEW & {*support}
        assert {*query} <= NEW if "item_cold" in task else not NEW & {*query}


def test_nothing_chosen_nothing_twice(spark: SparkSession) -> None:
    """Over many seeds: what the user chose in the future of a query is chosen, too."""
    for seed in range(8):
        for task, sides in _drawn(
            spark, *TASKS, negatives=NEGATIVES.model_copy(update={"seed": seed})
        ).items():
            both = [*sides[0], *sides[1]]
            assert not {*both} & {*CHOSEN[int(task[0])]}
            assert len({*both}) == len(both)


@pytest.mark.parametrize("partitions", [3, 11])
def test_the_same_wherever_the_rows_lie(spark: SparkSession, partitions: int) -> None:
    assert _drawn(spark, *TASKS[::-1], partitions=partitions) == _drawn(spark, *TASKS)


def test_another_seed_and_another_task_draw_others(spark: SparkSession) -> None:
    drawn = _drawn(spark, *TASKS)
    other = _drawn(spark, *TASKS, negatives=NEGATIVES.model_copy(update={"seed": 21}))
    assert all(other[task] != sides for task, sides in drawn.items())
    assert drawn["1/warm/train"][0] != drawn["1/warm/test"][0]


def test_too_few_items_serve_the_query_first(spark: SparkSession) -> None:
    """User 3 left 29 and 30 alone, of the existing items."""
    tasks = (
        _task(3, "warm", "train", [1], [2]),
        _task(3, "warm", "test", [1], [2]),
    )
    for support, query in _drawn(spark, *tasks).values():
        assert (support, sorted(query)) == ([], [29, 30])
    few = NEGATIVES.model_copy(update={"train_query_per_positive": 1})
    support, query = _drawn(spark, tasks[0], negatives=few)["3/warm/train"]
    assert sorted(support + query) == [29, 30]
    assert len(query) == 1


def test_all_items_that_are_left_are_found(spark: SparkSession) -> None:
    """By draws with repeats: enough of them, also where a query asks for the last item."""
    for seed in range(8):
        negatives = Negatives(support_per_positive=0, test_query=25, seed=seed)
        [(support, query)] = _drawn(spark, TASKS[2], negatives=negatives).values()
        assert (support, sorted(query)) == ([], [*range(6, 31)])


def test_a_query_without_any_negative_asks_nothing(spark: SparkSession) -> None:
    spark_items = _items(spark).where("item_index <= 3 or item_index = 31")
    tasks = [TASKS[3], TASKS[4]]
    episodes = spark.createDataFrame(tasks, spark_schema(TABLE))
    rows = with_negatives(episodes, _histories(spark), spark_items, NEGATIVES, TABLE).collect()
    assert [row.task_id for row in rows] == ["2/user_cold/serve"]


def test_draws_are_uniform(spark: SparkSession) -> None:
    """The 25 existing items that user 1 left alone, in 200 tasks that draw 5 each."""
    tasks = [(f"1/{n}", *_task(1, "warm", "test", [], [3])[1:]) for n in range(200)]
    episodes = spark.createDataFrame(tasks, spark_schema(TABLE))
    rows = with_negatives(episodes, _histories(spark), _items(spark), NEGATIVES, TABLE)
    counts = rows.selectExpr("explode(slice(query_items, 2, 5)) as item").groupBy("item").count()
    found = [row["count"] for row in counts.collect()]
    assert len(found) == 25
    assert sum((n - 40) ** 2 / 40 for n in found) < 51.2  # chi-squared, 24 degrees, 0.1 per cent
