"""How the warehouse keeps what analysts see: rows under the number of their publication.

A publication loads its rows beside all others, under a number of its own that nothing points to;
then one row of `publications`, which says which number is a day's, makes all of them visible at
once. Whatever engine the warehouse is of, readers see the old whole day or the new one, and a
publication that dies has changed nothing. The tables of the contract are views over both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schemas.tables.columns import Column, Table, Type
from schemas.tables.products import DS, PRODUCTS, PUBLICATIONS, warehouse_table

SCHEMA = "coldstart"  # what analysts see; as the SQL of views says it
DATA_SCHEMA = "coldstart_data"

PUBLICATION = Column(
    name="publication",
    type=Type.INT64,
    minimum=0,
    description="The number of the publication: when it began, in microseconds since 1970.",
)

VERSIONS = Table(
    name="versions",
    description="Which versions of the warehouse's structure were put in place, and when.",
    key=("version",),
    columns=(
        Column(
            name="version",
            type=Type.INT32,
            minimum=1,
            description="Structure version; the greatest is in force.",
        ),
        Column(
            name="applied_at", type=Type.TIMESTAMP, description="When the version was applied, UTC."
        ),
    ),
)


def _stored(product: Table) -> Table:
    """Without what is the same in every row of a publication, which the publication says."""
    own = (column for column in product.columns if column.name not in shared(product))
    return Table(
        name=product.name,
        description=product.description,
        key=product.key,
        columns=(PUBLICATION, DS, *own),
    )


def shared(product: Table) -> tuple[str, ...]:
    """The product's columns that its views take from `publications`."""
    return tuple(
        column.name
        for column in product.columns
        if column.name in PUBLICATIONS.column_names and column.name not in product.key
    )


STORED_PRODUCTS: Mapping[str, Table] = {product.name: _stored(product) for product in PRODUCTS}
STORED_PUBLICATIONS = replace(PUBLICATIONS, columns=(PUBLICATION, *PUBLICATIONS.columns))
STORED = (*STORED_PRODUCTS.values(), STORED_PUBLICATIONS, VERSIONS)

# Beside the key's, for the queries of docs/analysts.md.
INDEXES: Mapping[str, tuple[str, ...]] = {"cold_user_scores": ("item_id",)}


def view_of(product: Table) -> str:
    """The SELECT that gives the contract's columns, in their order, of every published ds."""
    contract, from_publications = warehouse_table(product), {DS.name, *shared(product)}
    columns = ", ".join(
        f'{"p" if name in from_publications else "r"}."{name}"' for name in contract.column_names
    )
    return (
        f"SELECT {columns}\nFROM {DATA_SCHEMA}.{STORED_PUBLICATIONS.name} AS p\n"
        f"JOIN {DATA_SCHEMA}.{product.name} AS r "
        f"ON r.ds = p.ds AND r.{PUBLICATION.name} = p.{PUBLICATION.name}"
    )
