"""Rows of a Spark frame, as Python sees them: the only place where frames are collected.

PySpark's own `collect` turns timestamps into datetimes without a zone, in the zone of the machine.
By Arrow they keep the session's, which is UTC. `tests/schemas/test_utc.py` holds all other code to
these two functions.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

Row = dict[str, Any]


def collected(frame: DataFrame) -> list[Row]:
    """All rows of a frame that is small."""
    found: list[Row] = frame.toArrow().to_pylist()
    return found


def only_row(frame: DataFrame) -> Row:
    """The row of an aggregation of the whole frame, which always gives one."""
    [row] = collected(frame)
    return row
