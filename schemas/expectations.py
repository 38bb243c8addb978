"""Contracts as Great Expectations suites.

A suite checks the frame that `checked_columns` names: the table's own columns, then one column of
faults for each rule of the table, which must be 0 in every row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import great_expectations.expectations as gxe
from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation import Expectation

from schemas.columns import Column, Table, Type
from schemas.rules import MAY_BE_EMPTY, Rule, rules


def suite(table: Table) -> ExpectationSuite:
    """Every check of a table, cheapest first."""
    return ExpectationSuite(name=table.name, expectations=list(_expectations(table)))


def checked_columns(table: Table) -> list[str]:
    return [*table.column_names, *(rule.name for rule in rules(table))]


def _expectations(table: Table) -> Iterator[Expectation]:
    yield gxe.ExpectTableColumnsToMatchOrderedList(column_list=checked_columns(table))
    yield gxe.ExpectTableRowCountToBeBetween(min_value=0 if table.name in MAY_BE_EMPTY else 1)
    for column in table.columns:
        yield from _of_column(column)
    for rule in rules(table):
        yield _of_rule(rule)
    if table.key:
        yield _of_key(table)


def _of_column(column: Column) -> Iterator[Expectation]:
    name = column.name
    if not column.nullable:
        yield gxe.ExpectColumnValuesToNotBeNull(column=name, description=f"{name} is filled in")
    if column.allowed is not None:
        yield gxe.ExpectColumnValuesToBeInSet(
            column=name,
            value_set=list(column.allowed),
            description=f"{name} is one of {', '.join(column.allowed)}",
        )
    if not column.type.is_list:
        yield from _of_bounds(column)


def _of_bounds(column: Column) -> Iterator[Expectation]:
    low, high = column.minimum, column.maximum
    words = [f"at least {low:g}"] if low is not None else []
    words += [f"at most {high:g}"] if high is not None else []
    if column.type is Type.FLOAT64:
        # Spark orders NaN above infinity, so these bounds refuse both.
        low = -sys.float_info.max if low is None else low
        high = sys.float_info.max if high is None else high
        words = words or ["a finite number"]
    if words:
        yield gxe.ExpectColumnValuesToBeBetween(
            column=column.name,
            min_value=low,
            max_value=high,
            description=f"{column.name} is {' and '.join(words)}",
        )


def _of_rule(rule: Rule) -> Expectation:
    return gxe.ExpectColumnValuesToBeInSet(
        column=rule.name, value_set=[0], description=rule.description
    )


def _of_key(table: Table) -> Expectation:
    description = f"{' + '.join(table.key)} names one row only"
    if len(table.key) == 1:
        return gxe.ExpectColumnValuesToBeUnique(column=table.key[0], description=description)
    return gxe.ExpectCompoundColumnsToBeUnique(
        column_list=list(table.key), description=description
    )
