"""The rules that a table's rows must meet, beyond the bounds of each column.

A rule is Spark SQL that counts the faults of a row; a good row has 0. Each rule adds one column of
faults, so that a validator checks all rules in the pass that checks the ordinary columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.tables.columns import Column, Table, Type

# Empty if the dataset spec has no network, or reads none from files.
NETWORK_TABLES = ("item_links", "metapath_neighbours")
# The tables with partitions that may be empty. A day without cold users is an ordinary day.
MAY_BE_EMPTY = frozenset(
    {
        "interactions_quarantine",
        "cold_user_scores",
        "evidence_quality",
        "list_quality",
        "drift",
        *NETWORK_TABLES,
    }
)

_PRODUCT_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`faults` is SQL over the table's columns that counts the faults of a row.

    `faults` may use columns that `jobs.transforms.referential_checks` adds from other tables. A
    warning is reported and fails no step.
    """

    name: str
    faults: str
    description: str
    severity: Literal["critical", "warning"] = "critical"


_EPISODES = (
    Rule(
        name="shared_items",
        faults="size(array_intersect(support_items, query_items))",
        description="support and query share no item",
    ),
    Rule(
        name="unpaired_support",
        faults="abs(size(support_items) - size(support_ratings))",
        description="every support item has one rating",
    ),
    Rule(
        name="unpaired_query",
        faults="abs(size(query_items) - size(query_ratings))",
        description="every query item has one rating",
    ),
    Rule(
        name="repeated_items",
        faults="size(support_items) + size(query_items)"
        " - size(array_distinct(support_items)) - size(array_distinct(query_items))",
        description="no item comes twice in the support or in the query",
    ),
    Rule(
        name="misplaced_query",
        faults="if((split = 'serve') = (size(query_items) > 0), 1, 0)",
        description="a serve task has no query, any other task has one",
    ),
    Rule(
        name="unknown_items",
        faults="size(unknown_items)",
        description="every item has an item profile",
    ),
    Rule(
        name="chosen_negatives",
        faults="chosen_negatives",
        description="no sampled negative is an item that the user has ever chosen",
    ),
    Rule(
        name="unknown_user",
        faults="if(user_is_known, 0, 1)",
        description="the user has a user profile",
    ),
)

_METAPATH_NEIGHBOURS = (
    Rule(
        name="unknown_item",
        faults="if(item_is_known, 0, 1)",
        description="the item has an item profile",
    ),
    Rule(
        name="unknown_neighbours",
        faults="size(unknown_neighbours)",
        description="every neighbour has an item profile",
    ),
    Rule(
        name="new_neighbours",
        faults="size(new_neighbours)",
        description="no neighbour is a new item",
    ),
    Rule(
        name="own_neighbour",
        faults="if(array_contains(neighbours, item_index), 1, 0)",
        description="no item is its own neighbour",
    ),
    Rule(
        name="repeated_neighbours",
        faults="size(neighbours) - size(array_distinct(neighbours))",
        description="no neighbour comes twice",
    ),
    Rule(
        name="too_many_neighbours",
        faults="greatest(size(neighbours) - cap, 0)",
        description="there are no more neighbours than the dataset spec's cap",
    ),
)

_EVIDENCE_ITEMS = (
    Rule(
        name="rank_gap",
        faults="rank - row_number() over (partition by segment order by rank)",
        description="ranks of a segment run from 1 without a gap",
    ),
    Rule(
        name="wrong_product",
        faults="if(abs(evidence_score - discriminative_value * popularity_value)"
        f" <= {_PRODUCT_TOLERANCE}, 0, 1)",
        description="evidence_score is discriminative_value x popularity_value",
    ),
    Rule(
        name="no_share",
        faults="if(answer_rate between 0 and 1 and redundancy between 0 and 1, 0, 1)",
        description="answer_rate and redundancy lie between 0 and 1",
    ),
)

_EVIDENCE_QUALITY = (
    Rule(
        name="no_share",
        faults="if(ndcg10_after between 0 and 1 and recall20_after between 0 and 1, 0, 1)",
        description="ndcg10_after and recall20_after lie between 0 and 1",
    ),
    Rule(
        name="interval_turned",
        faults="if(mae_minus_popularity_low <= mae_minus_popularity_high"
        " and ndcg10_after_minus_popularity_low <= ndcg10_after_minus_popularity_high"
        " and ndcg10_after_minus_nothing_low <= ndcg10_after_minus_nothing_high, 0, 1)",
        description="an interval's lower end is not above its upper end",
    ),
    Rule(
        name="other_users",
        faults="n_users - max(n_users) over (partition by segment, length)",
        description="all lists of a segment and length are judged on the same users",
    ),
    Rule(
        name="without_popularity",
        faults="if(max(list = 'popularity') over (partition by segment, length), 0, 1)",
        description="popularity is judged wherever another list is",
    ),
)

_RANKED = "case ranked_by when 'p_like' then p_like when 'choice' then p_choice else score end"
_COLD_USER_SCORES = (
    Rule(
        name="rank_gap",
        faults="rank - row_number() over (partition by user_id order by rank)",
        description="ranks of a user run from 1 without a gap",
    ),
    Rule(
        name="out_of_order",
        faults=f"if({_RANKED} > lag({_RANKED}) over (partition by user_id order by rank), 1, 0)",
        description="the column that ranked_by names never rises from one rank to the next",
    ),
    Rule(
        name="no_probability",
        faults="if(p_like not between 0 and 1 or p_choice not between 0 and 1, 1, 0)",
        description="p_like and p_choice are between 0 and 1",
    ),
    Rule(
        name="without_order",
        faults="if(p_like is not null and p_choice is not null"
        " and ranked_by in ('p_like', 'choice', 'rating'), 0, 1)",
        description="p_like and p_choice are not null, and ranked_by is one of the three orders",
    ),
    Rule(
        name="interval_turned",
        faults="if(score_low > score_high, 1, 0)",
        description="an interval's lower end is not above its upper end",
    ),
    Rule(
        name="already_rated",
        faults="if(is_rated, 1, 0)",
        description="no item that the user has already rated is recommended",
    ),
)

_LIST_QUALITY = (
    Rule(
        name="interval_turned",
        faults="if(low > high, 1, 0) + if(lead_low > lead_high, 1, 0)",
        description="an interval's lower end is not above its upper end",
    ),
    Rule(
        name="other_users",
        faults="n_users - max(n_users) over (partition by scenario, known)",
        description="all lists of a scenario and number known are judged on the same users",
    ),
    Rule(
        name="without_popularity",
        faults="if(scenario in ('item_cold', 'both_cold')"
        " or max(model = 'popularity') over (partition by scenario, known, metric), 0, 1)",
        description="popularity is judged wherever another list of trained items is",
    ),
)

_QUALITY_BY_SUPPORT = (
    Rule(
        name="sizes_out_of_order",
        faults="if(n_support_to < n_support_from, 1, 0)",
        description="n_support_to is at least n_support_from",
    ),
)

_DRIFT = (
    Rule(
        name="other_number_of_rows",
        faults="if(rows between least_rows and most_rows, 0, 1)",
        description="there are about as many rows as at the previous ds",
        severity="warning",
    ),
    Rule(
        name="other_ratings",
        # Chance alone moves n ratings on a few levels by about 1 / sqrt(n).
        faults="if(rating_shift > 0.1 + 2 / sqrt(greatest(least(rows, previous_rows), 1)), 1, 0)",
        description="ratings are distributed about as at the previous ds",
        severity="warning",
    ),
)

_OF_TABLE: Mapping[str, tuple[Rule, ...]] = {
    "episodes": _EPISODES,
    "metapath_neighbours": _METAPATH_NEIGHBOURS,
    "evidence_items": _EVIDENCE_ITEMS,
    "evidence_quality": _EVIDENCE_QUALITY,
    "cold_user_scores": _COLD_USER_SCORES,
    "list_quality": _LIST_QUALITY,
    "quality_by_support": _QUALITY_BY_SUPPORT,
    "drift": _DRIFT,
}


def rules(table: Table) -> tuple[Rule, ...]:
    """All rules of a table: those that its columns' types ask for, then those of its rows."""
    numbers = [_finite(column) for column in table.columns if column.type is Type.FLOAT64]
    lists = [_elements(column) for column in table.columns if column.type.is_list]
    return (*numbers, *lists, *row_rules(table))


def row_rules(table: Table) -> tuple[Rule, ...]:
    """The rules that relate a row's columns to each other, to other rows and to other tables."""
    return _OF_TABLE.get(table.name, ())


def _finite(column: Column) -> Rule:
    return Rule(
        name=f"{column.name}_not_finite",
        faults=f"if(isnan({column.name}) or abs({column.name}) = double('infinity'), 1, 0)",
        description=f"{column.name} is a finite number",
    )


def _elements(column: Column) -> Rule:
    """The bounds of a list column hold for each element, and no element is null."""
    faults, words = ["x is null"], ["filled in"]
    if column.minimum is not None:
        faults.append(f"x < {column.minimum}")
        words.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        faults.append(f"x > {column.maximum}")
        words.append(f"at most {column.maximum:g}")
    if column.allowed is not None:
        values = ", ".join(f"{value!r}" for value in column.allowed)
        faults.append(f"x not in ({values})")
        words.append(f"one of {values}")
    return Rule(
        name=f"{column.name}_faults",
        faults=f"size(filter({column.name}, x -> {' or '.join(faults)}))",
        description=f"every element of {column.name} is {', '.join(words)}",
    )
