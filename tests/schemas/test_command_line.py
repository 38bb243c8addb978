"""How every command line ends: a message for what a user can correct, a traceback for a fault."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import pytest

from schemas.errors import UserError
from schemas.run import command_line
from schemas.run.settings import REPOSITORY


def _raising(error: BaseException):
    def action() -> None:
        raise error

    return action


def test_done_is_0():
    assert command_line.run(lambda: None) == 0


@pytest.fixture
def kolkata(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()  # also after a test that failed


def test_an_action_is_in_utc_and_what_is_around_it_is_not(kolkata):
    seen = []
    assert command_line.run(lambda: seen.append((time.tzname[0], os.environ["TZ"]))) == 0
    assert seen == [("UTC", "UTC")]
    assert (time.tzname[0], os.environ["TZ"]) == ("IST", "Asia/Kolkata")


def test_a_mistake_is_2_and_its_message(caplog):
    assert command_line.run(_raising(UserError("ds is 'x'"))) == 2
    assert [record.getMessage() for record in caplog.records] == ["error: ds is 'x'"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        RuntimeError("the server says: java.io.IOException: No space left on device"),
        RuntimeError("the server says: java.io.IOException: Disk quota exceeded"),
    ],
)
def test_a_full_disk_is_1_and_a_message(error, caplog):
    assert command_line.run(_raising(error)) == 1
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOTDIR, errno.EISDIR])
def test_a_path_that_is_closed_is_2_and_a_message(number, caplog):
    error = OSError(number, os.strerror(number), "/data/lake")
    assert command_line.run(_raising(error)) == 2
    assert f"error: /data/lake: {os.strerror(number)}; expected a path that" in caplog.text


def test_a_path_that_a_library_names_only_in_words(caplog):
    words = "Failed to open local file '/data/lake/part-0.parquet'. Detail: Permission denied"
    assert command_line.run(_raising(PermissionError(words))) == 2
    assert f"error: {words}; expected a path that" in caplog.text


def test_a_full_disk_is_found_behind_another_error(caplog):
    outer = RuntimeError("write failed")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert command_line.run(_raising(outer)) == 1
    assert "the disk is full" in caplog.text


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        command_line.run(_raising(ZeroDivisionError("fault")))


def test_our_packages_speak_and_others_stay_quiet():
    """In a process of its own: libraries that other tests import change loggers as they like."""
    code = (
        "import logging; from schemas.run import command_line; "
        "command_line.run(lambda: [logging.getLogger(n).info('%s speaks', n) "
        "for n in ('jobs', 'a_library')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert "jobs speaks" in done.stderr
    assert "a_library" not in done.stderr
