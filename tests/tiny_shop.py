"""A tiny shop's source files, which tests write, break and add to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.run.settings import Settings

SPEC = """\
name = "tiny"
title = "A tiny shop"
feedback = "explicit"
rating_scale = [1, 5]
max_quarantined_fraction = 1
max_vanished_fraction = 1

[interactions]
file = "interactions.csv"
user_id = "who"
item_id = "what"
rating = "stars"
event_time = "when"

[users]
file = "users.csv"
user_id = "who"

[users.features]
town = { kind = "categorical", column = "town" }

[items]
file = "items.csv"
item_id = "what"
title = "name"

[items.features]
tags = { kind = "multi", column = "tags", separator = ";" }
"""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source folder. Days are days of March 1998."""

    folder: Path

    def respell(self, *changes: tuple[str, str]) -> None:
        """Change the spec's text."""
        text = (self.folder / "dataset.toml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (self.folder / "dataset.toml").write_text(text)

    def write_lines(self, *lines: str) -> None:
        """Append lines to the interactions as they are."""
        with (self.folder / "interactions.csv").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def add(self, *rows: tuple[str, str, str, int]) -> None:
        """Append interactions: user, item, stars, day."""
        with (self.folder / "interactions.csv").open("a") as file:
            for user, item, stars, day in rows:
                when = int(datetime(1998, 3, day, 12, tzinfo=UTC).timestamp())
                file.write(f"{user},{item},{stars},{when}\n")


def empty_shop(folder: Path) -> Source:
    """Nine users and nine items, and nothing that they did."""
    folder.mkdir()
    (folder / "dataset.toml").write_text(SPEC)
    (folder / "interactions.csv").write_text("who,what,stars,when\n")
    (folder / "users.csv").write_text("who,town\n" + "".join(f"u{i},Town\n" for i in range(9)))
    items = "".join(f'i{i},"Thing, {i}",red;round\n' for i in range(9))
    (folder / "items.csv").write_text("what,name,tags\n" + items)
    return Source(folder=folder)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    made = empty_shop(tmp_path / "source")
    made.add(("u1", "i1", "3", 1), ("u1", "i2", "4", 1), ("u2", "i1", "5", 2), ("u3", "i3", "1", 4))
    return made


@pytest.fixture
def tiny(settings: Settings, source: Source) -> Settings:
    """Settings whose source is the tiny shop."""
    return replace(settings, source=source.folder, home=settings.home / "home")
