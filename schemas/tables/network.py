"""The lake's tables of the network: the links of items, and whom meta-paths lead to over them."""

from __future__ import annotations

from schemas.dataset.spec import DatasetSpec
from schemas.tables.columns import Column, Table, Type
from schemas.tables.index_columns import ITEM_INDEX
from schemas.tables.source import ITEM_ID

ITEM_LINKS = Table(
    name="item_links",
    description=(
        "The source's links of items to other nodes as the night found them, from the relations "
        "that the dataset spec reads from files; empty when there are none."
    ),
    key=("relation", "item_id", "node"),
    columns=(
        ITEM_ID,
        Column(
            name="relation",
            type=Type.STRING,
            description="Name of the relation in the dataset spec.",
        ),
        Column(
            name="node",
            type=Type.STRING,
            description="The source's id of the node that the item is linked to.",
        ),
    ),
)


def metapath_neighbours(spec: DatasetSpec) -> Table:
    network = spec.network
    return Table(
        name="metapath_neighbours",
        description=(
            "The items that each meta-path leads to from an item: a row for every item and "
            "meta-path, empty when the dataset spec has no network. Links through users are "
            "those that training may see: ratings of existing items, by existing users outside "
            "the validation split, before the held-out days. The lists are shared by all tasks: "
            "whoever reads them for a training task takes the task's own items out, because its "
            "user's query is among the links."
        ),
        key=("item_index", "metapath"),
        columns=(
            ITEM_INDEX,
            Column(
                name="metapath",
                type=Type.STRING,
                allowed=tuple(network.metapaths) if network else None,
                description="Name of the meta-path in the dataset spec.",
            ),
            Column(
                name="neighbours",
                type=Type.LIST_INT32,
                minimum=1,
                description=(
                    "item_index of existing items, ascending; of more than the spec's cap, "
                    "a sample drawn by a hash."
                ),
            ),
        ),
    )
