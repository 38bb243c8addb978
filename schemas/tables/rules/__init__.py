"""The rules that a table's rows must meet, beyond the bounds of each column.

A rule is Spark SQL that counts the violations of a row; a valid row has 0. Each rule adds one
column of violations, so that a validator checks all rules in the pass that checks the ordinary
columns.
"""

from __future__ import annotations

from schemas.tables.columns import Column, Table, Type
from schemas.tables.rules.lake import LAKE_RULES
from schemas.tables.rules.products import PRODUCT_RULES
from schemas.tables.rules.rule import Rule

__all__ = ["MAY_BE_EMPTY", "Rule", "row_rules", "rules"]

# Empty if the dataset spec has no network, or reads none from files.
_NETWORK_TABLES = ("item_links", "metapath_neighbours")
# Empty on a day without held-out tasks, for which the gate keeps the model published last.
_MEASURED_TABLES = (
    "evidence_quality",
    "model_metrics",
    "list_quality",
    "quality_by_support",
    "calibration",
)
# The tables with partitions that may be empty. A day without cold users is an ordinary day.
MAY_BE_EMPTY = frozenset(
    {
        "interactions_quarantine",
        "cold_user_scores",
        "drift",
        *_MEASURED_TABLES,
        *_NETWORK_TABLES,
    }
)

_OF_TABLE = {**LAKE_RULES, **PRODUCT_RULES}


def rules(table: Table) -> tuple[Rule, ...]:
    """All rules of a table: those that its columns' types ask for, then those of its rows."""
    numbers = [_finite(column) for column in table.columns if column.type is Type.FLOAT64]
    lists = [_elements(column) for column in table.columns if column.type.is_list]
    return (*numbers, *lists, *row_rules(table))


def row_rules(table: Table) -> tuple[Rule, ...]:
    """The rules that relate a row's columns to each other, to other rows and to other tables."""
    return _OF_TABLE.get(table.name, ())


def _finite(column: Column) -> Rule:
    return Rule(
        name=f"{column.name}_not_finite",
        violations=f"if(isnan({column.name}) or abs({column.name}) = double('infinity'), 1, 0)",
        description=f"{column.name} is a finite number",
    )


def _elements(column: Column) -> Rule:
    """The bounds of a list column hold for each element, and no element is null."""
    violations, words = ["x is null"], ["filled in"]
    if column.minimum is not None:
        violations.append(f"x < {column.minimum}")
        words.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        violations.append(f"x > {column.maximum}")
        words.append(f"at most {column.maximum:g}")
    if column.allowed is not None:
        values = ", ".join(f"{value!r}" for value in column.allowed)
        violations.append(f"x not in ({values})")
        words.append(f"one of {values}")
    return Rule(
        name=f"{column.name}_violations",
        violations=f"size(filter({column.name}, x -> {' or '.join(violations)}))",
        description=f"every element of {column.name} is {', '.join(words)}",
    )
