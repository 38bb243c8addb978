"""Great Expectations' Data Docs of one check, as pages that a browser shows without a network.

The pages of Great Expectations load styles and scripts from other hosts. An offline reader would
see a bare page, and those hosts would learn who reads it. Here a few lines of style replace both.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from jobs.checks.validation import Validation

_LOADED = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<link\b[^>]*>|<img\b[^>]*>"
    r"|<nav\b.*?</nav>|<p>Stay current.*?</p>",
    re.DOTALL,
)
_DEAD_LINK = re.compile(r'href="\.\./[^"]*"')
_ICON = re.compile(r'<i class="fas fa-(check|times|exclamation)[^"]*"[^>]*></i>')
_ICON_TEXT = {"check": "✓", "times": "✗", "exclamation": "!"}
_STYLE = """\
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; }
h1 { font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #8886; padding: .3rem .6rem; }
th, td { text-align: left; vertical-align: top; }
td ul { margin: 0; padding-left: 1.2rem; }
.alert { background: #8882; padding: .4rem .8rem; border-radius: .3rem; margin-top: 1rem; }
.sticky, .modal, .ge-walkthrough-modal, .card, .hide, .btn { display: none; }
</style>
"""


def write(folder: Path, title: str, validations: Sequence[Validation]) -> Path:
    """Replace the docs in `folder`: a page a table and `index.html`, whose path is returned."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for validation in validations:
        page = ValidationResultsPageRenderer(run_info_at_end=True).render(validation.result)
        text = DefaultJinjaPageView().render(page)  # type: ignore[no-untyped-call]
        (folder / f"{validation.table.name}.html").write_text(_offline(text), encoding="utf-8")
    index = folder / "index.html"
    index.write_text(_index(title, validations), encoding="utf-8")
    return index


def _offline(page: str) -> str:
    page = _LOADED.sub("", page)
    page = _DEAD_LINK.sub("", page)
    page = _ICON.sub(lambda icon: _ICON_TEXT[icon[1]], page)
    return page.replace("</head>", _STYLE + "</head>", 1)


def _index(title: str, validations: Sequence[Validation]) -> str:
    rows = "".join(_row(validation) for validation in validations)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n{_STYLE}</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n<table>\n"
        f"<tr><th></th><th>table</th><th>rows</th><th>expectations met</th></tr>\n"
        f"{rows}</table>\n</body>\n</html>\n"
    )


def _row(validation: Validation) -> str:
    name, counts = html.escape(validation.table.name), validation.result.statistics
    sign = "✓" if not counts["unsuccessful_expectations"] else "✗"
    return (
        f'<tr><td>{sign}</td><td><a href="{name}.html">{name}</a></td>'
        f"<td>{validation.rows:,}</td>"
        f"<td>{counts['successful_expectations']} of {counts['evaluated_expectations']}</td></tr>\n"
    )
