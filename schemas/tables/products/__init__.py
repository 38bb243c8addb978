"""The tables that analysts query, and the names of metrics, lists and baselines in them.

A module holds one table. In the lake these tables lack `ds`, which their path carries.
"""

from __future__ import annotations

from schemas.tables.columns import Table
from schemas.tables.products.cold_user_scores import COLD_USER_SCORES, RANKED_BY
from schemas.tables.products.evidence_items import EVIDENCE_ITEMS
from schemas.tables.products.evidence_quality import (
    EVIDENCE_INTERVALS,
    EVIDENCE_LISTS,
    EVIDENCE_QUALITY,
)
from schemas.tables.products.list_quality import (
    ANY_KNOWN,
    LIST_METRICS,
    LIST_ORDERS,
    LIST_PEERS,
    LIST_QUALITY,
    LIST_SCENARIOS,
    NEW_ITEM_PEERS,
    NEW_ITEM_SCENARIOS,
    SETS_METRICS,
)
from schemas.tables.products.model_metrics import BASELINES, CHAMPION, MODEL_METRICS
from schemas.tables.products.publications import PUBLICATIONS
from schemas.tables.products.shared_columns import DS

__all__ = [
    "ANY_KNOWN",
    "BASELINES",
    "CHAMPION",
    "COLD_USER_SCORES",
    "DS",
    "EVIDENCE_INTERVALS",
    "EVIDENCE_ITEMS",
    "EVIDENCE_LISTS",
    "EVIDENCE_QUALITY",
    "LIST_METRICS",
    "LIST_ORDERS",
    "LIST_PEERS",
    "LIST_QUALITY",
    "LIST_SCENARIOS",
    "MODEL_METRICS",
    "NEW_ITEM_PEERS",
    "NEW_ITEM_SCENARIOS",
    "PRODUCTS",
    "PUBLICATIONS",
    "RANKED_BY",
    "SETS_METRICS",
    "WAREHOUSE_TABLES",
    "warehouse_table",
]

PRODUCTS = (EVIDENCE_ITEMS, EVIDENCE_QUALITY, COLD_USER_SCORES, MODEL_METRICS, LIST_QUALITY)


def warehouse_table(product: Table) -> Table:
    """The table of the product in the warehouse: `ds` in front, and part of the key."""
    return Table(
        name=product.name,
        description=product.description,
        key=("ds", *product.key),
        columns=(DS, *product.columns),
    )


WAREHOUSE_TABLES = (*(warehouse_table(product) for product in PRODUCTS), PUBLICATIONS)
