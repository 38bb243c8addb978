"""The errors that reach a user as a message instead of a traceback."""

import errno
import os

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def full_disk_code(text: str) -> int | None:
    """The errno of `FULL_DISK` that a message of another process or library names in words."""
    return next((code for code in FULL_DISK if os.strerror(code) in text), None)


class UserError(Exception):
    """A mistake that the user can correct: the value seen, the one expected, and what to do."""


class PassingError(Exception):
    """Something that may pass by itself, such as a server that restarts: worth another try."""
