"""How every command line ends: a message for what a user can mend, a traceback for a fault."""

from __future__ import annotations

import errno
import logging

import pytest

from schemas import command_line
from schemas.errors import UserError


def _raising(error: BaseException):
    def action() -> None:
        raise error

    return action


def test_done_is_0():
    assert command_line.run(lambda: None) == 0


def test_a_mistake_is_2_and_its_message(caplog):
    assert command_line.run(_raising(UserError("ds is 'x'"))) == 2
    assert [record.getMessage() for record in caplog.records] == ["error: ds is 'x'"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        RuntimeError("the server says: java.io.IOException: No space left on device"),
    ],
)
def test_a_full_disk_is_1_and_a_message(error, caplog):
    assert command_line.run(_raising(error)) == 1
    assert "the disk is full" in caplog.text


def test_a_full_disk_is_found_behind_another_error(caplog):
    outer = RuntimeError("write failed")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert command_line.run(_raising(outer)) == 1
    assert "the disk is full" in caplog.text


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        command_line.run(_raising(ZeroDivisionError("fault")))


def test_other_packages_stay_quiet():
    command_line.run(lambda: None)
    assert logging.getLogger("jobs").isEnabledFor(logging.INFO)
    assert not logging.getLogger("great_expectations").isEnabledFor(logging.INFO)
