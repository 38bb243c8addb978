"""What a table is: its columns, each fact about a column stated once.

A `Table` knows nothing of Spark, Arrow, Great Expectations or SQL; those are projections of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Type(Enum):
    """Column types shared by every engine. Timestamps are UTC, in microseconds."""

    STRING = "string"
    BOOL = "bool"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT64 = "float64"
    DATE = "date"
    TIMESTAMP = "timestamp"
    LIST_STRING = "list<string>"
    LIST_INT32 = "list<int32>"
    LIST_FLOAT32 = "list<float32>"
    LIST_TIMESTAMP = "list<timestamp>"

    @property
    def is_list(self) -> bool:
        """Whether the column holds a list of values in each row."""
        return self.value.startswith("list<")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its name, type, meaning and the values it may hold.

    `minimum` and `maximum` are inclusive; `allowed` lists the only values a column may take.
    For list columns the three bound the elements, not the list.
    """

    name: str
    type: Type
    description: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its columns in order, and the columns that name a row within one `ds`.

    Lake tables carry `ds` in the partition's path, warehouse tables as their first column.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"table {self.name}: columns declared twice: {sorted(repeated)}")
        unknown = set(self.key) - set(names)
        if unknown:
            raise ValueError(f"table {self.name}: key columns not declared: {sorted(unknown)}")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names in the order in which files and frames have them."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of a name; raises `KeyError` with the names that there are."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name!r}; it has {self.column_names}")


def differences(table: Table, found: Iterable[tuple[str, str]]) -> list[str]:
    """Every way in which `found` (name, type value) pairs differ from the contract, in words."""
    found = list(found)
    expected = [(column.name, column.type.value) for column in table.columns]
    types = dict(found)
    problems = [f"column {name!r} is missing" for name, _ in expected if name not in types]
    known = {name for name, _ in expected}
    problems += [
        f"column {name!r} is not in the contract" for name, _ in found if name not in known
    ]
    problems += [
        f"column {name!r} is {types[name]}, expected {expected_type}"
        for name, expected_type in expected
        if name in types and types[name] != expected_type
    ]
    if not problems and found != expected:
        order, wanted = ([name for name, _ in pairs] for pairs in (found, expected))
        problems.append(f"columns are ordered {order}, expected {wanted}")
    return problems
