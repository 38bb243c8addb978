"""Rules of the products: the tables that analysts query."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.tables.rules.rule import Rule

_PRODUCT_TOLERANCE = 1e-6

_EVIDENCE_ITEMS = (
    Rule(
        name="rank_gap",
        violations="rank - row_number() over (partition by segment order by rank)",
        description="ranks of a segment run from 1 without a gap",
    ),
    Rule(
        name="wrong_product",
        violations="if(abs(evidence_score - discriminative_value * popularity_value)"
        f" <= {_PRODUCT_TOLERANCE}, 0, 1)",
        description="evidence_score is discriminative_value x popularity_value",
    ),
    Rule(
        name="no_share",
        violations="if(answer_rate between 0 and 1 and redundancy between 0 and 1, 0, 1)",
        description="answer_rate and redundancy lie between 0 and 1",
    ),
)

_EVIDENCE_QUALITY = (
    Rule(
        name="no_share",
        violations="if(ndcg10_after between 0 and 1 and recall20_after between 0 and 1, 0, 1)",
        description="ndcg10_after and recall20_after lie between 0 and 1",
    ),
    Rule(
        name="interval_turned",
        violations="if(mae_minus_popularity_low <= mae_minus_popularity_high"
        " and ndcg10_after_minus_popularity_low <= ndcg10_after_minus_popularity_high"
        " and ndcg10_after_minus_nothing_low <= ndcg10_after_minus_nothing_high, 0, 1)",
        description="an interval's lower end is not above its upper end",
    ),
    Rule(
        name="other_users",
        violations="n_users - max(n_users) over (partition by segment, length)",
        description="all lists of a segment and length are judged on the same users",
    ),
    Rule(
        name="without_popularity",
        violations="if(max(list = 'popularity') over (partition by segment, length), 0, 1)",
        description="popularity is judged wherever another list is",
    ),
)

_RANKED = "case ranked_by when 'p_like' then p_like when 'choice' then p_choice else score end"
_COLD_USER_SCORES = (
    Rule(
        name="rank_gap",
        violations="rank - row_number() over (partition by user_id order by rank)",
        description="ranks of a user run from 1 without a gap",
    ),
    Rule(
        name="out_of_order",
        violations=f"if({_RANKED} > lag({_RANKED})"
        " over (partition by user_id order by rank), 1, 0)",
        description="the column that ranked_by names never rises from one rank to the next",
    ),
    Rule(
        name="no_probability",
        violations="if(p_like not between 0 and 1 or p_choice not between 0 and 1, 1, 0)",
        description="p_like and p_choice are between 0 and 1",
    ),
    Rule(
        name="without_order",
        violations="if(p_like is not null and p_choice is not null and is_new is not null"
        " and ranked_by in ('p_like', 'choice', 'rating'), 0, 1)",
        description="p_like, p_choice and is_new are not null, and ranked_by is one of the three "
        "orders",
    ),
    Rule(
        name="interval_turned",
        violations="if(score_low > score_high, 1, 0)",
        description="an interval's lower end is not above its upper end",
    ),
    Rule(
        name="already_rated",
        violations="if(is_rated, 1, 0)",
        description="no item that the user has already rated is recommended",
    ),
)

_LIST_QUALITY = (
    Rule(
        name="interval_turned",
        violations="if(low > high, 1, 0) + if(lead_low > lead_high, 1, 0)",
        description="an interval's lower end is not above its upper end",
    ),
    Rule(
        name="other_users",
        violations="n_users - max(n_users) over (partition by scenario, known)",
        description="all lists of a scenario and number known are judged on the same users",
    ),
    Rule(
        name="without_popularity",
        violations="if(scenario in ('item_cold', 'both_cold')"
        " or max(model = 'popularity') over (partition by scenario, known, metric), 0, 1)",
        description="popularity is judged wherever another list of trained items is",
    ),
)

PRODUCT_RULES: Mapping[str, tuple[Rule, ...]] = {
    "evidence_items": _EVIDENCE_ITEMS,
    "evidence_quality": _EVIDENCE_QUALITY,
    "cold_user_scores": _COLD_USER_SCORES,
    "list_quality": _LIST_QUALITY,
}
