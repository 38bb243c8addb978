"""The extractor of a source: all of a single file, or the changed files if there is one a day."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from jobs.sources import daily_files, whole_file
from jobs.sources.extract import Extract
from schemas.dataset.spec import DatasetSpec


def extractor(spec: DatasetSpec) -> Callable[..., AbstractContextManager[Extract]]:
    """How interactions are read: a file a day with only changed files, or one whole file."""
    return daily_files.extract if spec.interactions.is_daily else whole_file.extract
