"""What a Spark error means to a person: a full disk, or a file that was damaged.

A server and a driver of the step's own raise errors of different classes, and both put the whole
Java stack into the text: the text is what they have in common.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from schemas.errors import UserError
from schemas.steps import MADE_BY

_DISK = {os.strerror(code): code for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
_WRITTEN = re.compile(r"writing rows to file:/*(/.+?)\.? SQLSTATE")
_READ = re.compile(r"\[(?:FAILED_READ_FILE|CANNOT_READ_FILE_FOOTER)\b.*?file:/*(/.+?\.parquet)\b")
_VERSION = re.compile(r"/\.versions/(?P<table>\w+)/(?P<partition>ds=[\d-]+)/\w+/[^/]+$")


def explained(error: Exception, lake: Path) -> Exception | None:
    """The error in words that help; None when it is neither."""
    text = str(error)
    if (code := next((code for words, code in _DISK.items() if words in text), None)) is not None:
        written = _WRITTEN.search(text)
        return OSError(code, os.strerror(code), *([written[1]] if written else []))
    if (read := _READ.search(text)) is not None:
        return _unreadable(Path(read[1]), lake)
    return None


def _unreadable(file: Path, lake: Path) -> UserError:
    found = "cannot be read as Parquet: it is damaged" if file.exists() else "is gone"
    version = _VERSION.search(str(file))
    if version is None or not file.is_relative_to(lake):
        return UserError(f"{file} {found}; expected a whole Parquet file. Put it right.")
    link = lake / version["table"] / version["partition"]
    if link.resolve() != file.parent.resolve():
        return UserError(
            f"{file} is gone: another run replaced {link} while this one was reading it. "
            "Expected one run at a time; run this step again."
        )
    step = MADE_BY[version["table"]]
    return UserError(
        f"{file} {found}; expected it as the step {step} wrote it. Remove {link} and run the step "
        f"{step} again, then this one; other partitions are not affected."
    )
