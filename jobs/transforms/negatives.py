"""Sampled negatives: for implicit feedback, items beside those that a user chose.

A negative is an item that exists at `ds` and that the user has never chosen up to `ds`, the future
of the task's query included. It comes from the items that the task's positives come from: new ones
for the query of item_cold and both_cold, existing ones for any other query and for supports.
Otherwise newness alone would separate negatives from positives.

A task's n-th draw is a hash of seed, task and n: it does not depend on the order or the place of
the rows. Draws that repeat one another, or that the user chose, are skipped.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.profiles import dense_index
from schemas.dataset.spec import Negatives
from schemas.tables.columns import Table

_SIDES = ("support", "query")
_BUCKET_ITEMS = 1 << 20


def with_negatives(
    episodes: DataFrame, histories: DataFrame, items: DataFrame, negatives: Negatives, table: Table
) -> DataFrame:
    """The episodes with negatives after the positives of each side, in the order of their draws.

    A negative has the day of the positive before it.

    Where there are fewer than wanted, the query is served first. A query that finds none, which
    could tell no model from another, is left out with its task.
    """
    drawn = _drawn(episodes, histories, _pools(items), negatives)
    complete = episodes.join(drawn, on="task_id", how="left")
    for side in _SIDES:
        found = F.coalesce(f"{side}_negatives", F.expr("cast(array() as array<int>)"))
        none = F.transform(found, lambda _: F.lit(0.0).cast("float"))
        days = F.array_repeat(F.try_element_at(f"{side}_days", F.lit(-1)), F.size(found))
        complete = complete.withColumns(
            {
                f"{side}_items": F.concat(f"{side}_items", found),
                f"{side}_ratings": F.concat(f"{side}_ratings", none),
                f"{side}_days": F.concat(f"{side}_days", days),
            }
        )
    is_judged = F.exists("query_ratings", lambda rating: rating == 0)
    return complete.where((F.col("split") == "serve") | is_judged).select(*table.column_names)


def _pools(items: DataFrame) -> DataFrame:
    """Existing and new items, each kind numbered from 1 in `place`."""
    kinds = [
        dense_index(
            items.where(of_kind).select("item_index", "is_new"),
            "place",
            bucket=F.floor(F.col("item_index") / _BUCKET_ITEMS),
            order=("item_index",),
        )
        for of_kind in (~F.col("is_new"), F.col("is_new"))
    ]
    return kinds[0].unionByName(kinds[1])


def _drawn(
    episodes: DataFrame, histories: DataFrame, pools: DataFrame, negatives: Negatives
) -> DataFrame:
    """`support_negatives` and `query_negatives` of each `task_id` that has any."""
    chosen = (
        histories.select("user_index", F.explode("events.item_index").alias("item_index"))
        .join(pools, on="item_index", how="inner")
        .groupBy("user_index", "is_new")
        .agg(F.collect_list("place").alias("chosen"))
    )
    sizes = pools.groupBy("is_new").agg(F.count("*").alias("pool_size"))
    free = F.array_except(
        _draws(negatives.seed),
        F.coalesce("chosen", F.expr("cast(array() as array<int>)")),
    )
    return (
        _wanted(episodes, negatives)
        .join(F.broadcast(sizes), on="is_new", how="inner")
        .join(chosen, on=["user_index", "is_new"], how="left")
        .select(
            "task_id",
            "side",
            "is_new",
            F.posexplode(F.slice(free, F.col("skipped") + 1, F.col("n"))).alias("draw", "place"),
        )
        .join(pools, on=["is_new", "place"], how="inner")
        .groupBy("task_id")
        .agg(*(_of_side(side).alias(f"{side}_negatives") for side in _SIDES))
    )


def _wanted(episodes: DataFrame, negatives: Negatives) -> DataFrame:
    """A row a task and side: how many (`n`) of which kind, after how many `skipped` draws."""
    positives = {side: F.size(f"{side}_items") for side in _SIDES}
    of_query = (
        F.when(F.col("split") == "serve", 0)
        .when(F.col("split") == "test", negatives.test_query)
        .otherwise(positives["query"] * negatives.train_query_per_positive)
    )
    is_new = F.col("scenario").isin("item_cold", "both_cold")
    # Two sides that draw from the same items share one row of draws, and so no item.
    taken = F.when(is_new, 0).otherwise(of_query)
    sides = (
        ("support", F.lit(False), taken, positives["support"] * negatives.support_per_positive),
        ("query", is_new, F.lit(0), of_query),
    )
    rows = F.array(
        *(
            F.struct(
                F.lit(side).alias("side"),
                kind.alias("is_new"),
                skipped.alias("skipped"),
                n.alias("n"),
            )
            for side, kind, skipped, n in sides
        )
    )
    wanted = episodes.select("task_id", "user_index", F.inline(rows))
    return wanted.where(F.col("n") > 0)


def _draws(seed: int) -> Column:
    """Places in the pool in the order drawn, repeats among them: enough to find those wanted.

    Of `pool_size` places, d draws miss a share of exp(-d / pool_size); half as many draws again as
    that asks for make it all but certain.
    """
    pool, unused = F.col("pool_size"), F.col("skipped") + F.col("n")
    needed = unused + F.coalesce(F.size("chosen"), F.lit(0))
    missed = F.greatest(pool - needed, F.lit(0)) + F.lit(0.02)
    n_draws = F.ceil(1.5 * pool * F.log(pool / missed)) + 10
    return F.transform(
        F.sequence(F.lit(1).cast("bigint"), n_draws),
        lambda n: (F.pmod(F.xxhash64(F.lit(seed), "task_id", n), pool) + 1).cast("int"),
    )


def _of_side(side: str) -> Column:
    """The item indices of a side in the order drawn; nothing of the other side."""
    entry = F.when(F.col("side") == side, F.struct("draw", "item_index"))
    return F.sort_array(F.collect_list(entry)).getField("item_index")
