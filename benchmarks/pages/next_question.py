"""The page on questions chosen after each answer, beside the published list."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.pages.markdown import page, table
from benchmarks.records import Record


def text(found: Sequence[Record]) -> str:
    """Of the records of `benchmarks.adaptive`, of any number of data sets."""
    header = ("data", "new users", "asked", "nDCG@10, list", "nDCG@10, next question", "95%")
    rows = [
        [
            f"{record['dataset']}, {record['new_users']}",
            f"{record['n_users']:,}",
            str(record["length"]),
            f"{record['ndcg10_of_list']:.4f}",
            f"{record['ndcg10_of_next_question']:.4f}",
            f"[{record['low']:+.4f}, {record['high']:+.4f}]",
        ]
        for record in found
    ]
    return page(
        "The next question",
        "`python -m benchmarks.adaptive --data DIR --dataset NAME [--folds N] --json "
        "docs/benchmarks/next-question-NAME.json`: new users answer as many questions as `asked`, "
        "those of the published list, or each chosen after the answers before it "
        "(`python -m meta_model next_question`). The model of choices then recommends from the "
        "catalogue, less what either way asked that user. The interval is that of the mean "
        "difference per user, next question minus list, by a paired bootstrap.",
        found,
        table(header, rows),
    )
