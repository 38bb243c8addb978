"""Paths for Spark's readers, which take `[ ] { } * ?` and the backslash in them for patterns."""

from __future__ import annotations

import re
from pathlib import Path

_PATTERN = re.compile(r"[\[\]{}*?\\]")


def literal(path: Path) -> str:
    """The path of exactly this file or folder. Spark's writers take paths as they are."""
    return _PATTERN.sub(r"\\\g<0>", str(path))
