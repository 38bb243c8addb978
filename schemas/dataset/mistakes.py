"""Mistakes that a person can mend, collected, so that all of them are read at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import UserError


class MistakesError(UserError):
    """One mistake in its own words, or several in a numbered list."""

    def __init__(self, *each: str) -> None:
        self.each = each
        listed = "".join(f"\n  {n}. {text}" for n, text in enumerate(each, start=1))
        super().__init__(each[0] if len(each) == 1 else f"{len(each)} mistakes:{listed}")


class Collected:
    """What was wrong so far."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Go on after a mistake, and remember it."""
        try:
            yield
        except MistakesError as several:
            self.found += several.each
        except UserError as error:
            self.found.append(str(error))

    def tell(self) -> None:
        """Raise all of them, if there are any."""
        if self.found:
            raise MistakesError(*dict.fromkeys(self.found))
