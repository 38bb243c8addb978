"""A night as the report finds it: what can be read of it, and why the rest is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from jobs.report.attempts import Attempts
from schemas.dataset import choice as dataset_choice
from schemas.dataset.spec import DatasetSpec, Feedback
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import MADE_BY
from schemas.projections.arrow import read_partition
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables.columns import Table

# A table that other code wrote, or a damaged file, costs a report one section and not the rest.
UNREADABLE = (UserError, OSError, ValueError)

Row = dict[str, Any]
Content = TypeVar("Content")
Other = TypeVar("Other")


@dataclass(frozen=True, kw_only=True)
class Part(Generic[Content]):
    """A part of the report: its content, or why there is none; or content with a reservation."""

    content: Content | None = None
    note: str | None = None

    def then(self, function: Callable[[Content], Other]) -> Part[Other]:
        """The same part with what the function makes of the content, if there is some."""
        made = None if self.content is None else function(self.content)
        return Part(content=made, note=self.note)


@dataclass(frozen=True, kw_only=True)
class Night:
    """One ds of the lake; `spec` is None before ingest has bound the lake to a data set."""

    settings: Settings
    ds: date
    model: str
    spec: DatasetSpec | None
    attempts: Attempts

    @staticmethod
    def read(settings: Settings, ds: date, model: str) -> Night:
        """The night of `ds` from lake and journal; works after any step, also a failed one."""
        is_bound = (settings.lake / "dataset.toml").exists()
        return Night(
            settings=settings,
            ds=ds,
            model=model,
            spec=dataset_choice.of_lake(settings.lake) if is_bound else None,
            attempts=Attempts.of(journal.read(settings.journals, ds)),
        )

    @property
    def lake(self) -> Lake:
        """The lake that the night's steps wrote."""
        return Lake(root=self.settings.lake)

    @property
    def feedback(self) -> Feedback:
        """The dataset's feedback; `explicit` as long as no ingest has named the dataset."""
        return "explicit" if self.spec is None else self.spec.feedback

    def rows(self, table: Table) -> Part[list[Row]]:
        """The table's rows of this ds, or why there are none."""

        def read() -> list[Row]:
            return read_partition(table, self.lake.version(table.name, self.ds)).to_pylist()

        step = MADE_BY[table.name].name
        is_there = self.lake.manifest(table.name, self.ds) is not None
        return self.part(step, read, is_there=is_there)

    def part(self, step: str, read: Callable[[], Content], *, is_there: bool) -> Part[Content]:
        """What `step` left, with a note where that is of an earlier run than the night's last."""
        if not is_there:
            return Part(note=f"Nothing to show: {self.attempts.why_without(step)}.")
        try:
            content = read()
        except UNREADABLE as error:
            return Part(note=f"Nothing to show: what {step} left cannot be read. {error}")
        attempt = self.attempts.current(step)
        if attempt is not None and attempt.outcome == "finished":
            return Part(content=content)
        why = self.attempts.why_without(step)
        return Part(content=content, note=f"From an earlier run of this day: {why}.")
