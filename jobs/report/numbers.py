"""Numbers as the report writes them; what is missing is a dash."""

from __future__ import annotations

NOTHING = "\N{EN DASH}"


def count(number: int | None) -> str:
    """A whole number, with commas."""
    return NOTHING if number is None else f"{number:,}"


def decimals(number: float | None, places: int = 4) -> str:
    """A number with so many decimals."""
    return NOTHING if number is None else f"{number:.{places}f}"


def percent(share: float | None) -> str:
    """A share in whole per cent."""
    return NOTHING if share is None else f"{share:.0%}"


def signed(number: float | None, places: int = 4) -> str:
    """With its sign, a minus as wide as a plus; what rounds to 0 has none."""
    if number is None:
        return NOTHING
    text = f"{number:+.{places}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
