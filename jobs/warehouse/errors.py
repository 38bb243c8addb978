"""A driver's errors in words for a person: correct it, try again, or free some disk."""

from __future__ import annotations

import errno

from adbc_driver_manager import dbapi

from schemas.errors import PassingError, UserError, full_disk_code
from schemas.warehouse.uri import WarehouseUri

_DISK_FULL = "53100"
# Classes of SQLSTATE: connection, rollback by a conflict, resources, intervention, lock.
_PASSING = ("08", "40", "53", "57", "55")
_LOST = (
    "server closed the connection",
    "could not connect",
    "connection to server",
    "Connection refused",
    "no connection to the server",
    "terminating connection",
)
# Said while connecting, when there is no SQLSTATE yet.
_REFUSED = (
    "authentication failed",
    "no password supplied",
    "permission denied",
    "does not exist",
    "no pg_hba.conf entry",
    "certificate",
)
_LOCKED = "Could not set lock on file"


def translated(error: Exception, uri: WarehouseUri) -> Exception:
    """The error translated for a person, without any password of the URI."""
    text = _redacted(str(error), uri)
    state = (error.sqlstate if isinstance(error, dbapi.Error) else None) or ""
    code = full_disk_code(text)
    if code is not None or state == _DISK_FULL:
        return OSError(code or errno.ENOSPC, f"{text} (the warehouse {uri})")
    if _LOCKED in text:
        return UserError(
            f"the warehouse {uri} cannot be opened: {text}. If another process has it open "
            "for writing, close it there: analysts open it read-only."
        )
    is_refused = any(words in text for words in _REFUSED)
    is_passing = state.startswith(_PASSING) or any(words in text for words in _LOST)
    if is_passing and not is_refused:
        return PassingError(
            f"the warehouse {uri} did not answer to the end: {text}. Expected a server that is "
            "up; readers see one whole publication, the old or the new. Run the step again."
        )
    return UserError(f"the warehouse {uri} refuses: {text}")


def _redacted(text: str, uri: WarehouseUri) -> str:
    """On one line, without secrets and without the statement, which is the program's own."""
    for secret in uri.secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split("\nQuery was:")[0].split()).rstrip(".")
