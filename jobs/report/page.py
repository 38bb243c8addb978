"""The report's page: templates filled with its contents. It loads nothing and runs no script."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jobs.report import numbers
from jobs.report.contents import Contents
from jobs.report.drawing import by_day, charts, figures, training_curves
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
    environment.filters |= {
        each.__name__: each
        for each in (numbers.count, numbers.decimals, numbers.percent, numbers.signed)
    }
    environment.globals |= {
        "by_day": by_day, "charts": charts, "figures": figures, "metrics": metrics,
        "reach": elicitation.reach, "training_curves": training_curves,
        "css": Markup((_FOLDER / "page.css").read_text()),  # noqa: S704 - ours
    }  # fmt: skip
    return environment.get_template("page.html").render(report=contents) + "\n"


def _showable(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(
        "�" if unicodedata.category(c) in _UNSHOWABLE and c not in "\n\t" else c for c in value
    )
