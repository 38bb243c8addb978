"""The names of the learners, for programs that offer a choice without loading the learners.

A package of its own adds one by an entry point of the group `coldstart.learners`
(docs/learners/your-own.md).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

ENTRY_POINTS = "coldstart.learners"
DEFAULT = "ridge"
OURS = ("aggregating", "maml", "mamo", "matching", "melu", "metahin", "prototypical", "ridge")


def known() -> list[str]:
    """The names of all learners: ours, and those of installed packages."""
    return sorted({*OURS, *added()})


def added() -> dict[str, EntryPoint]:
    """The entry points of installed packages, by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
