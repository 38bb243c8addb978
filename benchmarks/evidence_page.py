"""The page on lists to ask new users about: what each is worth to the model, and which is best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.markdown import page, table
from benchmarks.records import Record

_METRICS = {"mae": "MAE", "ndcg5": "nDCG@5"}
_OTHERS = ("popularity", "random")


def text(found: Sequence[Record]) -> str:
    """Of the records of `benchmarks.evidence`, of any number of data sets."""
    return page(
        "Evidence",
        "`python -m benchmarks.evidence --data DIR --dataset NAME [--folds N] [--repeats N] --json "
        "docs/benchmarks/evidence-NAME.json`: new users reveal their ratings of the items of a "
        "list that they know, MeLU adapts to these, and predicts their other ratings, the same "
        "ones for all lists of a length. New users are those of the split's `user_cold`, or with "
        "folds every user of the data set in turn, to a model and lists of all others; repeated, a "
        "user's error is the mean over models and folds of other seeds. Brackets are 95% "
        "intervals of the mean difference per user, by a paired bootstrap. `random` is "
        "the mean of five lists; as hardly anyone knows their items, it is what the model says "
        "with nothing asked.",
        found,
        "`evidence` is the list that is published, `evidence_paper` is by MeLU's formula, "
        "`evidence_robust` by the gradient of the prediction instead of the scaled loss's "
        "([decision 19](../adr/0019-a-list-goes-by-what-reactions-tell.md)). The form of "
        "`evidence` and its dampings were chosen, among some forty, by these very users of "
        "MovieLens, so its intervals there flatter it; Douban Book was only asked whether it does "
        "harm.",
        *(part for of_trial in _groups(found, "dataset", "new_users") for part in _trial(of_trial)),
    )


def _trial(found: Sequence[Record]) -> Iterable[str]:
    first = found[0]
    times = f", {first['repeats']} times" if first["repeats"] > 1 else ""
    yield f"## {first['dataset']}, {first['new_users']}{times}"
    for of_length in _groups(found, "length"):
        users = f"{of_length[0]['n_users']:,} new users"
        yield f"Lists of {of_length[0]['length']}, {users}. {' '.join(_verdicts(of_length))}"
        yield _table(of_length)


def _verdicts(found: Sequence[Record]) -> Iterable[str]:
    """Which of our lists an interval without 0 says are better than others."""
    for other in _OTHERS:
        for metric, title in _METRICS.items():
            better = [
                f"`{r['list']}`"
                for r in found
                if r["list"] != other and _is_better(r, metric, other)
            ]
            yield f"Better than {other} in {title}: {', '.join(better) or 'none'}."


def _is_better(record: Record, metric: str, other: str) -> bool:
    low, high = _interval(record, metric, other)
    return high < 0 if metric == "mae" else low > 0


def _interval(record: Record, metric: str, other: str) -> tuple[float, float]:
    name = f"{metric}_minus_{other}"
    return record[f"{name}_low"], record[f"{name}_high"]


def _table(found: Sequence[Record]) -> str:
    header = ["list", "revealed"]
    for title in _METRICS.values():
        header += [title, *(f"minus {other}'s" for other in _OTHERS)]
    rows = []
    for record in found:
        row = [record["list"], f"{record['n_revealed_mean']:.2f}"]
        for metric in _METRICS:
            row.append(f"{record[metric]:.4f}")
            for other in _OTHERS:
                low, high = _interval(record, metric, other)
                row.append("-" if record["list"] == other else f"[{low:+.4f}, {high:+.4f}]")
        rows.append(row)
    return table(header, rows)


def _groups(found: Sequence[Record], *keys: str) -> Iterable[list[Record]]:
    """The records that share the values of the keys, in order of appearance."""
    names = [tuple(record[key] for key in keys) for record in found]
    for name in dict.fromkeys(names):
        yield [record for record, own in zip(found, names, strict=True) if own == name]
