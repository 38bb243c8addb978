"""How a source is taken in: one file whole, or of a file a day those that changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from jobs.sources import daily_files, whole_file
from jobs.sources.taken import Taken
from schemas.dataset.spec import DatasetSpec


def taking(spec: DatasetSpec) -> Callable[..., AbstractContextManager[Taken]]:
    return daily_files.take if spec.interactions.is_daily else whole_file.take
