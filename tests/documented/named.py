"""Tests that pages and tables name: whether they are there, without importing them."""

from __future__ import annotations

import ast
from functools import cache

from schemas.run.settings import REPOSITORY


def is_collected(name: str) -> bool:
    """Whether `tests/<file>.py::<function>` is a test of a file that pytest collects."""
    path, _, function = name.partition("::")
    file = REPOSITORY / path
    is_test_file = file.name.startswith("test_") and file.suffix == ".py" and file.is_file()
    return is_test_file and function.startswith("test_") and function in _functions(path)


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse((REPOSITORY / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
