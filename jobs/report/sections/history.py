"""What the lake has of a table's last 30 days, for figures that are drawn day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from jobs.report.night import UNREADABLE, Night, Row
from schemas.projections.arrow import read_partition
from schemas.tables.columns import Table

DAYS = 30

Figures = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """`days` ends with ds; `rows_of` holds the days that the lake has, none of them after ds.

    unreadable: days whose rows other code wrote
    """

    days: tuple[date, ...]
    rows_of: Mapping[date, list[Row]]
    unreadable: tuple[date, ...]

    @staticmethod
    def of(night: Night, table: Table) -> History:
        """The table's rows of the last `DAYS` days; a damaged day is named in `unreadable`."""
        days = tuple(night.ds - timedelta(days=n) for n in reversed(range(DAYS)))
        held = night.lake.days(table.name, until=night.ds)
        rows_of: dict[date, list[Row]] = {}
        unreadable = []
        for day in (day for day in days if day in held):
            version = night.lake.version(table.name, day)
            try:
                rows_of[day] = read_partition(table, version).to_pylist()
            except UNREADABLE:
                unreadable.append(day)
        return History(days=days, rows_of=rows_of, unreadable=tuple(unreadable))

    def only(self, **values: str) -> History:
        """The same with only the rows that have these values."""
        return self.where(lambda row: all(row[name] == value for name, value in values.items()))

    def where(self, is_wanted: Callable[[Row], bool]) -> History:
        """The same with only the rows that are wanted."""
        return replace(
            self,
            rows_of={day: [r for r in rows if is_wanted(r)] for day, rows in self.rows_of.items()},
        )

    def figures(self, column: str) -> Figures:
        """The column's value in each day's first row; None on a day without a row."""
        rows = (self.rows_of.get(day) for day in self.days)
        return tuple(of_day[0][column] if of_day else None for of_day in rows)
