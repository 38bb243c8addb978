import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from local.progress import JournalFollower, Progress, Terminal
from schemas.run import journal

DS = date(1998, 3, 31)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def entry(step: str, event: str, at: float = 0, **facts: Any) -> dict[str, Any]:
    return {"step": step, "ds": str(DS), "event": event, "at": at, **facts}


def test_the_follower_sees_only_what_a_step_adds(tmp_path: Path) -> None:
    with journal.step(tmp_path, "earlier_run", DS):
        pass
    follower = JournalFollower(journal.path(tmp_path, DS))
    assert follower.new_entries() == []
    with journal.step(tmp_path, "ingest", DS) as step:
        step.progress("half way")
        assert [e["event"] for e in follower.new_entries()] == ["started", "progress"]
    assert [e["step"] for e in follower.new_entries()] == ["ingest"]
    assert follower.new_entries() == []


def test_the_follower_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    follower = JournalFollower(file)  # there is no file yet
    assert follower.new_entries() == []
    line = json.dumps(entry("ingest", "started"))
    file.write_text(line[:10])
    assert follower.new_entries() == []
    file.write_text(line + "\n")
    assert [e["step"] for e in follower.new_entries()] == ["ingest"]


def test_each_step_is_one_line_once_it_ended() -> None:
    screen = io.StringIO()
    progress = Progress(terminal=Terminal(screen))
    progress.heading()
    progress.take([entry("ingest", "started"), entry("ingest", "progress", message="half way")])
    progress.show_live()
    progress.take([entry("ingest", "finished", 9, seconds=9.04, rows_in=100_000, rows_out=93_114)])
    progress.take([entry("gate", "started"), entry("gate", "failed", 9, seconds=1, message="MAE")])
    assert screen.getvalue().splitlines() == [
        "step                  seconds      rows in     rows out",
        "ingest                    9.0      100,000       93,114",
        "gate                      1.0       failed",
    ]
    assert progress.failures == {"gate": "MAE"}
    assert progress.unfinished() == []


def test_a_terminal_shows_the_running_step_and_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time", lambda: 112.0)
    screen = Tty()
    progress = Progress(terminal=Terminal(screen))
    progress.take([entry("meta_train", "started", 100)])
    progress.take([entry("meta_train", "progress", 110, message="epoch 2 of 9")])
    progress.show_live()
    assert screen.getvalue() == "\r\x1b[Kmeta_train 12 s  epoch 2 of 9"
    assert progress.unfinished() == ["meta_train"]


def test_a_step_that_succeeds_when_run_again_has_not_failed() -> None:
    progress = Progress(terminal=Terminal(io.StringIO()))
    progress.take([entry("gate", "failed", seconds=1, message="MAE"), entry("gate", "started")])
    assert progress.failures == {}


def test_steps_that_run_at_once_are_counted_once() -> None:
    progress = Progress(terminal=Terminal(io.StringIO()))
    for step, at, seconds in [("a", 10, 10), ("b", 14, 6), ("c", 12, 1), ("d", 30, 5)]:
        progress.take([entry(step, "finished", at, seconds=seconds)])
    assert progress.busy_seconds() == 14 + 5
