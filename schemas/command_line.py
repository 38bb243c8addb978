"""What the command lines of all packages share: how they log, and how they end."""

from __future__ import annotations

import logging
from collections.abc import Callable

from schemas.errors import FULL_DISK, PassingError, UserError

log = logging.getLogger("coldstart")

_FULL_TEXT = "No space left on device"  # how a JVM on the other side of a connection says it


def run(action: Callable[[], None]) -> int:
    """Run `action`; its exit code: 0 done, 2 a mistake the user can mend, 1 anything else.

    A mistake, a fault that may pass and a full disk are told in one message; other faults keep
    their traceback.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")  # others: warnings
    for package in ("coldstart", "benchmarks", "jobs", "meta_model", "schemas"):
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        action()
    except UserError as error:
        log.error("error: %s", error)
        return 2
    except PassingError as error:
        log.error("error: %s", error)
        return 1
    except Exception as error:
        if not _is_full_disk(error):
            raise
        log.error(
            "error: the disk is full or a file-size limit is reached (%s); expected room for a new "
            "version beside the old one. Free some space and run the step again: what was there "
            "before is untouched.",
            str(error).splitlines()[0],
        )
        return 1
    return 0


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return True
        if _FULL_TEXT in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
