"""The lake's tables of the item graph: the links of items, and the neighbours on meta-paths."""

from __future__ import annotations

from schemas.dataset.spec import DatasetSpec
from schemas.tables.columns import Column, Table, Type
from schemas.tables.index_columns import ITEM_INDEX
from schemas.tables.source import ITEM_ID

ITEM_LINKS = Table(
    name="item_links",
    description=(
        "Links of items to other nodes, as the source had them that night, for the relations that "
        "the dataset spec reads from files. Empty without such relations."
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
            description="The source's id of the linked node.",
        ),
    ),
)


def metapath_neighbours(spec: DatasetSpec) -> Table:
    """The contract of neighbours: the dataset's meta-paths are the allowed ones."""
    network = spec.network
    return Table(
        name="metapath_neighbours",
        description=(
            "The items that each meta-path leads to, one row for each item and meta-path. Empty "
            "if the dataset spec has no network. Links through users are those that training may "
            "see: ratings of existing items, by existing users outside the validation split, "
            "before the held-out days. All tasks share the lists. A training task must leave out "
            "its own items, because the links include its user's query."
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
                    "item_index of existing items, ascending. If there are more than the spec's "
                    "cap, a sample drawn by a hash."
                ),
            ),
        ),
    )
