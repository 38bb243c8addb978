"""The report's page: templates filled with its contents. It loads nothing and runs no script."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jobs.report.contents import Contents
from jobs.report.drawing import by_day, charts, figures
from jobs.report.sections import elicitation
from schemas.tables import metrics

_FOLDER = Path(__file__).parent / "templates"
_UNSHOWABLE = {"Cc", "Cs"}  # control characters and halves of pairs, which HTML has no place for


def page(contents: Contents) -> str:
    """The whole file. Whatever text comes from data is escaped, and moves no other text."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_showable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "decimals": _decimals, "signed": _signed}
    environment.filters["percent"] = _percent
    environment.globals |= {
        "by_day": by_day, "charts": charts, "figures": figures, "metrics": metrics,
        "reach": elicitation.reach,
        "css": Markup((_FOLDER / "page.css").read_text()),  # noqa: S704 - ours
    }  # fmt: skip
    return environment.get_template("page.html").render(report=contents) + "\n"


_NOTHING = "\N{EN DASH}"


def _showable(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(
        "�" if unicodedata.category(c) in _UNSHOWABLE and c not in "\n\t" else c for c in value
    )


def _count(number: int | None) -> str:
    return _NOTHING if number is None else f"{number:,}"


def _decimals(number: float | None, places: int = 4) -> str:
    return _NOTHING if number is None else f"{number:.{places}f}"


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share:.0%}"


def _signed(number: float | None, places: int = 4) -> str:
    """With its sign, a minus as wide as a plus; what rounds to 0 has none."""
    if number is None:
        return _NOTHING
    text = f"{number:+.{places}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
