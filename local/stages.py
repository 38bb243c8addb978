"""The stages of a set-up: a line each, and all that they say in one log."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

LAST_LINES = 15


class InstallError(Exception):
    """The environment cannot be made; the message says why and what to do."""


class Stages:
    """Runs commands one after the other; the log starts empty."""

    def __init__(self, log: Path) -> None:
        self._log = log
        log.write_text("")

    def run(self, title: str, command: list[str], hint: str) -> None:
        """Run a command; an `InstallError` with the end of the log when it fails."""
        code = self._ended(title, command, {})
        if code != 0:
            lines = self._log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise InstallError(
                "\n".join(f"    {line}" for line in lines)
                + f"\n{title}: `{' '.join(command[:4])} ...` ended with exit code {code}; {hint} "
                "Nothing counts as installed; run the same command again once that is done. "
                f"The whole log: {self._log}"
            )

    def tried(self, title: str, command: list[str], variables: Mapping[str, str] = {}) -> bool:
        """Whether a command ends well that another one can stand in for."""
        return self._ended(title, command, variables) == 0

    def _ended(self, title: str, command: list[str], variables: Mapping[str, str]) -> int:
        """The command's exit code, after its line has been printed."""
        started = time.monotonic()
        with self._log.open("a") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            try:
                code = subprocess.run(
                    command, env={**os.environ, **variables}, stdout=log, stderr=subprocess.STDOUT
                ).returncode
            except OSError as error:
                log.write(f"{error}\n")
                code = 127
        seconds = time.monotonic() - started
        ended = "" if code == 0 else f"  failed, see {self._log.parent.name}/{self._log.name}"
        print(f"  {title:<18} {seconds:>6.1f} s{ended}", flush=True)
        return code
