"""A rule that each row of a table must meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`faults` is SQL over the table's columns that counts the faults of a row.

    `faults` may use columns that `jobs.transforms.referential_checks` adds from other tables. A
    warning is reported and fails no step.
    """

    name: str
    faults: str
    description: str
    severity: Literal["critical", "warning"] = "critical"
