"""Every user is new once, and what new users rated is in no statistic and no training task."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import adaptive, evidence, report
from benchmarks.inputs import held_out_users
from meta_model.data.inputs import Inputs

FOLDS = 3


@pytest.fixture
def trials(folder: Path, tmp_path: Path) -> list[Inputs]:
    of_seed = held_out_users.trials(folder.parent, "ml-1m", FOLDS, tmp_path, [1])
    return [inputs for _, inputs in of_seed]


def _rated(inputs: Inputs, split: str) -> Counter[tuple[int, int, float]]:
    rows = pa.concat_tables(inputs.episodes.split(split).buffers()).to_pylist()
    return Counter(
        (row["user_index"], *pair)
        for row in rows
        for side in ("support", "query")
        for pair in zip(row[f"{side}_items"], row[f"{side}_ratings"], strict=True)
    )


def test_every_user_is_new_in_one_trial(folder: Path, trials: list[Inputs]) -> None:
    published = pq.read_table(folder / "train.parquet")
    new = [{user for user, *_ in _rated(trial, "test")} for trial in trials]
    assert sum(map(len, new)) == len(set.union(*new)) == len(published["user_id"].unique())
    assert max(map(len, new)) - min(map(len, new)) <= len(set.union(*new)) // 4
    # Ids are 1, 2, ... as indices are; every item is rated by users of all trials.
    rows = published.select(["user_id", "item_id", "rating"]).to_pylist()
    assert sum((_rated(trial, "test") for trial in trials), Counter()) == Counter(
        (row["user_id"], row["item_id"], row["rating"]) for row in rows
    )


def test_what_new_users_rated_is_nowhere_else(trials: list[Inputs]) -> None:
    for trial in trials:
        assert not trial.episodes.is_ordered
        train, test = _rated(trial, "train"), _rated(trial, "test")
        assert not {user for user, *_ in train} & {user for user, *_ in test}
        counts, sums = Counter(), Counter()
        for (_, item, rating), n in train.items():
            counts[item] += n
            sums[item] += n * rating
        items = trial.item_profiles
        for column, of in (
            ("train_n_ratings", counts), ("train_rating_sum", sums), ("n_interactions", counts)
        ):  # fmt: skip
            assert items[column].to_pylist() == [of[n] for n in items["item_index"].to_pylist()]


@pytest.mark.usefixtures("long")
def test_lists_are_compared_over_all_trials(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Groups that are never of one user, who would be in none of the records.
    monkeypatch.setattr(evidence, "_ANSWERS", (0, 2))
    file = tmp_path / "evidence.json"
    arguments = ["--data", str(folder.parent), "--dataset", "ml-1m", "--epochs", "1"]
    assert evidence.main([*arguments, "--folds", str(FOLDS), "--json", str(file)]) == 0
    records = json.loads(file.read_text())
    assert {record["new_users"] for record in records} == {"3 folds"}
    [popularity] = [r for r in records if (r["list"], r["length"]) == ("popularity", 3)]
    # A trial has at most 14 new users, and there are 40 in all. Lists of 5, of 30 items, leave most
    # of them with fewer than five of their 20 ratings: these do not count.
    assert 14 < popularity["n_users"] <= 40
    assert max((r["n_users"] for r in records if r["length"] == 5), default=0) < 40
    [ours] = [r for r in records if (r["list"], r["length"]) == ("evidence", 3)]
    groups = ours["by_answers"]
    assert len(groups) > 1
    assert sum(group["n_users"] for group in groups) == ours["n_users"]
    for name, whole in (("ndcg10_after", ours), ("after_popularity", popularity)):
        total = sum(group["n_users"] * group[name] for group in groups)
        assert total / whole["n_users"] == pytest.approx(whole["ndcg10_after"], abs=1e-4)
    assert popularity["mae_minus_popularity_low"] == popularity["mae_minus_popularity_high"] == 0


def test_questions_one_by_one_are_compared_with_the_list(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "next-question.json"
    arguments = ["--data", str(folder.parent), "--dataset", "ml-1m", "--choice-epochs", "1"]
    assert adaptive.main([*arguments, "--folds", str(FOLDS), "--json", str(file)]) == 0
    records = json.loads(file.read_text())
    assert [record["length"] for record in records] == [1, 3, 5, 10, 20]
    for record in records:
        assert 0 < record["n_users"] <= 40
        difference = record["ndcg10_of_next_question"] - record["ndcg10_of_list"]
        assert record["low"] - 1e-4 <= difference <= record["high"] + 1e-4
    assert "next question minus list" in report.PAGES["next-question"](records)


@pytest.mark.usefixtures("long")
def test_a_user_counts_once_however_often_they_are_asked(folder: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(folder.parent), "--dataset", "ml-1m", "--epochs", "1"]
    arguments += ["--folds", str(FOLDS)]
    found = {}
    for seed, repeats in ((1, 1), (2, 1), (1, 2)):
        file = tmp_path / f"{seed}-{repeats}.json"
        more = ["--seed", str(seed), "--repeats", str(repeats), "--json", str(file)]
        assert evidence.main([*arguments, *more]) == 0
        [found[seed, repeats]] = [
            r for r in json.loads(file.read_text()) if (r["list"], r["length"]) == ("entropy", 3)
        ]
    once, again, both = found[1, 1], found[2, 1], found[1, 2]
    assert once["mae"] != again["mae"]
    assert max(once["n_users"], again["n_users"]) <= both["n_users"] <= 40
    assert both["repeats"] == 2


def test_one_fold_is_refused(folder: Path, tmp_path: Path, caplog) -> None:
    file = tmp_path / "evidence.json"
    arguments = ["--data", str(folder.parent), "--dataset", "ml-1m", "--json", str(file)]
    assert evidence.main([*arguments, "--folds", "1"]) == 2
    assert "--folds is 1; expected 2 or more" in caplog.text
