"""Rules of the tables of the lake, other than the products."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.tables.rules.rule import Rule

_EPISODES = (
    Rule(
        name="shared_items",
        violations="size(array_intersect(support_items, query_items))",
        description="support and query share no item",
    ),
    Rule(
        name="unpaired_support",
        violations="abs(size(support_items) - size(support_ratings))"
        " + abs(size(support_items) - size(support_days))",
        description="every support item has one rating and one day",
    ),
    Rule(
        name="unpaired_query",
        violations="abs(size(query_items) - size(query_ratings))"
        " + abs(size(query_items) - size(query_days))",
        description="every query item has one rating and one day",
    ),
    Rule(
        name="repeated_items",
        violations="size(support_items) + size(query_items)"
        " - size(array_distinct(support_items)) - size(array_distinct(query_items))",
        description="no item comes twice in the support or in the query",
    ),
    Rule(
        name="misplaced_query",
        violations="if((split = 'serve') = (size(query_items) > 0), 1, 0)",
        description="a serve task has no query, any other task has one",
    ),
    Rule(
        name="unknown_items",
        violations="size(unknown_items)",
        description="every item has an item profile",
    ),
    Rule(
        name="chosen_negatives",
        violations="chosen_negatives",
        description="no sampled negative is an item that the user has ever chosen",
    ),
    Rule(
        name="unknown_user",
        violations="if(user_is_known, 0, 1)",
        description="the user has a user profile",
    ),
)

_METAPATH_NEIGHBOURS = (
    Rule(
        name="unknown_item",
        violations="if(item_is_known, 0, 1)",
        description="the item has an item profile",
    ),
    Rule(
        name="unknown_neighbours",
        violations="size(unknown_neighbours)",
        description="every neighbour has an item profile",
    ),
    Rule(
        name="new_neighbours",
        violations="size(new_neighbours)",
        description="no neighbour is a new item",
    ),
    Rule(
        name="own_neighbour",
        violations="if(array_contains(neighbours, item_index), 1, 0)",
        description="no item is its own neighbour",
    ),
    Rule(
        name="repeated_neighbours",
        violations="size(neighbours) - size(array_distinct(neighbours))",
        description="no neighbour comes twice",
    ),
    Rule(
        name="too_many_neighbours",
        violations="greatest(size(neighbours) - cap, 0)",
        description="there are no more neighbours than the dataset spec's cap",
    ),
)

_QUALITY_BY_SUPPORT = (
    Rule(
        name="sizes_out_of_order",
        violations="if(n_support_to < n_support_from, 1, 0)",
        description="n_support_to is at least n_support_from",
    ),
)

_DRIFT = (
    Rule(
        name="other_number_of_rows",
        violations="if(rows between least_rows and most_rows, 0, 1)",
        description="there are about as many rows as at the previous ds",
        severity="warning",
    ),
    Rule(
        name="other_ratings",
        # Chance alone moves n ratings on a few levels by about 1 / sqrt(n).
        violations="if(rating_shift > 0.1"
        " + 2 / sqrt(greatest(least(rows, previous_rows), 1)), 1, 0)",
        description="ratings are distributed about as at the previous ds",
        severity="warning",
    ),
)

LAKE_RULES: Mapping[str, tuple[Rule, ...]] = {
    "episodes": _EPISODES,
    "metapath_neighbours": _METAPATH_NEIGHBOURS,
    "quality_by_support": _QUALITY_BY_SUPPORT,
    "drift": _DRIFT,
}
