"""The network of items: the links of items to nodes, and the neighbours that meta-paths lead to.

A popular node has thousands of items, and all pairs of them are millions. So no pairs are formed:
an item follows at most `cap` of its links, and asks their nodes for `_ASKED` x `cap` items in all,
in equal parts. A node keeps its items in the order of a hash; an ask is a run of places in that
order, from a place that a hash of the link decides. Rows grow with items x cap, and never with
the square of a node's links; what is drawn depends on the links and the seed alone.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.transforms.source import id_text
from jobs.transforms.splits import is_training
from schemas.dataset.holdout import Holdout
from schemas.dataset.network import USERS, FeatureRelation, FileRelation, Network
from schemas.tables.columns import Table
from schemas.tables.lake import ITEM_LINKS

# Of what an item asks for, the item itself and what it is given twice fall away.
_ASKED = 8


def links(raw: DataFrame, ids: DataFrame | None, name: str, relation: FileRelation) -> DataFrame:
    """The item links of a relation file; `ids` are the rows of the file that translates items."""
    found = raw.select(
        id_text(relation.item).alias("item_id"), id_text(relation.node).alias("node")
    )
    if relation.ids is not None and ids is not None:
        known = ids.select(
            id_text(relation.ids.alias).alias("alias"),
            id_text(relation.ids.item_id).alias("known_id"),
        )
        found = found.join(known, on=F.col("item_id") == F.col("alias"), how="inner").select(
            F.col("known_id").alias("item_id"), "node"
        )
    return (
        found.where((F.col("item_id") != "") & (F.col("node") != ""))
        .withColumn("relation", F.lit(name))
        .distinct()
        .select(*ITEM_LINKS.column_names)
    )


def training_links(interactions: DataFrame, held_out: Holdout) -> DataFrame:
    """`item_id, node`: the users who rated an item, as far as training may see it."""
    seen = interactions.where(is_training(held_out))
    return seen.select("item_id", F.col("user_id").alias("node"))


def edges(
    network: Network, rated: DataFrame, items: DataFrame, linked: DataFrame, profiles: DataFrame
) -> DataFrame:
    """`metapath, item_index, is_new, node`: each link of an item that a meta-path may follow.

    `rated` are the training links, `items` have the features, `linked` are the item links. Ratings
    of new items are queries of the item-cold test tasks, so users lead to and from existing ones.
    """

    def of(metapath: str, over: str) -> DataFrame:
        relation = network.relations.get(over)
        if isinstance(relation, FeatureRelation):
            named = items.select("item_id", F.explode(relation.feature).alias("node"))
        elif relation is not None:
            named = linked.where(F.col("relation") == over).select("item_id", "node")
        else:
            named = rated
        joined = named.join(
            profiles.select("item_id", "item_index", "is_new"), on="item_id", how="inner"
        )
        kept = joined.where(~F.col("is_new")) if over == USERS else joined
        return kept.select(F.lit(metapath).alias("metapath"), "item_index", "is_new", "node")

    frames = (of(metapath, over) for metapath, over in network.metapaths.items())
    return reduce(DataFrame.unionByName, frames).distinct()


def neighbours(edges: DataFrame, profiles: DataFrame, network: Network, table: Table) -> DataFrame:
    """A row for each item and meta-path: at most `cap` existing items that it leads to."""
    seed, cap = F.lit(network.seed), network.cap
    placed = _placed(edges, seed)
    givers = placed.where(~F.col("is_new")).select(
        "metapath", "node", "place", F.col("item_index").alias("neighbour")
    )
    found = (
        _asks(placed, cap)
        .join(givers, on=["metapath", "node", "place"], how="inner")
        .where(F.col("neighbour") != F.col("item_index"))
        .groupBy("item_index", "metapath")
        .agg(F.collect_set("neighbour").alias("found"))
    )
    drawn = F.array_sort(
        F.transform(
            "found",
            lambda n: F.struct(
                F.xxhash64(seed, "metapath", "item_index", n).alias("draw"), n.alias("neighbour")
            ),
        )
    )
    kept = F.transform(F.slice(drawn, 1, cap), lambda pair: pair["neighbour"])
    paths = F.array(*(F.lit(name) for name in network.metapaths))
    return (
        profiles.select("item_index", F.explode(paths).alias("metapath"))
        .join(found, on=["item_index", "metapath"], how="left")
        .withColumn(
            "neighbours", F.coalesce(F.array_sort(kept), F.expr("cast(array() as array<int>)"))
        )
        .select(*table.column_names)
    )


def _placed(edges: DataFrame, seed: Column) -> DataFrame:
    """Edges with `draw`, a hash, and `place` among the node's; 1..`size` are existing items."""
    of_node = Window.partitionBy("metapath", "node")
    in_order = of_node.orderBy("is_new", "draw", "item_index")
    return (
        edges.withColumn("draw", F.xxhash64(seed, "metapath", "item_index", "node"))
        .withColumn("place", F.row_number().over(in_order))
        .withColumn("size", F.count(F.when(~F.col("is_new"), 1)).over(of_node))
    )


def _asks(placed: DataFrame, cap: int) -> DataFrame:
    """`item_index, metapath, node, place`: the places of its nodes that an item asks for."""
    of_item = Window.partitionBy("metapath", "item_index")
    others = F.col("size") - F.when(F.col("is_new"), 0).otherwise(1)
    share = F.floor(_ASKED * cap / F.least("links", F.lit(cap)))
    run = F.sequence(F.lit(0), F.least(share, "size").cast("int") - 1)
    place = F.transform(
        run, lambda n: ((F.pmod("draw", "size") + n) % F.col("size") + 1).cast("int")
    )
    return (
        placed.where(others > 0)
        .withColumn("links", F.count("*").over(of_item))
        .withColumn("turn", F.row_number().over(of_item.orderBy("draw", "node")))
        .where(F.col("turn") <= cap)
        .select("item_index", "metapath", "node", F.explode(place).alias("place"))
    )
