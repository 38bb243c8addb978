"""Made-up data: exact numbers, power laws, and tastes that ratings and attributes show."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.tools import synthetic as T
from jobs.tools.synthetic import Market
from schemas.errors import UserError

MARKET = Market(users=500, items=600, interactions=12_000, days=30, seed=3)
DAY_SECONDS = 86_400


def _numbers(spark: SparkSession, n: int, partitions: int = 2) -> DataFrame:
    return spark.range(0, n, 1, partitions)


def _interactions(spark: SparkSession, market: Market, partitions: int = 2) -> list[tuple]:
    rows = T.interactions(_numbers(spark, market.users, partitions), market).collect()
    return sorted(tuple(row) for row in rows)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> list[tuple]:
    return _interactions(spark, MARKET)


def test_rows_depend_on_the_seed_and_not_on_the_partitions(
    spark: SparkSession, rows: list[tuple]
) -> None:
    assert _interactions(spark, MARKET, partitions=7) == rows
    other = _interactions(spark, replace(MARKET, seed=4))
    assert len(set(other) & set(rows)) < 10


@pytest.mark.parametrize(
    "market",
    [
        MARKET,
        Market(users=40, items=50, interactions=1_999, days=2, seed=1, user_exponent=0),
        Market(users=40, items=50, interactions=2_000, days=2, seed=1, user_exponent=0),
        Market(users=30, items=200, interactions=600, days=9, seed=1, item_exponent=2.5),
        Market(users=30, items=50, interactions=7, days=9, seed=1, user_exponent=0.5),
    ],
)
def test_as_many_as_asked_for_and_each_pair_once(spark: SparkSession, market: Market) -> None:
    market.check()
    rows = _interactions(spark, market)
    assert len(rows) == market.interactions
    assert len({(user, item) for user, item, _, _ in rows}) == market.interactions
    assert {user for user, _, _, _ in rows} <= {f"u{n + 1}" for n in range(market.users)}
    assert {item for _, item, _, _ in rows} <= {f"i{n + 1}" for n in range(market.items)}
    assert {rating for _, _, rating, _ in rows} <= {1, 2, 3, 4, 5}
    days = {(at - T.FIRST_SECOND) // DAY_SECONDS for _, _, _, at in rows}
    assert days <= set(range(market.days))


def test_few_users_and_items_have_much_of_it(spark: SparkSession, rows: list[tuple]) -> None:
    def top(rows: list[tuple], column: int, n: int) -> float:
        counts = Counter(row[column] for row in rows)
        return sum(count for _, count in counts.most_common(n)) / len(rows)

    assert top(rows, 0, 5) > 0.12  # of 500 users; all alike, 5 have 0.01
    assert top(rows, 1, 6) > 0.14  # of 600 items
    alike = _interactions(spark, replace(MARKET, user_exponent=0.0, item_exponent=0.0))
    assert top(alike, 0, 5) == 0.01
    assert top(alike, 1, 6) < 0.03


@pytest.mark.parametrize("column", [0, 1])
def test_somebody_and_something_new_comes_every_day(rows: list[tuple], column: int) -> None:
    first: dict[str, int] = {}
    for row in rows:
        first[row[column]] = min(first.get(row[column], row[3]), row[3])
    days = {(at - T.FIRST_SECOND) // DAY_SECONDS for at in first.values()}
    assert days == set(range(MARKET.days))


def _traits(spark: SparkSession, kind: str, n: int) -> np.ndarray:
    columns = [T.trait(kind, F.col("id"), which, MARKET) for which in range(T.N_TRAITS)]
    frame = _numbers(spark, n).select("id", F.array(*columns).alias("traits")).orderBy("id")
    return np.array([row.traits for row in frame.collect()])


def _matrix(rows: list[tuple]) -> np.ndarray:
    ratings = np.full((MARKET.users, MARKET.items), np.nan)
    for user, item, rating, _ in rows:
        ratings[int(user[1:]) - 1, int(item[1:]) - 1] = rating
    return ratings


def test_the_damped_bias_beats_the_global_mean(rows: list[tuple]) -> None:
    held_out = np.arange(len(rows)) % 5 == 0
    ratings = np.array([row[2] for row in rows], float)
    users, items = (np.array([int(row[n][1:]) for row in rows]) for n in (0, 1))
    left = ratings - ratings[~held_out].mean()
    error = np.abs(left[held_out]).mean()
    for ids in (items, users):
        sums = np.bincount(ids[~held_out], left[~held_out], minlength=ids.max() + 1)
        left = left - (sums / (np.bincount(ids[~held_out], minlength=ids.max() + 1) + 3))[ids]
    assert np.abs(left[held_out]).mean() < 0.9 * error


def test_users_of_the_same_taste_agree_more(spark: SparkSession, rows: list[tuple]) -> None:
    """On what both rated, after what everybody thinks of the item is taken off."""
    ratings = _matrix(rows)
    rated = ~np.isnan(ratings)
    left = ratings - np.nansum(ratings, axis=0) / np.maximum(rated.sum(axis=0), 1)
    left -= np.nanmean(left, axis=1, keepdims=True)
    traits = _traits(spark, "user", MARKET.users)
    traits /= np.linalg.norm(traits, axis=1, keepdims=True)
    alike = np.triu(traits @ traits.T, 1)

    def disagreement(pairs: np.ndarray) -> float:
        first, second = np.nonzero(pairs)
        return float(np.nanmean(np.abs(left[first] - left[second])))

    assert disagreement(alike > 0.7) < 0.9 * disagreement(alike < -0.7)


def test_attributes_are_signs_of_the_traits(spark: SparkSession) -> None:
    users = T.users(_numbers(spark, MARKET.users), MARKET).collect()
    items = T.items(_numbers(spark, MARKET.items), MARKET).collect()
    numbers = [int(row.user_id[1:]) - 1 for row in users]
    of_users = _traits(spark, "user", MARKET.users)[numbers]
    regions = [int(row.region[1:]) for row in users]
    assert set(regions) == set(range(8))
    assert np.corrcoef([row.age for row in users], of_users[:, 0])[0, 1] > 0.7
    assert np.corrcoef(regions, of_users[:, 1])[0, 1] > 0.7
    of_items = _traits(spark, "item", MARKET.items)[[int(row.item_id[1:]) - 1 for row in items]]
    for which, genre in enumerate(("wild", "long", "dark", "strange")):
        has = [genre in row.genres for row in items]
        assert np.corrcoef(has, of_items[:, which])[0, 1] > 0.4, genre


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"interactions": 300_001}, r"is 300,001, expected at most one for each .* items, 300,000"),
        ({"interactions": 60_000}, r"would rate 2,\d\d\d items, expected at most all 600; ask for"),
        ({"users": 0}, r"users is 0, expected at least 1"),
        ({"days": 1}, r"days is 1, expected at least 2"),
        ({"item_exponent": -1.0}, r"item_exponent is -1.0, expected 0 \(all alike\) or more"),
        ({"user_exponent": float("nan")}, r"user_exponent is nan, expected 0"),
    ],
)
def test_impossible_numbers(changed: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(MARKET, **changed).check()
