"""The page of throughput: the engine beside a loop over tasks, and lists beside ratings of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.pages.markdown import measured_on, page, shown, table
from benchmarks.records import Record

LISTS = "lists"  # the mode of what benchmarks.lists_throughput measures


def of_tasks(found: Sequence[Record]) -> list[Record]:
    """Those of the engine and the loop."""
    return [record for record in found if record["mode"] != LISTS]


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/throughput.md in Markdown; with lists if they were measured."""
    header = ("mode", "meta-batch", "threads", "tasks/s", "loop, tasks/s", "ratio")
    keys = ("mode", "meta_batch", "threads", "tasks_per_second", "loop_tasks_per_second", "ratio")
    tasks = of_tasks(found)
    rows = [[shown(record[key]) for key in keys] for record in tasks]
    lists = [record for record in found if record["mode"] == LISTS]
    return page(
        "Throughput",
        "`python -m benchmarks.throughput --json docs/benchmarks/throughput.json`: MeLU as in its "
        "paper (embedding 32, two layers of 64, one local step, second order), MovieLens-1M's "
        "sizes, supports of 3 to 90, queries of 10. The loop is benchmarks/loops, on "
        "tasks of the same batches, in turns with the engine.",
        tasks,
        table(header, rows),
        "`train` is a whole global update, `evaluate` adapts and predicts the query, `score` "
        "adapts and ranks the whole catalogue of 3,706 items: there both spend their time in the "
        "same matrix products, and no arrangement of them can be many times faster.",
        "![Tasks per second, engine and loop](throughput.svg)",
        *(_of_lists(lists) if lists else ()),
    )


def _of_lists(found: Sequence[Record]) -> Iterable[str]:
    columns = {
        "order": "order", "items": "items", "users/s": "users_per_second",
        "by rating, users/s": "by_rating_users_per_second", "ratio": "ratio",
        "lowest": "ratio_low", "highest": "ratio_high", "million pairs/s": "pairs_per_second",
        "peak MiB": "peak_mib", "by rating, peak MiB": "by_rating_peak_mib",
        "first batch, s": "first_batch_seconds",
    }  # fmt: skip
    rows = [
        [
            shown(record[key] / 1e6 if key == "pairs_per_second" else record[key])
            for key in columns.values()
        ]
        for record in found
    ]
    yield "## Lists"
    yield (
        "`python -m benchmarks.lists_throughput --json docs/benchmarks/throughput-lists.json`: "
        "lists of 100 items for users in batches of 64, the same users for all orders, in turns. "
        "`published` is a night's order: the model of choices, neighbours of 6,040 training users, "
        "and expected ratings of the 100 items. `by rating` is the order before decision 24: it "
        "computes the expected rating of every pair of a user and an item."
    )
    yield measured_on(found)
    yield table(tuple(columns), rows)
    yield (
        "Users a second are medians of the rounds; the ratio is paired in each round, and its "
        "median, lowest and highest are shown. The peak is what a batch held on top of models and "
        "neighbours. The first batch also computes what a night computes once."
    )
