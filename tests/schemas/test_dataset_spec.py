"""Dataset specs say of every mistake what is wrong, and where."""

from __future__ import annotations

import pytest

from schemas import dataset_choice, dataset_spec
from schemas.errors import UserError

GOOD = (dataset_spec.BUNDLED / "ml-100k.toml").read_text()


@pytest.mark.parametrize("path", sorted(dataset_spec.BUNDLED.glob("*.toml")), ids=lambda p: p.stem)
def test_bundled_specs_load(path):
    assert dataset_spec.load(path).rating_scale == (1, 5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rating_scale =", "rating_scal =", r"unknown key 'rating_scal'.* Did you mean"),
        ('feedback = "explicit"\n', "", r"missing keys \['feedback'\]; add them"),
        ('"explicit"', '"telepathic"', r"'telepathic', expected one of \['explicit'"),
        ('title = "MovieLens-100K"', "title = 7", "title is 7, expected str"),
        ("interactions = 100_000", "interactions = true", "interactions is True, expected int"),
        ("[1, 5]", "[5, 1]", r"rating_scale is \[5, 1\], expected \[lowest, highest\]"),
        ("[1, 5]", "[1, 3, 5]", r"rating_scale is \[1, 3, 5\]"),
        ("[1, 5]", '["1", "5"]', r"rating_scale is \['1', '5'\], expected"),
        ("[1, 5]", "[1, 5", "is not valid TOML.*mend that line"),
        ('user_id = "user_id:token"', 'usr_id = "x"', r"\[interactions\]: unknown key 'usr_id'"),
        ('column = "gender:token"', 'flags = ["a"]', "`flags` belong to kind 'multi'"),
        (', column = "gender:token"', "", "give either `column` or `flags`"),
        ('gender = { kind = "cat', 'gender = { kind = "dog', r"features\.gender\].*'dogegorical'"),
        ("buckets = [18, 25,", "buckets = [25, 18,", "expected them ascending"),
        ('column = "gender:token"', 'column = "g", buckets = [1]', "belong to kind 'bucketed'"),
        ('{ kind = "categorical", column = "gender:token" }', "3", "is 3, expected a table"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, old, new, message):
    assert old in GOOD
    (tmp_path / "dataset.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError, match=message) as error:
        dataset_spec.load(tmp_path / "dataset.toml")
    assert str(tmp_path / "dataset.toml") in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('UMGM = "genre"', 'UMGM = "genra"', r"over 'genra', expected one of \['users'"),
        ('feature = "genres"', 'feature = "genders"', r"genre\]: feature is 'genders', expected"),
        ('feature = "genres"', 'feature = "genres"\nfile = "x"', "give either `feature`, or"),
        ('feature = "genres"', 'file = "x"\nitem = "a"', r"genre\]: missing keys \['node'"),
        ("[network.metapaths]", "[network]\ncap = 0\n[network.metapaths]", "cap is 0, expected at"),
        ("[network.metapaths]", "[network]\ncup = 9\n[network.metapaths]", "Did you mean 'cap'"),
        ("relations.genre]", "relations.users]", "a relation is named 'users'.*another name"),
        ('UMUM = "users"\nUMGM = "genre"\n', "", "metapaths is empty, expected one or more"),
    ],
)  # fmt: skip
def test_mistakes_in_the_network(tmp_path, old, new, message):
    assert old in GOOD
    (tmp_path / "dataset.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError, match=message) as error:
        dataset_spec.load(tmp_path / "dataset.toml")
    assert f"{tmp_path / 'dataset.toml'} [network" in str(error.value)


def test_a_spec_needs_no_network(tmp_path):
    (tmp_path / "dataset.toml").write_text(GOOD[: GOOD.index("[network.metapaths]")])
    assert dataset_spec.load(tmp_path / "dataset.toml").network is None


def test_a_missing_spec(tmp_path):
    with pytest.raises(UserError, match="does not exist; name an existing TOML file"):
        dataset_spec.load(tmp_path / "none.toml")


def test_a_source_is_recognised_by_its_files(tmp_path):
    for name in ("u.data", "u.user", "u.item"):
        (tmp_path / name).touch()
    assert dataset_choice.find(tmp_path).stem == "ml-100k-grouplens"
    (tmp_path / "dataset.toml").write_text(GOOD)
    assert dataset_choice.find(tmp_path) == tmp_path / "dataset.toml"
    with pytest.raises(UserError, match="is not a folder"):
        dataset_choice.find(tmp_path / "none")


def test_a_lake_keeps_its_spec(tmp_path):
    with pytest.raises(UserError, match="run the step ingest first"):
        dataset_choice.of_lake(tmp_path)
    dataset_choice.bind(tmp_path, dataset_spec.BUNDLED / "ml-100k.toml")
    assert dataset_choice.of_lake(tmp_path).name == "ml-100k"
    with pytest.raises(UserError, match=r"holds the data set 'ml-100k'.*set COLDSTART_HOME"):
        dataset_choice.bind(tmp_path, dataset_spec.BUNDLED / "ml-1m.toml")
