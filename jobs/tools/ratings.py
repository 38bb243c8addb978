"""The ratings of a source as a terminal shows them: how many interactions have which one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pyspark.sql import DataFrame

from jobs.spark.rows import collected
from jobs.tools.text_table import text_table
from jobs.transforms.ratings import all_equal

_LEVELS = 20  # as many are shown one by one
_RANGES = 10  # of more


def shown(valid: DataFrame) -> str:
    """How many interactions have each rating, or each range of ratings if there are many."""
    found = collected(valid.groupBy("rating").count().orderBy("rating"))
    counts = [(row["rating"], row["count"]) for row in found]
    many = len(counts) > _LEVELS
    shown = list(_ranges(counts)) if many else [(f"{rating:g}", n) for rating, n in counts]
    text = text_table(("ratings" if many else "rating", "interactions"), shown)
    if counts and (sentence := all_equal(counts[0][0], counts[-1][0])):
        return f"{text}\n  {sentence}"
    return text


def _ranges(counts: Sequence[tuple[float, int]]) -> Iterator[tuple[str, int]]:
    lowest, highest = counts[0][0], counts[-1][0]
    width, rows = (highest - lowest) / _RANGES, Counter[int]()
    for rating, n in counts:
        rows[min(int((rating - lowest) / width), _RANGES - 1)] += n
    for place in range(_RANGES):
        start = lowest + width * place
        yield f"{start:g} to {start + width:g}", rows[place]
