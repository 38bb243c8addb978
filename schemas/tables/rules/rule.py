"""A rule that each row of a table must meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; `violations` is SQL over the table's columns that counts how often a row breaks it.

    The SQL may use columns that `jobs.transforms.referential_checks` adds from other tables. A
    warning is reported and fails no step.
    """

    name: str
    violations: str
    description: str
    severity: Literal["critical", "warning"] = "critical"
