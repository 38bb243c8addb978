"""The JSON Schema that editors check a dataset spec by accepts what a night accepts."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import docs
from schemas.dataset.spec import BUNDLED, DatasetSpec
from schemas.run.team_file import TeamFile

SPEC = tomllib.loads((BUNDLED / "ml-100k.toml").read_text())


def _mistakes(spec: dict[str, Any]) -> list[str]:
    return [
        each.message
        for each in Draft202012Validator(json.loads(docs.editors(DatasetSpec))).iter_errors(spec)
    ]


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.toml")), ids=lambda path: path.stem)
def test_bundled_specs_have_no_mistakes(path: Any) -> None:
    assert _mistakes(tomllib.loads(path.read_text())) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rating_scal": [1, 5]}, "'rating_scal' was unexpected"),
        ({"title": 7}, "7 is not of type 'string'"),
        ({"feedback": "telepathic"}, "'telepathic' is not one of ['explicit', 'implicit']"),
        ({"cold_start": {"max_support": 0}}, "0 is less than the minimum of 1"),
    ],
)
def test_mistakes_are_marked(change: dict[str, Any], message: str) -> None:
    [told] = _mistakes(SPEC | change)
    assert message in told


def test_every_key_that_is_no_section_is_explained() -> None:
    sections = json.loads(docs.editors(DatasetSpec))["$defs"]
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, about in section["properties"].items()
        if "description" not in about and "$ref" not in str(about)
    ]
    assert silent == []


def test_the_team_s_file_has_a_schema_too() -> None:
    schema = Draft202012Validator(json.loads(docs.editors(TeamFile)))
    example = tomllib.loads(docs.EXAMPLE)
    assert list(schema.iter_errors(example)) == []
    [mistake] = schema.iter_errors(example | {"run": {"rank_by": "luck"}})
    told = [each.message for each in mistake.context]
    assert "'luck' is not one of ['p_like', 'choice', 'rating']" in told
