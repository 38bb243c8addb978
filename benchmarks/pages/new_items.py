"""The page of new items: lists of them alone, lists of all items, and the places that they get."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.pages.markdown import page, table
from benchmarks.records import Record
from schemas.tables.metrics import NDCG10


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/new-items.md, a section for each dataset."""
    shown = [record for record in found if record["metric"] == NDCG10.name]
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in shown:
        key = (record["dataset"], record["scenario"], record["candidates"])
        groups.setdefault(key, []).append(record)
    parts, last = [], None
    for (dataset, scenario, candidates), records in groups.items():
        if dataset != last:
            parts.append(f"## {dataset}")
            last = dataset
        items = "new items" if candidates == "new" else "all items"
        parts.append(f"### {scenario}, lists of {items}, {records[0]['n_users']:,} users")
        parts.append(_by_method(records))
    return page(
        "New items",
        "`python -m benchmarks.new_items --data DIR --dataset DATASET --json "
        "docs/benchmarks/new-items-DATASET.json`: nDCG@10 of lists for users who choose items that "
        "no training user chose. In `item_cold` the users are existing ones, in `both_cold` new "
        "ones; both queries hold new items alone, which are to be found among the new items, or "
        "among all items. In `user_cold` the queries hold no new item: there, lists of all items "
        "show what new items cost. `published` is the order that a night publishes, `content_knn` "
        "has the cosines of items' attributes, `content_popularity` the popularity of items with "
        "the same attributes. `new places`: the share of the places of a list of 20 that new items "
        "have, with whole supports. The interval, 95%, is that of the difference to the best of "
        "the other methods, paired over users.",
        found,
        *parts,
    )


def _by_method(found: Sequence[Record]) -> str:
    known = list(dict.fromkeys(record["known"] for record in found))
    by_method: dict[str, list[Record]] = {}
    for record in found:
        by_method.setdefault(record["method"], []).append(record)
    rows = [
        [method, *(f"{record['value']:.3f}" for record in records), f"{records[-1]['new20']:.3f}"]
        for method, records in by_method.items()
    ]
    ours = by_method["published"]
    intervals = [f"{record['low']:+.3f} to {record['high']:+.3f}" for record in ours]
    rows.append(["published less the best other", *intervals, ""])
    return table(("known interactions", *map(str, known), "new places"), rows)
