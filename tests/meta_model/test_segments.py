"""A segment's lists are what its users alone would give, and test users have no say in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.segments import ALL, segments
from meta_model.evidence.item_scores import ItemScores, item_scores
from meta_model.evidence.quality import LENGTHS, EvidenceResult, judge
from meta_model.evidence.segment_lists import segment_lists
from meta_model.learners import Learner
from schemas.tables.products import EVIDENCE_LISTS
from tests.meta_model.of_factors import OfFactors

CPU = torch.device("cpu")
FIELDS = ("items", "discriminative", "of_loss", "of_score", "n_interactions", "entropy")


def _same(one: ItemScores, other: ItemScores) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in FIELDS)


def _only(inputs: Inputs, rows: pa.Table, tmp_path: Path) -> Inputs:
    pq.write_table(rows, tmp_path / "part-0.parquet")
    return replace(inputs, episodes=Episodes(files=(tmp_path / "part-0.parquet",)), segments=())


def test_who_is_in_which_segment(segmented: Inputs) -> None:
    found = segments(segmented, 1)
    assert found.names == (
        *(ALL, "gender=gender 1", "gender=gender 2"),
        *(f"age=age {index}" for index in range(1, 5)),
    )
    genders = segmented.user_profiles["gender"].to_numpy()
    assert (genders == 0).sum() > 0
    assert found.members(ALL).all()
    assert found.members("gender=gender 2")[1:].tolist() == (genders == 2).tolist()
    assert not found.members("gender=gender 2")[0]


def test_new_users_make_no_segment(segmented: Inputs, config: Config, rows) -> None:
    """Of a segment that is large with its new users, no list could be chosen on existing ones."""
    genders = segmented.user_profiles["gender"].to_numpy()
    existing = {index - 1 for index in rows("train", "validation")["user_index"].to_pylist()}
    of_all = int((genders == 1).sum())
    of_existing = sum(bool(genders[user] == 1) for user in existing)
    assert of_existing < of_all
    assert "gender=gender 1" in segments(segmented, of_existing).names
    assert "gender=gender 1" not in segments(segmented, of_existing + 1).names


def test_a_segment_has_a_list_if_it_has_drawn_users_to_choose_it_on(
    learner: Learner, segmented: Inputs, config: Config
) -> None:
    torch.manual_seed(4)
    model = untrained(config, segmented)
    names = segments(segmented, 3).names
    few = {"products.segment_users": 3, "products.evidence_items": 2}
    found = {}
    for n_users in (4, 5_000):
        drawn = config.having({**few, "products.evidence_users": n_users})
        found[n_users] = segment_lists(model, segmented, drawn)
        assert all(len(each.members) >= 3 for each in found[n_users].values())
    assert {ALL} <= found[4].keys() < found[5_000].keys()
    assert (
        found[5_000].keys()
        == set(names)
        == item_scores(learner, segmented, CPU, min_users=3).keys()
    )


def test_small_segments_are_none(learner: Learner, segmented: Inputs) -> None:
    """Neither by all users that share the value, nor by those who exist yet."""
    sizes = {name: of.n_users for name, of in item_scores(learner, segmented, CPU).items()}
    least = sorted(sizes.values())[2]
    expected = {name for name, size in sizes.items() if size >= least}
    found = item_scores(learner, segmented, CPU, min_users=least)
    assert 1 < len(found) < len(sizes)
    assert found.keys() == expected | {ALL}
    assert set(item_scores(learner, segmented, CPU, min_users=99)) == {ALL}


def test_a_segment_is_what_its_users_alone_would_give(
    learner: Learner, segmented: Inputs, rows, tmp_path: Path
) -> None:
    found, members = item_scores(learner, segmented, CPU), segments(segmented, 1)
    pasts = rows("train", "validation")
    users = pasts["user_index"].to_pylist()
    for name in ("gender=gender 1", "age=age 3"):
        is_in = members.members(name)[torch.tensor(users)]
        alone = _only(segmented, pasts.filter(pa.array(is_in.tolist())), tmp_path)
        expected = item_scores(learner, alone, CPU)[ALL]
        for field in ("items", "discriminative", "of_loss", "of_score", "entropy"):
            torch.testing.assert_close(getattr(found[name], field), getattr(expected, field))
        assert (
            found[name].n_users == expected.n_users == len(set(torch.tensor(users)[is_in].tolist()))
        )
        assert found[name].n_interactions.sum() == sum(
            len(row["support_items"]) + len(row["query_items"])
            for row, counted in zip(pasts.to_pylist(), is_in.tolist(), strict=True)
            if counted
        )


def test_segments_change_nothing_for_all(
    learner: Learner, inputs: Inputs, segmented: Inputs
) -> None:
    assert _same(item_scores(learner, inputs, CPU)[ALL], item_scores(learner, segmented, CPU)[ALL])


def test_what_test_users_did_is_in_no_list(
    learner: Learner, segmented: Inputs, rows, tmp_path: Path
) -> None:
    everything = rows("train", "validation", "test", "serve")
    names = everything.schema.names.index
    ratings = everything["query_ratings"].to_pylist()
    turned = [
        [6 - r for r in of] if split in ("test", "serve") else of
        for of, split in zip(ratings, everything["split"].to_pylist(), strict=True)
    ]
    column = pa.array(turned, everything["query_ratings"].type)
    other = everything.set_column(names("query_ratings"), "query_ratings", column)
    pq.write_table(other, tmp_path / "part-0.parquet")
    moved = replace(segmented, episodes=Episodes(files=(tmp_path / "part-0.parquet",)))
    before, after = (item_scores(learner, each, CPU) for each in (segmented, moved))
    assert all(_same(before[name], after[name]) for name in before)


def test_lists_are_judged_by_the_segments_own_users(
    learner: Learner, segmented: Inputs, config: Config
) -> None:
    values = item_scores(learner, segmented, CPU)[ALL]
    nobody = torch.zeros(len(segmented.users.values), dtype=torch.bool)
    torch.manual_seed(4)
    ranker, chosen = OfFactors(untrained(config, segmented)), torch.arange(1, 21)

    def judged(**members: torch.Tensor) -> list[EvidenceResult]:
        models = (learner, ranker, segmented, values, chosen, CPU)
        rates = torch.full((len(segmented.item_profiles) + 1,), 0.5)
        return list(judge(*models, min_adapt=1, answer_rates=rates, seed=3, **members))

    assert judged(members=nobody) == []
    everyone, again = judged(), judged(members=~nobody)
    assert [each.name for each in everyone if each.length == LENGTHS[0]] == [
        *EVIDENCE_LISTS[:-2],
        "nothing",
        "random",
    ]
    for one, other in zip(everyone, again, strict=True):
        assert one.elicited.mae.equal(other.elicited.mae)
    of_popularity = [each for each in everyone if each.name == "popularity"]
    assert [each.length for each in of_popularity] == [1, 3, 5]  # longer ones leave too few ratings
    for each in of_popularity:
        assert each.intervals([("mae", "popularity")]) == [(0, 0)]
