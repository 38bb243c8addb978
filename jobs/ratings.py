"""What can be said of ratings as they are: how many there are of each, and whether they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pyspark.sql import DataFrame

from jobs.rows import collected
from jobs.text_table import text_table

_LEVELS = 20  # as many are shown one by one
_RANGES = 10  # of more


def shown(valid: DataFrame) -> str:
    """How many interactions have which rating; of many ratings, how many lie in which range."""
    found = collected(valid.groupBy("rating").count().orderBy("rating"))
    counts = [(row["rating"], row["count"]) for row in found]
    many = len(counts) > _LEVELS
    told = list(_ranges(counts)) if many else [(f"{rating:g}", n) for rating, n in counts]
    text = text_table(("ratings" if many else "rating", "interactions"), told)
    if counts and (sentence := all_equal(counts[0][0], counts[-1][0])):
        return f"{text}\n  {sentence}"
    return text


def all_equal(lowest: float | None, highest: float | None) -> str | None:
    """What is to be said if the lowest rating is the highest one."""
    if lowest is None or lowest != highest:
        return None
    return (
        f"all ratings are {lowest:g}: a model of ratings learns nothing from them, and only the "
        "model of choices tells items apart. If people choose and do not rate, say feedback = "
        '"implicit" in the dataset spec; else look at its rating column'
    )


def _ranges(counts: Sequence[tuple[float, int]]) -> Iterator[tuple[str, int]]:
    lowest, highest = counts[0][0], counts[-1][0]
    width, rows = (highest - lowest) / _RANGES, Counter[int]()
    for rating, n in counts:
        rows[min(int((rating - lowest) / width), _RANGES - 1)] += n
    for place in range(_RANGES):
        start = lowest + width * place
        yield f"{start:g} to {start + width:g}", rows[place]
