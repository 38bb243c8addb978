"""The parts of a page in docs/benchmarks/: its head, and tables of records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.records import Record
from schemas.tables.lake import SCENARIOS


def by_scenario(title: str, name: str, found: Sequence[Record], keys: Sequence[str]) -> str:
    """A line for each value of `name`, with the figures of each scenario."""
    rows = []
    for value in dict.fromkeys(record[name] for record in found):
        of_value = {r["scenario"]: r for r in found if r[name] == value}
        figures = (
            " / ".join("-" if (v := of_value[s][key]) is None else f"{v:.4f}" for key in keys)
            for s in SCENARIOS
        )
        rows.append([value.replace("_", " "), *figures])
    return table((title, *SCENARIOS), rows)


def page(title: str, about: str, found: Sequence[Record], *parts: str) -> str:
    """A whole page: `about` says how it was measured; commit and machine come from the records."""
    note = "<!-- Made by `python -m benchmarks.report`: edit the JSON's maker, not this page. -->"
    return "\n\n".join([f"# {title}", note, about, measured_on(found), *parts, ""])


def measured_on(found: Sequence[Record]) -> str:
    """The sentence on machines, days and commits."""
    return f"Measured on {'; '.join(dict.fromkeys(map(_place, found)))}."


def _place(record: Record) -> str:
    commit = f", commit {record['commit']}" if record.get("commit") else ""  # older ones have none
    return f"{record['machine']}, {record['date']}{commit}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    ruler = ["---", *("---:" for _ in header[1:])]
    lines = [f"| {' | '.join(row)} |" for row in (header, ruler, *rows)]
    return "\n".join(lines)


def shown(value: Any) -> str:
    """A value as a cell: `-` where there is none."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
