"""Contracts as Great Expectations suites.

A suite checks the frame that `checked_columns` names: the table's own columns, then one column of
violations for each rule of the table, which must be 0 in every row.
"""

from __future__ import annotations

from collections.abc import Iterator

from great_expectations import ExpectationSuite
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.core.expect_column_values_to_be_unique import (
    ExpectColumnValuesToBeUnique,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_compound_columns_to_be_unique import (
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.core.expect_table_columns_to_match_ordered_list import (
    ExpectTableColumnsToMatchOrderedList,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

from schemas.tables.columns import Column, Table
from schemas.tables.rules import MAY_BE_EMPTY, Rule, rules


def suite(table: Table) -> ExpectationSuite:
    """Every check of a table; each has a description of its own, in words."""
    return ExpectationSuite(name=table.name, expectations=[*of_table(table), *of_rows(table)])


def checked_columns(table: Table) -> list[str]:
    """The names of the table's columns, then of the column that each rule adds."""
    return [*table.column_names, *(rule.name for rule in rules(table))]


def of_table(table: Table) -> list[Expectation]:
    """What must hold of the table as a whole."""
    may_be_empty = table.name in MAY_BE_EMPTY
    return [
        ExpectTableColumnsToMatchOrderedList(
            column_list=checked_columns(table),
            description="the columns are those of the contract, in its order",
        ),
        ExpectTableRowCountToBeBetween(
            min_value=0 if may_be_empty else 1,
            description="there are any number of rows" if may_be_empty else "there are rows",
        ),
    ]


def of_rows(table: Table) -> list[Expectation]:
    """What must hold of every row, cheapest first."""
    columns = [expectation for column in table.columns for expectation in _of_column(column)]
    return [*columns, *map(_of_rule, rules(table)), *_of_key(table)]


def _of_column(column: Column) -> Iterator[Expectation]:
    name = column.name
    if not column.nullable:
        yield ExpectColumnValuesToNotBeNull(column=name, description=f"{name} is filled in")
    if column.allowed is not None and not column.type.is_list:
        yield ExpectColumnValuesToBeInSet(
            column=name,
            value_set=list(column.allowed),
            description=f"{name} is one of {', '.join(map(str, column.allowed))}",
        )
    if not column.type.is_list:
        yield from _of_bounds(column)


def _of_bounds(column: Column) -> Iterator[Expectation]:
    low, high = column.minimum, column.maximum
    words = [f"at least {low:g}"] if low is not None else []
    words += [f"at most {high:g}"] if high is not None else []
    if words:
        yield ExpectColumnValuesToBeBetween(
            column=column.name,
            min_value=low,
            max_value=high,
            description=f"{column.name} is {' and '.join(words)}",
        )


def _of_rule(rule: Rule) -> Expectation:
    return ExpectColumnValuesToBeInSet(
        column=rule.name,
        value_set=[0],
        description=rule.description,
        severity=FailureSeverity(rule.severity),
    )


def _of_key(table: Table) -> Iterator[Expectation]:
    description = f"{' + '.join(table.key)} names one row only"
    if len(table.key) == 1:
        yield ExpectColumnValuesToBeUnique(column=table.key[0], description=description)
    elif table.key:
        yield ExpectCompoundColumnsToBeUnique(column_list=list(table.key), description=description)
