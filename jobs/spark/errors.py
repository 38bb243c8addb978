"""Spark errors in words for a person: a full disk, a damaged file, a driver that has ended, ...

A server and a driver of the step's own raise errors of different classes, and both put the whole
Java stack into the text: the text is what they have in common.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from schemas.errors import PassingError, UserError, full_disk_code
from schemas.pipeline import MADE_BY

_WRITTEN = re.compile(r"writing rows to file:/*(/.+?)\.? SQLSTATE")
_READ = re.compile(r"\[(?:FAILED_READ_FILE|CANNOT_READ_FILE_FOOTER)\b.*?file:/*(/.+?\.parquet)\b")
_PATTERN = re.compile(r"\[INVALID_PARAMETER_VALUE\.PATTERN\].*?: (.+?)\. SQLSTATE")
# Of a driver of the step's own, and of a server; by name, as a step has one of the two libraries.
_GONE = {"Py4JNetworkError", "RetriesExceeded"}
_VERSION = re.compile(r"/\.versions/(?P<table>\w+)/(?P<partition>ds=[\d-]+)/\w+/[^/]+$")


def translated(error: Exception, lake: Path) -> Exception | None:
    """The error translated for a person; None for every other error."""
    if is_driver_gone(error):
        return PassingError(
            "Spark's driver has ended under the step; expected it to outlive the step. It may have "
            "been killed for want of memory: give the machine or the server more "
            "(COLDSTART_SPARK_MEMORY), start the server again if there was one, and run the step "
            "again: what was there before is untouched."
        )
    text = str(error)
    if (code := full_disk_code(text)) is not None:
        written = _WRITTEN.search(text)
        return OSError(code, os.strerror(code), *([written[1]] if written else []))
    if (read := _READ.search(text)) is not None:
        return _unreadable(Path(read[1]), lake)
    if (pattern := _PATTERN.search(text)) is not None:
        return UserError(
            f"{pattern[1]} is no regular expression of Java, which Spark reads; expected one. "
            "Correct `pattern` in the dataset spec."
        )
    return None


def is_driver_gone(error: BaseException | None) -> bool:
    """Whether the error, or one that led to it, says that the Spark server has ended."""
    while error is not None:
        if type(error).__name__ in _GONE or "StatusCode.UNAVAILABLE" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _unreadable(file: Path, lake: Path) -> Exception:
    found = "cannot be read as Parquet: it is damaged" if file.exists() else "is gone"
    version = _VERSION.search(str(file))
    if version is None or not file.is_relative_to(lake):
        return UserError(f"{file} {found}; expected a whole Parquet file. Put it right.")
    link = lake / version["table"] / version["partition"]
    if link.resolve() != file.parent.resolve():
        return PassingError(
            f"{file} is gone: another run replaced {link} while this one was reading it. "
            "Expected one run at a time; run this step again."
        )
    step = MADE_BY[version["table"]].name
    return UserError(
        f"{file} {found}; expected it as the step {step} wrote it. Remove {link} and run the step "
        f"{step} again, then this one; other partitions are not affected."
    )
