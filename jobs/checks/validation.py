"""Great Expectations over one Spark frame: all verdicts in one pass, details of the broken ones.

Details cost one Spark job for each expectation. So one aggregation first gives all verdicts, and
only expectations that are not met are evaluated again for what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import great_expectations as gx
from great_expectations import ExpectationSuite
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.spark.partitions import cached
from schemas.projections.expectations import checked_columns, suite
from schemas.tables.columns import Table
from schemas.tables.rules import rules

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What Great Expectations found in one table."""

    table: Table
    rows: int
    result: ExpectationSuiteValidationResult

    def failures(self) -> list[str]:
        """Each broken expectation in words: what was expected, what was found, in which rows."""
        return self._broken(FailureSeverity.CRITICAL)

    def warnings(self) -> list[str]:
        """The same of expectations that stop nothing."""
        return self._broken(FailureSeverity.WARNING)

    def _broken(self, severity: FailureSeverity) -> list[str]:
        return [
            f"{self.table.name}: expected that {_description(result)} "
            f"({_type(result)}); found {_found(result, self.rows)}"
            for result in self.result.results
            if not result.success and _severity(result) == severity
        ]


class Validator:
    """Great Expectations in memory: it sends nothing, writes nothing and draws no progress bars.

    Make it inside a Spark session: without one it would start a session of its own.
    """

    def __init__(self) -> None:
        context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                # Without temporary docs sites: they would be a folder left in the system's /tmp.
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                progress_bars=ProgressBarsConfig(globally=False),
                analytics_enabled=False,
            ),
        )
        # Frames are cached here, one at a time; the engine would keep all of them to the end.
        self._spark = context.data_sources.add_spark("spark", persist=False)

    def validate(self, table: Table, frame: DataFrame) -> Validation:
        """Check a frame of the table's columns and of those that its rules need from others."""
        violations = [
            F.expr(rule.violations).cast("long").alias(rule.name) for rule in rules(table)
        ]
        asset = self._spark.add_dataframe_asset(table.name)
        whole = asset.add_batch_definition_whole_dataframe("whole")
        with cached(frame.select(*table.column_names, *violations)) as checked:
            batch = whole.get_batch({"dataframe": checked})
            rows = checked.count()
            return Validation(table=table, rows=rows, result=_validate(table, batch, rows))


def _validate(table: Table, batch: Batch, rows: int) -> ExpectationSuiteValidationResult:
    """The verdict of every expectation, with what was found."""
    expectations = suite(table)
    verdicts = batch.validate(expectations, result_format="BOOLEAN_ONLY")
    broken = {_description(verdict) for verdict in verdicts.results if not verdict.success}
    details = _details(
        table, batch, [e for e in expectations.expectations if e.description in broken]
    )
    met = [verdict for verdict in verdicts.results if verdict.success]
    for verdict in met:
        verdict.result = _seen(_type(verdict), table, rows)
    verdicts.results[:] = [*details, *met]
    return verdicts


def _details(
    table: Table, batch: Batch, broken: list[Expectation]
) -> list[ExpectationValidationResult]:
    if not broken:
        return []
    found = batch.validate(
        ExpectationSuite(name=table.name, expectations=broken),
        result_format={
            "result_format": "SUMMARY",
            "unexpected_index_column_names": list(table.key or table.column_names),
            "partial_unexpected_count": _EXAMPLES,
            "return_unexpected_index_query": False,
        },
    )
    for detail in found.results:
        _raise_if_unanswered(table, detail)
    return found.results


def _seen(expectation: str, table: Table, rows: int) -> dict[str, Any]:
    """What Data Docs show of an expectation of this type that is met."""
    if expectation == "expect_table_row_count_to_be_between":
        return {"observed_value": rows}
    if expectation == "expect_table_columns_to_match_ordered_list":
        return {"observed_value": checked_columns(table)}
    return {"element_count": rows, "unexpected_count": 0, "unexpected_percent": 0.0}


def _raise_if_unanswered(table: Table, result: ExpectationValidationResult) -> None:
    """An expectation that could not be evaluated is an error of the program, not of the data."""
    info = result.exception_info or {}
    for entry in [info, *(value for value in info.values() if isinstance(value, dict))]:
        if entry.get("raised_exception"):
            raise RuntimeError(
                f"{table.name}: could not check that {_description(result)}: "
                f"{entry['exception_message']}\n{entry['exception_traceback']}"
            )


def _type(result: ExpectationValidationResult) -> str:
    assert result.expectation_config is not None
    return result.expectation_config.type


def _severity(result: ExpectationValidationResult) -> FailureSeverity:
    assert result.expectation_config is not None
    return FailureSeverity(result.expectation_config.severity)


def _description(result: ExpectationValidationResult) -> str:
    assert result.expectation_config is not None
    return str(result.expectation_config.description)


def _found(result: ExpectationValidationResult, rows: int) -> str:
    details: dict[str, Any] = result.result
    if "observed_value" in details:
        return str(details["observed_value"])
    examples = [
        " ".join(f"{name}={value}" for name, value in row.items())
        for row in details.get("partial_unexpected_index_list") or ()
    ]
    where = f", for example {'; '.join(examples)}" if examples else ""
    return f"{details['unexpected_count']:,} of {rows:,} rows break it{where}"
