"""Shows a night while it runs, from the journal its steps write."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from schemas.run import journal

_ROW = "{label}{step:<20} {seconds:>8} {rows_in:>12} {rows_out:>12}"


class JournalFollower:
    """Reads what is added to a journal after this object was made."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset_bytes = file.stat().st_size if file.exists() else 0

    def new_entries(self) -> list[dict[str, Any]]:
        """The entries completed since the last call, oldest first."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset_bytes)
                added = file.read()
        except FileNotFoundError:
            return []
        complete = added[: added.rfind(b"\n") + 1]  # a line may still be on its way
        self._offset_bytes += len(complete)
        return journal.entries(complete)


class Terminal:
    """Lines that stay, and on a TTY one live line below them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_tty = stream.isatty()

    def line(self, text: str) -> None:
        """Print a line that stays, above the live one."""
        self._erase_live()
        print(text, file=self._stream, flush=True)

    def live(self, text: str) -> None:
        """Show `text` until the next line; nowhere but on a TTY."""
        if self._is_tty:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{text[:width]}")
            self._stream.flush()

    def clear(self) -> None:
        """Remove the live line, for example before an error is printed."""
        self._erase_live()
        self._stream.flush()

    def _erase_live(self) -> None:
        if self._is_tty:
            self._stream.write("\r\x1b[K")


@dataclass(kw_only=True)
class _Running:
    since: float
    message: str = ""


@dataclass(kw_only=True)
class Progress:
    """What is known of one night; each step is a line once it has ended."""

    terminal: Terminal
    label: str = ""
    failures: dict[str, str] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    _running: dict[str, _Running] = field(default_factory=dict)
    _spans: list[tuple[float, float]] = field(default_factory=list)

    def heading(self) -> None:
        """Print the head of the table whose rows are the steps."""
        self.terminal.line(
            _ROW.format(
                label=" " * len(self.label),
                step="step",
                seconds="seconds",
                rows_in="rows in",
                rows_out="rows out",
            )
        )

    def take(self, entries: list[dict[str, Any]]) -> None:
        """Note new journal entries, and show the steps that ended."""
        for entry in entries:
            step, at = entry["step"], entry["at"]
            match entry["event"]:
                case "started":
                    self._running[step] = _Running(since=at)
                    self.failures.pop(step, None)
                case "progress" if step in self._running:
                    self._running[step].message = entry["message"]
                case "finished" | "failed":
                    self._ended(entry)

    def _ended(self, entry: dict[str, Any]) -> None:
        self._running.pop(entry["step"], None)
        self._spans.append((entry["at"] - entry["seconds"], entry["at"]))
        failed = entry["event"] == "failed"
        if failed:
            self.failures[entry["step"]] = entry["message"]
        else:
            self.finished.add(entry["step"])
        self.terminal.line(
            _ROW.format(
                label=self.label,
                step=entry["step"],
                seconds=f"{entry['seconds']:.1f}",
                rows_in="failed" if failed else _count(entry.get("rows_in")),
                rows_out="" if failed else _count(entry.get("rows_out")),
            ).rstrip()
        )

    def show_live(self) -> None:
        """On a TTY: the running steps, their seconds so far, and their last line of progress."""
        now = time.time()
        steps = [
            f"{name} {now - step.since:.0f} s  {step.message}".rstrip()
            for name, step in self._running.items()
        ]
        self.terminal.live(self.label + (" | ".join(steps) or "between steps"))

    def unfinished(self) -> list[str]:
        """The steps that have started and have no end in the journal."""
        return list(self._running)

    def busy_seconds(self) -> float:
        """For how long at least one step ran."""
        total, until = 0.0, 0.0
        for start, end in sorted(self._spans):
            total += max(0.0, end - max(start, until))
            until = max(until, end)
        return total


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"
