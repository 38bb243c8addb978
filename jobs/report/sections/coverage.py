"""How much of the catalogue's attributes the items of a list cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.report.night import Night
from schemas.projections.arrow import read_partition
from schemas.tables.profiles import item_profiles


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many values of an attribute the items of a list have, of those that any item has."""

    attribute: str
    n_listed: int
    n_values: int


def attributes_of_items(night: Night) -> pa.Table | None:
    """item_id, and a column for each attribute of items; None before the lake has a data set."""
    if night.spec is None:
        return None
    table = item_profiles(night.spec)
    profiles = read_partition(table, night.lake.version(table.name, night.ds))
    return profiles.select(["item_id", *night.spec.items.features])


def covered(attributes: pa.Table | None, item_ids: Sequence[str]) -> tuple[Coverage, ...]:
    """Of each attribute, in the order of the table; none where there are no attributes."""
    if attributes is None:
        return ()
    listed = attributes.filter(pc.is_in(attributes["item_id"], pa.array(item_ids, pa.string())))
    return tuple(
        Coverage(attribute=name, n_listed=_n_values(listed[name]), n_values=_n_values(of_all))
        for name, of_all in zip(attributes.column_names, attributes.columns, strict=True)
        if name != "item_id"
    )


def _n_values(column: pa.ChunkedArray[Any]) -> int:
    """How many different values there are; 0 stands for an unknown one."""
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return sum(value != 0 for value in pc.unique(values).to_pylist())
