"""What the pages for readers tell them to type: README, CONTRIBUTING and docs/."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from schemas.run.settings import REPOSITORY

PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
_SPAN = re.compile(r"`([^`]+)`")
_ENDS = {"|", "||", "&&", ";", ">", "<", "&"}


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command as a page shows it, split as a shell would."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"

    def after(self, *words: str) -> tuple[str, ...] | None:
        """What stands after these words, up to the command's end; none if they are not there."""
        for start in range(len(self.words) - len(words) + 1):
            if self.words[start : start + len(words)] == words:
                rest = self.words[start + len(words) :]
                end = next((n for n, word in enumerate(rest) if word in _ENDS), len(rest))
                return rest[:end]
        return None


def fences(language: str) -> list[tuple[str, str]]:
    """The page and the text of each fenced block of the language."""
    return [
        (_name(page), text)
        for page in PAGES
        for of, text in _FENCE.findall(page.read_text())
        if of == language
    ]


def commands() -> list[Command]:
    """Every line of a fence without a language, and every span of code in the text."""
    found = []
    for page in PAGES:
        text = page.read_text()
        lines = [line for of, fenced in _FENCE.findall(text) if not of for line in _lines(fenced)]
        spans = [" ".join(span.split()) for span in _SPAN.findall(_FENCE.sub("", text))]
        for line in (*lines, *spans):
            try:
                words = shlex.split(line, comments=True)
            except ValueError:  # no command: a text with an apostrophe, a part of a longer one
                continue
            if words:
                found.append(Command(page=_name(page), words=tuple(words)))
    return found


def _lines(fenced: str) -> list[str]:
    return fenced.replace("\\\n", " ").splitlines()


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))
