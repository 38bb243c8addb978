"""Dataset specs say of every mistake what is wrong, and where."""

from __future__ import annotations

import pytest

from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.errors import UserError

GOOD = (dataset_spec.BUNDLED / "ml-100k.toml").read_text()
IMPLICIT = (dataset_spec.BUNDLED / "toys.toml").read_text()


@pytest.mark.parametrize("path", sorted(dataset_spec.BUNDLED.glob("*.toml")), ids=lambda p: p.stem)
def test_bundled_specs_load(path):
    levels = {"toys": range(2), "book-crossing": range(1, 11)}.get(path.stem, range(1, 6))
    assert dataset_spec.load(path).rating_levels == tuple(levels)


def test_a_pattern_may_begin_with_a_bracket_of_the_text(tmp_path):
    file = tmp_path / "dataset.toml"
    pattern = r"pattern = '\(?PG-(\d+)'"
    file.write_text(GOOD.replace('pattern = "^(\\\\d)"', pattern, 1))
    assert "(?PG-" in str(dataset_spec.load(file))


def _assert_refused(folder, good, old, new, message):
    assert old in good
    (folder / "dataset.toml").write_text(good.replace(old, new, 1))
    with pytest.raises(UserError, match=message) as error:
        dataset_spec.load(folder / "dataset.toml")
    assert str(folder / "dataset.toml") in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rating_scale =", "rating_scal =", r"unknown key 'rating_scal'.* Did you mean"),
        ('feedback = "explicit"\n', "", "feedback is missing; add it"),
        ('"explicit"', '"telepathic"', "'telepathic', expected 'explicit' or 'implicit'"),
        ('title = "MovieLens-100K"', "title = 7", "title is 7, expected a text in quotes"),
        ("interactions = 100_000", "interactions = true", "interactions is true, expected a whole"),
        ("[1, 5]", "[5, 1]", r"rating_scale is \[5, 1\], expected \[lowest, highest\]"),
        ("[1, 5]", "[1, 3, 5]", r"rating_scale is \[1, 3, 5\]"),
        ("[1, 5]", '["1", "5"]', "item 1 of rating_scale is '1', expected a number"),
        ("rating_scale = [1, 5]", "", r"rating_scale is \[\], expected \[lowest, highest\]"),
        ("[1, 5]", "[1, 5]\nmax_quarantined_fraction = 5", "fraction is 5, expected 1 or less"),
        ('delimiter = "\\t"', 'encoding = "latin-1"', "'latin-1', expected 'UTF-8' or 'ISO"),
        ('rating = "rating:float"', "", "rating is missing, expected the column.*or say feedback"),
        ("[users]", "[negatives]\n[users]", "belongs to implicit feedback.*leave the section out"),
        ("[1, 5]", "[1, 5", "is not valid TOML.*correct that line"),
        ("[users]", "[cold_start]\nnew_user_days = -3\n[users]",
         r"\[cold_start\]: new_user_days is -3, expected 1 or more"),
        ("[users]", "[cold_start]\nmax_support = 2\n[users]",
         r"\[cold_start\]: min_support is 3 and max_support 2; expected the one not above"),
        ("[users]", "[cold_start]\nmin_query = 11\n[users]",
         r"\[cold_start\]: min_query is 11 and query_size 10; expected the one not above"),
        ('delimiter = "\\t"', 'delimiter = ""', "delimiter is ''"),
        ('quote = ""', 'quote = "\'\'"', "quote is \"''\""),
        ('delimiter = "\\t"', 'escape = "ab"', "escape is 'ab'"),
        ('pattern = "^(\\\\d)"', "pattern = '('", r"'\(' is no regular expression: missing \)"),
        ('pattern = "^(\\\\d)"', "pattern = 'b[(]'",
         r"'b\[\(\]' has no group; expected \( and \)"),
        ('pattern = "^(\\\\d)"', "pattern = '(?P<y>.)'", "names a group as Python does"),
        ('user_id = "user_id:token"', 'usr_id = "x"', r"\[interactions\]: unknown key 'usr_id'"),
        ('column = "gender:token"', 'flags = ["a"]', "`flags` belong to kind 'multi'"),
        (', column = "gender:token"', "", "give either `column` or `flags`"),
        ('gender = { kind = "cat', 'gender = { kind = "dog', r"features\.gender\].*'dogegorical'"),
        ("buckets = [18, 25,", "buckets = [25, 18,", "expected them ascending"),
        ('rating_scale = [1, 5]', 'rating_scale = [1, 5]\nliked_from = 4.5',
         "liked_from is 4.5, expected a rating above the lowest: one of 2, 3, 4, 5"),
        ('rating_scale = [1, 5]', 'rating_scale = [1, 5]\nliked_from = 1', "one of 2, 3, 4, 5"),
        ("rating_scale = [1, 5]", "rating_scale = [0.5, 5]",
         "rating_step is missing, expected a step that leads from 0.5 to 5 in equal parts"),
        ("[1, 5]", '[1, 5]\nrank_by = "stars"',
         "rank_by is 'stars', expected 'p_like', 'choice' or 'rating'"),
        ('column = "gender:token"', 'column = "g", buckets = [1]', "belong to kind 'bucketed'"),
        ('column = "gender:token"', 'column = "g", maximum = 1', "`maximum` belong to kind 'buck"),
        ("buckets = [18,", "minimum = 9, maximum = 5, buckets = [18,", "minimum is 9, expected"),
        ('delimiter = "\\t"', "without = { rating = 0 }", r"without\]: rating is 0, expected a te"),
        ('{ kind = "categorical", column = "gender:token" }', "3",
         r"\[users.features\]: gender is 3, expected a table"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, old, new, message):
    _assert_refused(tmp_path, GOOD, old, new, message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('feedback = "implicit"', 'feedback = "implicit"\nrating_scale = [0, 1]',
         r"rating_scale is \[0, 1\], expected none: feedback is 'implicit'"),
        ('feedback = "implicit"', 'feedback = "implicit"\nrating_step = 1', "step is 1, expected"),
        ('feedback = "implicit"', 'feedback = "implicit"\nliked_from = 1', "from is 1, expect"),
        ('feedback = "implicit"', 'feedback = "implicit"\nrank_by = "rating"',
         "rank_by is 'rating', expected 'p_like' or 'choice': feedback is 'implicit'.*no ratings"),
        ('item_id =', 'rating = "r"\nitem_id =', "rating is 'r', expected none.*leave it"),
        ("[cold_start]", "[negatives]\ntest_query = 0\n[cold_start]",
         r"\[negatives\]: test_query is 0, expected 1 or more"),
        ("[cold_start]", "[negatives]\nsupport_per_positive = -1\n[cold_start]",
         "support_per_positive is -1, expected 0 or more"),
        ("[cold_start]", "[negatives]\nquery = 9\n[cold_start]", r"\[negatives\]: unknown key"),
        ('item_id =', 'event_time = "t"\nitem_id =', "either `event_time` or `synthetic_time`"),
        ("[interactions.synthetic_time]", "[cold_start.synthetic_time]",
         r"\[interactions\]: give either `event_time` or `synthetic_time`"),
        ('"2020-01-01"\nspread', '"January"\nspread', "first_day is 'January', expected a date"),
        ("spread_days = 365", "spread_days = 0", r"\.synthetic_time\]: spread_days is 0"),
        ("step_seconds = 259_200", "step_seconds = 0", "step_seconds is 0, expected 1 or more"),
        ('order = "position"', "", r"synthetic_time\]: give either `order`.* or `places`"),
        ('order =', 'places = 3\norder =', r"synthetic_time\]: give either `order`.* or `places`"),
        ('order = "position"', "places = 0", "places is 0, expected 1 or more"),
        ('item_id =', 'delimiter = ";"\nitem_id =', r"\['delimiter'\] say how to read text"),
        ('"parquet"', '"orc"', "format is 'orc', expected 'delimited', 'parquet' or 'jdbc'"),
    ],
)  # fmt: skip
def test_mistakes_of_implicit_feedback_and_of_parquet(tmp_path, old, new, message):
    _assert_refused(tmp_path, IMPLICIT, old, new, message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('UMGM = "genre"', 'UMGM = "genra"', r"over 'genra', expected one of \['users'"),
        ('feature = "genres"', 'feature = "genders"', "relation genre is 'genders', expected"),
        ('feature = "genres"', 'feature = "genres"\nfile = "x"', "give either `feature`, or"),
        ('feature = "genres"', 'file = "x"\nitem = "a"', r"genre\]: node is missing; add it"),
        ('feature = "genres"', 'file = "x"\nitem = "a"\nnode = "b"\nformat = "jdbc"',
         r"genre\]: format is \"jdbc\", expected a file"),
        ("[network.metapaths]", "[network]\ncap = 0\n[network.metapaths]", "cap is 0, expected 1"),
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


@pytest.mark.parametrize(
    ("scale", "level"),
    [
        ("rating_scale = [1, 5]", 4.0),
        ("rating_scale = [1, 5]\nrating_step = 0.5", 4.0),
        ("rating_scale = [1, 10]", 8.0),
        ("rating_scale = [1, 5]\nliked_from = 3", 3.0),
    ],
)
def test_what_is_liked_is_said_or_three_quarters_up_the_scale(tmp_path, scale, level):
    file = tmp_path / "dataset.toml"
    file.write_text(GOOD.replace("rating_scale = [1, 5]", scale))
    assert dataset_spec.load(file).liked_level == level


@pytest.mark.parametrize(
    ("good", "orders"),
    [(GOOD, ("p_like", "choice", "rating")), (IMPLICIT, ("p_like", "choice"))],
    ids=["explicit", "implicit"],
)
def test_a_spec_says_what_lists_are_ordered_by_or_leaves_it_to_the_default(tmp_path, good, orders):
    file = tmp_path / "dataset.toml"
    file.write_text(good)
    assert dataset_spec.load(file).rank_by is None
    for order in orders:
        file.write_text(f'rank_by = "{order}"\n{good}')
        assert dataset_spec.load(file).rank_by == order
