"""The page of scaling: seconds and peak memory at 1x, 4x and 16x tasks."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.pages.markdown import page, shown, table
from benchmarks.records import Record


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/scaling.md in Markdown, a row for each record."""
    keys = ("mode", "tasks", "seconds", "peak_mib")
    rows = [[shown(record[key]) for key in keys] for record in found]
    return page(
        "Scaling",
        "`python -m benchmarks.scaling --json docs/benchmarks/scaling.json`: an epoch of training, "
        "reading and batching included, and scoring of the whole catalogue, at 1x, 4x and 16x "
        "tasks, one thread. Each line is a process of its own; the peak holds Python and PyTorch.",
        found,
        table(("mode", "tasks", "seconds", "peak MiB"), rows),
        "![Peak memory by number of tasks](scaling.svg)",
    )
