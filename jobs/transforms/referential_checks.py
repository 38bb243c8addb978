"""Referential checks: the columns that the rules of a table need from other tables."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def with_unknowns(episodes: DataFrame, users: DataFrame, items: DataFrame) -> DataFrame:
    """Episodes with the items that have no profile, and whether the user has one."""
    named = episodes.select(
        "task_id", F.explode(F.array_union("support_items", "query_items")).alias("item_index")
    )
    unknown = (
        named.join(items, on="item_index", how="left_anti")
        .groupBy("task_id")
        .agg(F.collect_set("item_index").alias("unknown_items"))
    )
    known = users.select("user_index", F.lit(True).alias("user_is_known")).distinct()
    return (
        episodes.join(unknown, on="task_id", how="left")
        .join(known, on="user_index", how="left")
        .select(
            *episodes.columns,
            F.coalesce("unknown_items", F.expr("cast(array() as array<int>)")).alias(
                "unknown_items"
            ),
            F.coalesce("user_is_known", F.lit(False)).alias("user_is_known"),
        )
    )


def with_chosen_negatives(
    episodes: DataFrame, interactions: DataFrame, users: DataFrame, items: DataFrame
) -> DataFrame:
    """Episodes of implicit feedback with how many sampled negatives the user has ever chosen."""
    sides = (F.arrays_zip(*_pair(side)) for side in ("support", "query"))
    negatives = (
        episodes.select("task_id", "user_index", F.inline(F.concat(*sides)))
        .where(F.col("rating") == 0)
        .select("task_id", "user_index", "item_index")
    )
    chosen = (
        interactions.join(users.select("user_id", "user_index"), on="user_id", how="inner")
        .join(items.select("item_id", "item_index"), on="item_id", how="inner")
        .select("user_index", "item_index")
        .distinct()
    )
    found = (
        negatives.join(chosen, on=["user_index", "item_index"], how="inner")
        .groupBy("task_id")
        .agg(F.count("*").alias("chosen_negatives"))
    )
    return episodes.join(found, on="task_id", how="left").select(
        *episodes.columns, F.coalesce("chosen_negatives", F.lit(0)).alias("chosen_negatives")
    )


def _pair(side: str) -> tuple[Column, Column]:
    items, ratings = F.col(f"{side}_items"), F.col(f"{side}_ratings")
    return items.alias("item_index"), ratings.alias("rating")


def with_rated(
    scores: DataFrame,
    episodes: DataFrame,
    users: DataFrame,
    items: DataFrame,
    *,
    is_implicit: bool,
) -> DataFrame:
    """Scores with whether the user has rated the item: a serve task's support is all they rated.

    A sampled negative is nothing that they rated.
    """
    entries = (
        episodes.where(F.col("split") == "serve")
        .select("user_index", F.inline(F.arrays_zip(*_pair("support"))))
        .where((F.col("rating") > 0) if is_implicit else F.lit(True))
    )
    rated = (
        entries.select("user_index", "item_index")
        .join(users.select("user_id", "user_index"), on="user_index", how="inner")
        .join(items.select("item_id", "item_index"), on="item_index", how="inner")
        .select("user_id", "item_id", F.lit(True).alias("is_rated"))
        .distinct()
    )
    return scores.join(rated, on=["user_id", "item_id"], how="left").select(
        *scores.columns, F.coalesce("is_rated", F.lit(False)).alias("is_rated")
    )


def with_unfit_neighbours(neighbours: DataFrame, items: DataFrame, cap: int) -> DataFrame:
    """Neighbours with those that have no profile, those that are new, and the `cap` on them."""
    known = items.select("item_index", F.lit(True).alias("item_is_known")).distinct()
    about = items.select(F.col("item_index").alias("neighbour"), "is_new")
    key = ["item_index", "metapath"]
    unfit = (
        neighbours.select(*key, F.explode("neighbours").alias("neighbour"))
        .join(about, on="neighbour", how="left")
        .where(F.coalesce("is_new", F.lit(True)))
        .groupBy(*key)
        .agg(
            F.collect_set(F.when(F.col("is_new").isNull(), F.col("neighbour"))).alias("unknown"),
            F.collect_set(F.when(F.col("is_new"), F.col("neighbour"))).alias("new"),
        )
    )
    none = F.expr("cast(array() as array<int>)")
    return (
        neighbours.join(unfit, on=key, how="left")
        .join(known, on="item_index", how="left")
        .select(
            *neighbours.columns,
            F.coalesce("unknown", none).alias("unknown_neighbours"),
            F.coalesce("new", none).alias("new_neighbours"),
            F.coalesce("item_is_known", F.lit(False)).alias("item_is_known"),
            F.lit(cap).alias("cap"),
        )
    )
