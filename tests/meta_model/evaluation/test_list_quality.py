"""What a night says of its lists: every method on the same users, and figures that a loop gives."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.choice.interactions import Interactions, known_items
from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.segments import segments
from meta_model.data.tasks import Tasks
from meta_model.evaluation import list_methods, peers
from meta_model.evaluation.list_methods import methods
from meta_model.evaluation.list_quality import ListMetricValue, by_known, list_quality, mean_of
from meta_model.evaluation.lists import ListResult, judge
from meta_model.evaluation.rankers import Fixed, OfChoices
from meta_model.learners import create
from meta_model.ranking.recommender import Recommender
from schemas.tables.products import (
    ANY_KNOWN,
    CHAMPION,
    LIST_METRICS,
    LIST_ORDERS,
    LIST_PEERS,
    LIST_SCENARIOS,
    NEW_ITEM_PEERS,
    NEW_ITEM_SCENARIOS,
    SETS_METRICS,
)
from tests.meta_model.evaluation.literal_tasks import literal_tasks

CPU = torch.device("cpu")
KNOWN = ["0", "1", "2", "3", "5", "10", "30", "all"]


def _recommender(inputs: Inputs, config: Config, seed: int) -> Recommender:
    torch.manual_seed(seed)
    return Recommender.of(create(config, inputs), untrained(config, inputs), config, inputs, CPU)


@pytest.fixture
def figures(inputs: Inputs, config: Config) -> list[ListMetricValue]:
    ours, theirs = (_recommender(inputs, config, seed) for seed in (1, 2))
    return list(list_quality(ours, inputs, theirs))


def _values(figures: list[ListMetricValue], model: str, metric: str) -> dict[str, float]:
    found = (f for f in figures if (f.model, f.metric, f.scenario) == (model, metric, "user_cold"))
    return {figure.known: figure.value for figure in found}


def test_every_method_has_every_metric_of_every_number_known(
    figures: list[ListMetricValue],
) -> None:
    absent = {"by_p_like", "segment_popularity"}  # the published order, and nobody has a segment
    of_trained = {"melu", CHAMPION, *LIST_ORDERS, *LIST_PEERS} - absent
    of_new = {"melu", CHAMPION, "by_choice", "by_rating", "unadapted", *NEW_ITEM_PEERS}
    expected = dict.fromkeys(LIST_SCENARIOS, of_trained) | dict.fromkeys(NEW_ITEM_SCENARIOS, of_new)
    scenarios = {figure.scenario for figure in figures}
    assert {"user_cold", "both_cold"} <= scenarios
    for scenario in scenarios:
        models = {figure.model for figure in figures if figure.scenario == scenario}
        assert models == expected[scenario]
    for model in of_trained:
        for metric in (*LIST_METRICS, *SETS_METRICS):
            many = KNOWN if metric in SETS_METRICS else [*KNOWN, ANY_KNOWN]
            assert list(_values(figures, model, metric)) == many, (model, metric)
    groups = {(f.scenario, f.known) for f in figures}
    assert len({(f.scenario, f.known, f.n_users) for f in figures}) == len(groups)


def test_existing_users_are_judged_by_what_training_has_not_seen(
    inputs: Inputs, config: Config, rows, tmp_path: Path
) -> None:
    """The last items of a training task come back as a support, and others as a query."""
    counts, tasks = inputs.statistics().counts, []
    for row in rows("train").to_pylist()[:8]:
        past = {*row["support_items"], *row["query_items"]}
        later = [i for i in counts.argsort(descending=True).tolist() if i not in past][:9:2]
        asked = {"scenario": "warm", "split": "test", "query_items": later}
        tasks.append({**row, **asked, "query_ratings": [5.0, 2.0, 5.0, 4.0, 1.0]})
        for side in ("items", "ratings", "days"):
            tasks[-1][f"support_{side}"] = row[f"support_{side}"][-2:]
    both = pa.concat_tables([rows("train"), pa.Table.from_pylist(tasks, rows("train").schema)])
    pq.write_table(both, tmp_path / "part-0.parquet")
    returned = replace(inputs, episodes=Episodes(files=(tmp_path / "part-0.parquet",)))
    figures = list_quality(_recommender(returned, config, 1), returned)
    found = {
        f.known: f.value
        for f in figures
        if (f.scenario, f.model, f.metric) == ("warm", "popularity", "ndcg10")
    }
    values, longest = [], 0
    for row, task in zip(rows("train").to_pylist(), tasks, strict=False):
        met = {*row["support_items"], *row["query_items"]}
        longest = max(longest, len(met - {*task["support_items"]}))
        ranked = [i for i in range(1, len(counts)) if counts[i] > 0 and i not in met]
        ranked.sort(key=lambda item: -counts[item])  # of equal ones the first stays first
        liked = {item for item, rating in zip(task["query_items"], task["query_ratings"],
                                              strict=True) if rating >= 4}  # fmt: skip
        gained = sum(1 / math.log2(n + 2) for n, item in enumerate(ranked[:10]) if item in liked)
        values.append(gained / sum(1 / math.log2(n + 2) for n in range(len(liked))))
    assert longest > 3, "more was chosen before than the support shows"
    assert found == {
        known: pytest.approx(sum(values) / len(values)) for known in ("all", ANY_KNOWN)
    }


def test_of_new_items_the_query_is_judged_at_every_number_known(
    figures: list[ListMetricValue],
) -> None:
    found = [f for f in figures if (f.scenario, f.metric) == ("both_cold", "recall20")]
    for model in ("melu", *NEW_ITEM_PEERS):
        known = {figure.known: figure.n_users for figure in found if figure.model == model}
        assert list(known) == [*KNOWN, ANY_KNOWN]
        assert len(set(known.values())) == 1


def test_what_knows_nothing_is_the_same_adapted_or_not(figures: list[ListMetricValue]) -> None:
    ours, unadapted = (_values(figures, name, "ndcg10") for name in ("melu", "unadapted"))
    assert ours["0"] == unadapted["0"]


def test_a_users_mean_is_over_the_numbers_known_before_something_liked() -> None:
    """One user likes the second and the fourth of four items; the other the first alone."""
    tasks = literal_tasks(
        ([(1, 2.0), (2, 5.0)], [(3, 2.0), (4, 5.0)]), ([(4, 5.0), (3, 2.0)], [(2, 2.0), (1, 2.0)])
    )
    candidates = torch.tensor([False] + [True] * 4)
    best_is_two = Fixed(torch.tensor([0.0, 0, 2, 0, 1]))

    def at(known: int) -> ListResult:
        return judge(best_is_two, [tasks], candidates, known, 4.0, n_next=1)

    judged = [at(1), at(2), judge(best_is_two, [tasks], candidates, None, 4.0, n_next=2)]
    assert [each.users.tolist() for each in judged] == [[1], [], [1]]
    mean = mean_of(judged)
    assert mean.users.tolist() == [1]
    assert mean.metrics["ndcg10"].tolist() == [1.0], "item 2 is first; then item 4 is, 2 being met"
    both = mean_of([at(0), at(1)])
    assert both.users.tolist() == [1, 2]
    second = 1 / math.log2(3)
    assert both.metrics["ndcg10"].tolist() == pytest.approx([1.0, second])


def test_a_night_judges_what_comes_next(inputs: Inputs) -> None:
    tasks = literal_tasks(([(1, 2.0), (2, 5.0)], [(3, 2.0), (4, 5.0)]))
    candidates = torch.tensor([False] + [True] * 4)
    judged = by_known(Fixed(torch.arange(5.0)), [tasks], candidates, inputs, 1)
    assert inputs.liked_from == 4
    users = {known: lists.users.tolist() for known, lists in judged.items() if len(lists.users)}
    # After 0 and 2 known, items 1 and 3 come next, rated 2; more are not known.
    assert users == {"1": [1], "all": [1], ANY_KNOWN: [1]}


def test_the_mean_is_over_numbers_known_from_one_on(
    inputs: Inputs, config: Config, figures: list[ListMetricValue]
) -> None:
    counts, n_next = inputs.statistics().counts, config.training.query_size
    tasks = list(batches(inputs.episodes.split("test", scenario="user_cold"), 256))
    popularity = Fixed(counts.double())
    judged = [
        judge(popularity, tasks, counts > 0, known, inputs.liked_from, n_next=n_next)
        for known in (1, 2, 3, 5, 10, 30, None)
    ]
    expected = mean_of(judged).metrics["ndcg10"].mean().item()
    assert _values(figures, "popularity", "ndcg10")[ANY_KNOWN] == pytest.approx(expected)


def test_a_lead_is_the_difference_to_the_published_lists(figures: list[ListMetricValue]) -> None:
    ours = {(f.scenario, f.known, f.metric): f.value for f in figures if f.model == "melu"}
    for figure in figures:
        if figure.model == "melu" or figure.metric in SETS_METRICS:
            assert figure.lead is None
            continue
        assert figure.lead is not None
        assert figure.interval is not None
        low, high = figure.lead
        ahead = ours[figure.scenario, figure.known, figure.metric] - figure.value
        assert low - 1e-9 <= ahead <= high + 1e-9
        assert figure.interval[0] - 1e-9 <= figure.value <= figure.interval[1] + 1e-9


def test_of_implicit_feedback_a_sampled_negative_is_no_choice(
    implicit: Inputs, config: Config
) -> None:
    figures = list(list_quality(_recommender(implicit, config, 1), implicit))
    assert "item_mean" not in {figure.model for figure in figures}
    interactions = Interactions.of(implicit)
    chosen = set()
    for row in pa.concat_tables(implicit.episodes.split("train").buffers()).to_pylist():
        for side in ("support", "query"):
            pairs = zip(row[f"{side}_items"], row[f"{side}_ratings"], strict=True)
            chosen |= {(row["user_index"], item) for item, rating in pairs if rating > 0}
    assert interactions.user_indices is not None
    users = interactions.user_indices[interactions.users].tolist()
    assert set(zip(users, interactions.items.tolist(), strict=True)) == chosen


def test_known_are_choices_and_the_negatives_before_the_last_of_them() -> None:
    """0 is a sampled negative; items are numbered in the order of the support."""
    ratings = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    tasks = literal_tasks((list(enumerate(ratings, start=1)), []), ([(9, 1.0)], []))
    shown = {
        known: [
            tasks.items[side.rows[row][side.mask[row]]].tolist()
            for row in range(2)
            for side in [tasks.showing(known, "implicit").support]
        ]
        for known in (0, 1, 2, 3, None)
    }
    assert shown == {
        0: [[], []],
        1: [[1, 2], [9]],
        2: [[1, 2, 3, 4, 5], [9]],
        3: [[1, 2, 3, 4, 5, 6, 7], [9]],
        None: [[1, 2, 3, 4, 5, 6, 7, 8], [9]],
    }


def test_known_are_shown_where_negatives_were_taken_out_before() -> None:
    tasks = literal_tasks(([(1, 0.0), (2, 1.0), (3, 1.0)], [])).chosen("implicit").showing(1)
    support = tasks.support
    assert tasks.items[support.rows[0][support.mask[0]]].tolist() == [2]


class Likely:
    """Ranks items that were shown as chosen last, by the support that it sees."""

    def scores(self, tasks: Tasks) -> torch.Tensor:
        self.shown = tasks
        return known_items(tasks, 9)


def test_negatives_may_be_recommended_and_peers_do_not_see_them() -> None:
    tasks = literal_tasks(([(1, 0.0), (2, 1.0), (3, 0.0)], [(1, 1.0), (4, 0.0)]))
    peer = Likely()
    candidates = torch.tensor([False] + [True] * 9)
    judged = judge(OfChoices(peer, "implicit"), [tasks], candidates, None, 1.0, "implicit")
    assert peer.shown.support.mask.tolist() == [[False, True, False]]
    assert judged.lists[0, :8].tolist() == [1, 3, 4, 5, 6, 7, 8, 9]
    assert judged.metrics["hr10"].tolist() == [1.0]
    judge(OfChoices(peer, "implicit"), [tasks], candidates, 1, 1.0, "implicit")
    [mask] = peer.shown.support.mask
    assert peer.shown.items[peer.shown.support.rows[0][mask]].tolist() == [2]


def test_methods_of_interactions_see_choices_alone(implicit: Inputs, config: Config) -> None:
    found = methods(_recommender(implicit, config, 1), implicit, None, lambda _text: None)
    for name in ("item_knn", "ease", "ials"):
        assert isinstance(found[name], OfChoices)
        assert found[name].feedback == "implicit"


@pytest.mark.parametrize(
    ("limit", "absent", "words"),
    [
        ("_MOST_ITEMS", {"item_knn", "ease"}, "no lists of ItemKNN and EASE: more than 1 items"),
        ("_MOST_PAIRS", {"ials"}, "no lists of iALS: more than 1 interactions"),
        ("_MOST_ROWS", {"ials"}, "or 1 users and items"),
    ],
)
def test_what_costs_too_much_is_told_and_left_out(
    inputs: Inputs,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    absent: set[str],
    words: str,
) -> None:
    monkeypatch.setattr(list_methods, limit, 1)
    told: list[str] = []
    found = methods(_recommender(inputs, config, 1), inputs, None, told.append)
    assert {"item_knn", "ease", "ials"} - set(found) == absent
    [text] = told
    assert words in text


def test_a_segments_popularity_is_that_of_its_users(inputs: Inputs) -> None:
    rows = [{"feature": "user.gender", "value": f"g{n}", "index": n} for n in (1, 2)]
    vocabulary = pa.Table.from_pylist(rows, schema=inputs.vocabulary.schema)
    segmented = replace(inputs, vocabulary=vocabulary, segments=("gender",))
    interactions = Interactions.of(segmented)
    peer = peers.SegmentPopularity(interactions, segments(segmented, 1))
    genders = segmented.user_profiles["gender"].to_pylist()
    counts: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    assert interactions.user_indices is not None
    users = interactions.user_indices[interactions.users].tolist()
    for user, item in zip(users, interactions.items.tolist(), strict=True):
        for segment in {genders[user - 1], 0}:  # 0: everyone
            counts[segment][item] += 1
    tasks = literal_tasks(*[([(1, 3.0)], [(2, 3.0)])] * len(genders))
    for user, scores in enumerate(peer.scores(tasks), start=1):
        of_segment = counts[genders[user - 1]]
        assert [math.floor(score) for score in scores.tolist()] == [
            of_segment[item] for item in range(len(scores))
        ]
