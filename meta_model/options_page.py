"""All options of the config as a page: `python -m meta_model options`, docs/options.md."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from meta_model.config import Config, Section, options_of
from meta_model.config.options import in_json
from meta_model.learners import configured

_ABOUT = """\
# Options

Options of `python -m meta_model meta_train`, each given by `--set OWNER.NAME=VALUE`, as often as
you like: `--set local_update.steps=1 --set mamo.memory_slots=4`. The artefact keeps all of them in
its `config.json`. `evaluate`, `select_evidence` and `score_cold_users` take the options of
`products`, too: they then use these values, and the model is not trained again.

`python -m meta_model options` prints this page, also for a learner of another package.
"""


def page(models: Iterable[str]) -> str:
    """The options that all learners share, and those that each of these has of its own."""
    parts = [_ABOUT]
    parts += [_section(owner, section) for owner, section in Config().sections().items()]
    for model in models:
        method = configured(model).sections().get(model)
        if method is not None:
            parts.append(_section(model, method))
    return "\n".join(parts)


def _section(owner: str, section: Section) -> str:
    return "\n".join([f"## {owner}", "", inspect.getdoc(section) or "", "", *_rows(section), ""])


def _rows(section: Section) -> Iterator[str]:
    yield "| option | default | expected | meaning |"
    yield "|---|---|---|---|"
    for name, option in options_of(type(section)).items():
        default = in_json(option.default)
        yield f"| `{name}` | `{default}` | {option.expectation} | {option.about} |"
