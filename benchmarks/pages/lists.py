"""The page of lists: how good they are by the number of known interactions, ours and the peers'."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.pages.markdown import page, table
from benchmarks.records import Record
from schemas.tables.metrics import OF_ALL_LISTS, named

_SHOWN = ("ndcg10", "recall20", "hr10")


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/lists.md in Markdown, a section for each dataset."""
    parts = []
    for dataset in dict.fromkeys(record["dataset"] for record in found):
        of_dataset = [record for record in found if record["dataset"] == dataset]
        parts += [f"## {dataset}", _of_users(of_dataset)]
        for metric in _SHOWN:
            of_metric = [record for record in of_dataset if record["metric"] == metric]
            parts += [f"### {named(metric).title}", _by_known(of_metric)]
        parts += ["### All lists together, with whole supports", _together(of_dataset)]
    return page(
        "Lists",
        "`python -m benchmarks.lists --data DIR --dataset DATASET --peers PYTHON --json "
        "docs/benchmarks/lists-DATASET.json`: what lists of the whole catalogue are worth to new "
        "users of whom 0, 1, 2, ... interactions are known. Every method ranks the items that "
        "training knows, less the user's whole support; relevant are the items of the query that "
        "the user rated 4 or 5, and on toys, which has choices without ratings, chose. "
        "`lenskit_*` and `implicit_als` are those libraries' own code, on the same users; `ease` "
        "has LensKit's regularisation, 200, and `ease_500`, of catalogues up to 10,000 items, that "
        "of our own neighbours; `with popularity` has in each column the weight of popularity that "
        "is best for it on these very users, a bound from above. Learners of ratings, such as "
        "`melu`, are in the order of expected ratings. `published` is what a night publishes: the "
        "model of choices (meta_model/choice) with its neighbours. Four constants of the "
        "neighbours were compared on these test users "
        "([why](../adr/0031-what-neighbours-say-depends-on-what-is-known.md)). A night's table "
        "`list_quality` has the published order under the learner's name, and the order of "
        "expected ratings as `by_rating`. Where the split has no validation users, one training "
        "user of ten is held back, and their lists choose the regularisation of the model and "
        "the neighbours' weight. `without_neighbours` is the model alone, `unadapted` the "
        "published order as if nothing were known of the "
        "user. In folds, every user of the data set is new once, and ten of their ratings, drawn "
        "at random, are to be found. toys is cut by time, as a night cuts it.",
        found,
        *parts,
    )


def _of_users(found: Sequence[Record]) -> str:
    dataset, users = found[0]["dataset"], found[0]["n_users"]
    return (
        f"Means over {users:,} new users with a relevant item. Bold: the best peer of a column.\n\n"
        f"![nDCG@10 by the number of known interactions](lists-{dataset}.svg)"
    )


def _by_known(found: Sequence[Record]) -> str:
    known = list(dict.fromkeys(record["known"] for record in found))
    values: dict[tuple[str, object], float] = {}
    for record in found:
        place = (_shown(record), record["known"])
        values[place] = max(record["value"], values.get(place, 0.0))
    peers = {_shown(record) for record in found if record["variant"] == "peer"}
    best = {k: max(values[name, k] for name in peers if (name, k) in values) for k in known}
    rows = []
    for method in dict.fromkeys(map(_shown, found)):
        cells = []
        for k in known:
            value = values.get((method, k))
            is_best = method in peers and value == best[k]
            cells.append(
                "-" if value is None else f"**{value:.3f}**" if is_best else f"{value:.3f}"
            )
        rows.append([method, *cells])
    rows += [_differences(found, method) for method in dict.fromkeys(_ours(found))]
    return table(("known interactions", *map(str, known)), rows)


def _shown(record: Record) -> str:
    """The method's name; of blends of one method with popularity, one for all weights."""
    base, is_blend, _ = record["method"].partition("+")
    return f"{base} with popularity" if is_blend else base


def _ours(found: Sequence[Record]) -> list[str]:
    return [record["method"] for record in found if record["variant"] != "peer"]


def _differences(found: Sequence[Record], method: str) -> list[str]:
    """95% intervals of the mean difference to the best peer of each column."""
    of_method = [record for record in found if record["method"] == method]
    intervals = [f"{record['low']:+.3f} to {record['high']:+.3f}" for record in of_method]
    return [f"{method} less the best peer", *intervals]


def _together(found: Sequence[Record]) -> str:
    *shares, novelty = OF_ALL_LISTS
    header = ("method", *(metric.title for metric in OF_ALL_LISTS))
    rows = [
        [
            record["method"],
            *(f"{record[metric.name]:.3f}" for metric in shares),
            novelty.text(record[novelty.name]),
        ]
        for record in found
        if record["known"] == "all" and record["metric"] == "ndcg10" and "+" not in record["method"]
    ]
    return table(header, rows)
