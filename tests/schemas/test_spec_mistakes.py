"""All mistakes of a dataset spec in one message; its encoding, its mark, and names of columns."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas import toml_file, utc
from schemas.dataset import spec as dataset_spec
from schemas.errors import UserError
from schemas.run.settings import parse_ds
from tests.tiny_shop import SPEC


def _load(folder: Path, content: bytes) -> dataset_spec.DatasetSpec:
    (folder / "dataset.toml").write_bytes(content)
    return dataset_spec.load(folder / "dataset.toml")


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    text = SPEC.replace("rating_scale = [1, 5]", "rating_scal = [1, 5]\ntitel = 3")
    text = text.replace('event_time = "when"', 'event_tim = "when"\nearliest = "2020"')
    text = text.replace('kind = "categorical"', 'kind = "kategorical"')
    with pytest.raises(UserError) as error:
        _load(tmp_path, text.encode())
    for part in (
        "6 mistakes:",
        "[interactions]: earliest is '2020', expected a date",
        "[interactions]: unknown key 'event_tim'",
        "[users.features.town]: kind is 'kategorical'",
        "unknown key 'rating_scal'",
        "Did you mean 'rating_scale'?",
        "unknown key 'titel'",
    ):
        assert part in str(error.value)


def test_mistakes_of_what_fits_together_too(tmp_path: Path) -> None:
    text = SPEC.replace("rating_scale = [1, 5]", 'rating_scale = [5, 1]\nsegments = ["shoe"]')
    text = text.replace('event_time = "when"', 'event_time = "when"\nearliest = "20200101"')
    with pytest.raises(UserError, match=r"(?s)3 mistakes.*'20200101'.*\['shoe'\].*\[5, 1\]"):
        _load(tmp_path, text.encode())


@pytest.mark.parametrize("pattern", [r"(?<year>\d{4})", r"(\p{L}+)", r",\s*+((?!n/a$)[^,]+)$"])
def test_patterns_are_java_s(tmp_path: Path, pattern: str) -> None:
    feature = f"x.kind = 'categorical'\nx.column = 'c'\nx.pattern = '{pattern}'"
    text = SPEC.replace("[users.features]", f"[users.features]\n{feature}")
    features = _load(tmp_path, text.encode()).user_features
    assert features["x"].pattern == pattern


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SPEC.replace("tiny", "größe").encode("latin-1"), "not UTF-8: line 1 has the byte 0xf6"),
        (SPEC.encode("utf-16"), "is UTF-16; expected UTF-8. Save it again"),
    ],
)  # fmt: skip
def test_another_encoding_is_reported(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        _load(tmp_path, content)


def test_a_mark_and_foreign_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = SPEC.replace("tiny shop", "Größe").replace("\n", "\r\n")
    assert _load(tmp_path, text.encode("utf-8-sig")).title == "A Größe"


def test_a_feature_is_called_as_a_column_can_be(tmp_path: Path) -> None:
    text = SPEC.replace("town = {", '"home.town" = {').replace(
        "[interactions]", 'segments = ["home.town"]\n[interactions]', 1
    )
    text += '\n[network.metapaths]\nby = "tag"\n[network.relations.tag]\nfeature = "the tags"\n'
    text = text.replace("tags = { kind", '"the tags" = { kind')
    spec = _load(tmp_path, text.replace('segments = ["home.town"]\n', "", 1).encode())
    assert list(spec.user_features) == ["home_town"]
    assert list(spec.items.features) == ["the_tags"]
    first, rest = text.split("[interactions]", 1)
    spec = _load(tmp_path, (first + "[interactions]" + rest).encode())
    assert spec.segments == ("home_town",)
    assert spec.network is not None
    assert spec.network.relations["tag"].feature == "the_tags"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["is_new"], r"\['is_new'\] are names of columns that the table has of its own"),
        (["Last_Seen"], r"\['Last_Seen'\] are names of columns"),
        (["a.b", "A b"], r"the feature 'A b' has the column 'A_b', as another feature has"),
        (["1st"], r"\[users.features\]: the name is '1st', expected one that begins with a letter"),
        (["..."], r"the name is '...', expected one that begins"),
    ],
)
def test_names_that_collide_are_reported(tmp_path: Path, names: list[str], message: str) -> None:
    features = "\n".join(f'"{name}" = {{ kind = "categorical", column = "c" }}' for name in names)
    text = SPEC.replace('town = { kind = "categorical", column = "town" }', features)
    with pytest.raises(UserError, match=message):
        _load(tmp_path, text.encode())


def test_levels_are_what_a_person_writes(tmp_path: Path) -> None:
    text = SPEC.replace("rating_scale = [1, 5]", "rating_scale = [-0.3, 0.3]\nrating_step = 0.1")
    levels = _load(tmp_path, text.encode()).rating_levels
    assert levels == (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)


def test_a_ds_that_has_not_begun_is_refused() -> None:
    today = utc.today()
    assert parse_ds(str(today)) == today
    with pytest.raises(UserError, match=rf"which is after today \({today}, UTC\)"):
        parse_ds(str(today + timedelta(days=1)))
    with pytest.raises(UserError, match="2062-04-01, which is after today"):
        parse_ds("2062-04-01")


ODD = (7, 1.5, math.nan, True, "x", [], ["x"], {}, {"x": {"y": 1}}, date(2026, 1, 31))


def _with_odd(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table with each of its values, at any depth, replaced by each odd one."""
    for key, value in table.items():
        yield from ({**table, key: odd} for odd in ODD)
        if isinstance(value, dict):
            yield from ({**table, key: changed} for changed in _with_odd(value))


@pytest.mark.parametrize("name", ["ml-100k", "toys"])
def test_whatever_a_value_is_it_is_reported_in_words(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tomllib.loads((dataset_spec.BUNDLED / f"{name}.toml").read_text())
    told = []
    for changed in _with_odd(good):
        monkeypatch.setattr(toml_file, "_table", lambda *_, changed=changed: changed)
        try:
            dataset_spec.load(Path("dataset.toml"))
        except UserError as error:
            told.append(str(error))
    assert len(told) > 200
    assert not [text for text in told if "Input should" in text], "pydantic's own words"
