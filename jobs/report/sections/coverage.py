"""How much of the catalogue's attributes the items of a list cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """item_id and a column for each attribute of items; n_values: how many values each has."""

    of_items: pa.Table
    n_values: Mapping[str, int]

    def covered(self, item_ids: Sequence[str]) -> tuple[Coverage, ...]:
        """What a list of these items covers of each attribute, in the order of the spec."""
        ids = pa.array(item_ids, pa.string())
        listed = self.of_items.filter(pc.is_in(self.of_items["item_id"], ids))
        return tuple(
            Coverage(attribute=name, n_listed=_n_values(listed[name]), n_values=n_values)
            for name, n_values in self.n_values.items()
        )


def attributes_of_items(night: Night) -> Attributes | None:
    """None before the lake has a data set."""
    if night.spec is None:
        return None
    table = item_profiles(night.spec)
    profiles = read_partition(table, night.lake.version(table.name, night.ds))
    names = [*night.spec.items.features]
    return Attributes(
        of_items=profiles.select(["item_id", *names]),
        n_values={name: _n_values(profiles[name]) for name in names},
    )


def _n_values(column: pa.ChunkedArray[Any]) -> int:
    """How many different values there are; 0 stands for an unknown one."""
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return sum(value != 0 for value in pc.unique(values).to_pylist())
