"""The page on lists to ask new users about: what each is worth to the model, and which is best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.pages.markdown import page, table
from benchmarks.records import Record
from schemas.tables.metrics import Metric, named

# What lists are judged by, and the lists that each has an interval against.
_OTHERS = {
    "ndcg10_after": ("popularity", "nothing"),
    "recall20_after": (),
    "mae": ("popularity",),
    "rmse": (),
}


def text(found: Sequence[Record]) -> str:
    """Of the records of `benchmarks.evidence`, of any number of data sets."""
    return page(
        "Evidence",
        "`python -m benchmarks.evidence --data DIR --dataset NAME [--folds N] [--repeats N] --json "
        "docs/benchmarks/evidence-NAME.json`: new users say how they rated the items of a "
        "list (`rated` of them, on average), and that they do not know the others. The model of "
        "choices then recommends from the catalogue, less the items of all lists of that length; "
        "relevant is what the user likes (nDCG@10, recall@20). A learner of ratings predicts the "
        "user's other ratings (MAE, RMSE). Both are trained as a night trains them: some training "
        "users of the first trial choose the regularisation of the model of choices and the "
        "neighbours' weight. New users are those of the split's `user_cold`, or with folds every "
        "user of the data set in turn, to models and lists of all "
        "others; repeated, a user's figure is the mean over models and folds of other seeds. "
        "Brackets are 95% intervals of the mean difference per user, by a paired bootstrap.",
        found,
        "`evidence` is the list that is published (decisions "
        "[25](../adr/0025-evidence-is-chosen-as-a-set.md), "
        "[36](../adr/0036-evidence-has-two-measures.md) and "
        "[37](../adr/0037-not-knowing-is-an-answer.md)). By a score of each item alone: "
        "`evidence_correlation` "
        "([decision 19](../adr/0019-evidence-by-item-rest-correlation.md)), `evidence_paper` "
        "(MeLU's formula), `evidence_robust` (the same with the gradient of the prediction), "
        "`popularity`, `entropy` of the ratings, `popularity_x_entropy`, `helf`. Chosen as sets, "
        "from the same candidates and users as ours: `d_optimal` and `a_optimal` (Bayesian "
        "design), `max_volume` (RBMF), `dpp` (a determinantal point process), `greedy_extend` "
        "(Golbandi et al.). `random` is the mean of five lists, `nothing` asks nothing.",
        *(part for of_trial in _groups(found, "dataset", "new_users") for part in _trial(of_trial)),
    )


def _trial(found: Sequence[Record]) -> Iterable[str]:
    first = found[0]
    times = f", {first['repeats']} times" if first["repeats"] > 1 else ""
    yield f"## {first['dataset']}, {first['new_users']}{times}"
    yield f"The learner of ratings is `{first['learner']}`."
    for of_length in _groups(found, "length"):
        users = f"{of_length[0]['n_users']:,} new users"
        yield f"Lists of {of_length[0]['length']}, {users}. {' '.join(_verdicts(of_length))}"
        yield _table(of_length)
    if rows := list(_by_answers(found)):
        yield "nDCG@10 of users apart, by how many items of our list they know:"
        header = ("length", "rated", "users", "evidence", "popularity", "difference", "nothing")
        yield table(header, rows)


def _by_answers(found: Sequence[Record]) -> Iterable[Sequence[str]]:
    """A row for each length of our list, and number of its items that users rated."""
    for record in found:
        for group in record.get("by_answers", ()):
            first, after = group["answers_from"], group["answers_below"]
            last = f"{first}+" if after is None else f"{first} to {after - 1}"
            yield (
                str(record["length"]),
                "0" if after == 1 else last,
                f"{group['n_users']:,}",
                f"{group['ndcg10_after']:.4f}",
                f"{group['after_popularity']:.4f}",
                f"[{group['low']:+.4f}, {group['high']:+.4f}]",
                f"{group['after_nothing']:.4f}",
            )


def _verdicts(found: Sequence[Record]) -> Iterable[str]:
    """Which lists an interval without 0 says are better than popularity's."""
    for metric in ("ndcg10_after", "mae"):
        better = [
            f"`{r['list']}`"
            for r in found
            if r["list"] != "popularity" and _is_better(r, metric, "popularity")
        ]
        yield f"Better than popularity in {_metric(metric).title}: {', '.join(better) or 'none'}."


def _is_better(record: Record, metric: str, other: str) -> bool:
    low, high = _interval(record, metric, other)
    return low > 0 if _metric(metric).higher_is_better else high < 0


def _metric(column: str) -> Metric:
    """What the column holds, before the answers or after them."""
    return named(column.removesuffix("_after"))


def _interval(record: Record, metric: str, other: str) -> tuple[float, float]:
    name = f"{metric}_minus_{other}"
    return record[f"{name}_low"], record[f"{name}_high"]


def _table(found: Sequence[Record]) -> str:
    header = ["list", "rated"]
    compared = {metric: others for metric, others in _OTHERS.items() if metric in found[0]}
    for metric, others in compared.items():
        header += [_metric(metric).title, *(f"minus {other}'s" for other in others)]
    rows = []
    for record in sorted(found, key=lambda each: -each["ndcg10_after"]):
        row = [record["list"], f"{record['n_revealed_mean']:.2f}"]
        for metric, others in compared.items():
            row.append(_metric(metric).text(record[metric]))
            for other in others:
                low, high = _interval(record, metric, other)
                row.append("-" if record["list"] == other else f"[{low:+.4f}, {high:+.4f}]")
        rows.append(row)
    return table(header, rows)


def _groups(found: Sequence[Record], *keys: str) -> Iterable[list[Record]]:
    """The records that share the values of the keys, in order of appearance."""
    names = [tuple(record[key] for key in keys) for record in found]
    for name in dict.fromkeys(names):
        yield [record for record, own in zip(found, names, strict=True) if own == name]
