"""Support/query episodes: the history of each user, in order of time, is cut into tasks.

Every task's support comes strictly before its query in the user's own order, so a task asks what
serving asks: given what the user did so far, what next? There are four kinds of rows:

- `train`: windows of an existing user's past before the held-out days, on existing items;
- `validation`: the first window of one existing user in ten; training never sees these users;
- `test`: for each scenario, a support, and as query the next interactions with its items;
- `serve`: all a cold user of today did as support, and no query.

A history (jobs/transforms/user_histories.py) is one row with an array; its tasks are slices of it.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.splits import is_validation_user
from jobs.transforms.user_histories import EVENT
from schemas.dataset.holdout import Holdout
from schemas.dataset.spec import ColdStart
from schemas.tables.columns import Table

_TASKS = (
    "array<struct<scenario: string, split: string, window: int, "
    f"earlier_that_day: int, support: array<{EVENT}>, query: array<{EVENT}>>>"
)
# Of tests, by whether their queries' items are new: an existing user's, a new user's.
_SCENARIOS = {False: ("warm", "user_cold"), True: ("item_cold", "both_cold")}


def episodes(
    histories: DataFrame, held_out: Holdout, cold_start: ColdStart, table: Table
) -> DataFrame:
    """The rows of all four kinds, of every user of the histories."""
    served = F.when(F.col("is_cold"), F.array(_task(F.lit("user_cold"), "serve", "events")))
    kinds = (_windows(cold_start), _test(False, cold_start), _test(True, cold_start), served)
    none = F.array().cast(_TASKS)
    return (
        histories.withColumn("past", _past(held_out, cold_start))
        .withColumn("asked", _asked(held_out, cold_start))
        # Columns of their own, so that they are worked out once.
        .withColumns({_query(is_new): _next(is_new, cold_start) for is_new in _SCENARIOS})
        .select(
            "user_id",
            "user_index",
            F.inline(F.concat(*(F.coalesce(tasks, none) for tasks in kinds))),
        )
        .select(
            F.concat_ws("/", "user_id", "scenario", "split", "window").alias("task_id"),
            "user_index",
            "scenario",
            "split",
            "earlier_that_day",
            *(column for side in ("support", "query") for column in _columns(side)),
        )
        .select(*table.column_names)
    )


def _columns(side: str) -> tuple[Column, ...]:
    """The items, ratings and days of a side's events."""
    return (
        F.col(f"{side}.item_index").alias(f"{side}_items"),
        F.col(f"{side}.rating").alias(f"{side}_ratings"),
        F.transform(F.col(f"{side}.event_time"), lambda time: F.unix_date(F.to_date(time))).alias(
            f"{side}_days"
        ),
    )


def _past(held_out: Holdout, cold_start: ColdStart) -> Column:
    """What training may see of an existing user: as many events as their windows hold.

    The first window is what a cold user looks like: validation is on first windows alone.
    """
    width = cold_start.max_support + cold_start.query_size
    n_windows = F.when(is_validation_user(), 1).otherwise(cold_start.max_episodes_per_user)
    seen = F.filter(
        "events",
        lambda event: ~_is_new(event) & (event["event_time"] < F.lit(held_out.new_users_from)),
    )
    return F.when(~F.col("is_new"), F.slice(seen, 1, n_windows * width))


def _windows(cold_start: ColdStart) -> Column:
    """The train and validation tasks: windows over `past`, first things first.

    A window holds up to `max_support + query_size` events; its last `query_size` are the query, or
    fewer where at least `min_support` must remain to adapt on.
    """
    width = cold_start.max_support + cold_start.query_size
    least = cold_start.min_support + cold_start.min_query
    split = F.when(is_validation_user(), "validation").otherwise("train")
    # The last window may be too short for a task.
    last = F.floor((F.size("past") - least) / width).cast("int")

    def task(window: Column) -> Column:
        start = window * width + 1
        size = F.least(F.size("past") - window * width, F.lit(width))
        n_support = size - F.least(F.lit(cold_start.query_size), size - cold_start.min_support)
        support = F.slice("past", start, n_support)
        query = F.slice("past", start + n_support, size - n_support)
        earlier = _earlier_that_day("past", window * width)
        return _task(F.lit("warm"), split, support, query, earlier, window)

    return F.when(F.size("past") >= least, F.transform(F.sequence(F.lit(0), last), task))


def _asked(held_out: Holdout, cold_start: ColdStart) -> Column:
    """The events that tests may ask for.

    A new user's support is the beginning: up to `max_support` events, less where the query needs
    the rest; all after it may be asked for. Of an existing user, what is held out.
    """
    beginning = F.greatest(
        F.least(F.size("events") - cold_start.query_size, F.lit(cold_start.max_support)),
        F.lit(cold_start.min_support),
    )
    first = F.when(F.col("is_new"), beginning).otherwise(cold_start.min_support)
    later = F.slice("events", first + 1, F.size("events"))
    is_held_out = F.filter(
        later,
        lambda event: _is_new(event) | (event["event_time"] >= F.lit(held_out.new_users_from)),
    )
    return F.when(F.col("is_new"), later).when(~is_validation_user(), is_held_out)


def _is_new(event: Column) -> Column:
    return event["item_index"] > F.col("n_existing_items")


def _query(item_is_new: bool) -> str:
    return "query_new" if item_is_new else "query_existing"


def _next(item_is_new: bool, cold_start: ColdStart) -> Column:
    """The query of a test: the next `query_size` of the events asked for, on its items."""
    on_items = F.filter("asked", lambda event: _is_new(event) == F.lit(item_is_new))
    return F.slice(on_items, 1, cold_start.query_size)


def _test(item_is_new: bool, cold_start: ColdStart) -> Column:
    """The test task on new or existing items; its support is what came right before the query."""
    query = F.col(_query(item_is_new))
    asked_first = F.get(query, F.lit(0))["item_index"]
    n_before = F.array_position("events.item_index", asked_first).cast("int") - 1
    n_support = F.least(n_before, F.lit(cold_start.max_support))
    support = F.slice("events", n_before - n_support + 1, n_support)
    of_existing, of_new = map(F.lit, _SCENARIOS[item_is_new])
    scenario = F.when(F.col("is_new"), of_new).otherwise(of_existing)
    earlier = _earlier_that_day("events", n_before - n_support)
    task = _task(scenario, "test", support, query, earlier)
    return F.when(F.size(query) >= cold_start.min_query, F.array(task))


def _task(
    scenario: Column,
    split: Column | str,
    support: Column | str,
    query: Column | None = None,
    earlier: Column | None = None,
    window: Column | None = None,
) -> Column:
    return F.struct(
        scenario.alias("scenario"),
        (F.lit(split) if isinstance(split, str) else split).alias("split"),
        (F.lit(None) if window is None else window).cast("int").alias("window"),
        (F.lit(0) if earlier is None else earlier).alias("earlier_that_day"),
        (F.col(support) if isinstance(support, str) else support).alias("support"),
        (F.array() if query is None else query).cast(f"array<{EVENT}>").alias("query"),
    )


def _earlier_that_day(events: str, n_before: Column) -> Column:
    """How many of the first `n_before` events are of the day of the one after them."""
    day = F.to_date(F.get(events, n_before)["event_time"])
    before = F.slice(events, 1, n_before)
    return F.size(F.filter(before, lambda event: F.to_date(event["event_time"]) == day))
