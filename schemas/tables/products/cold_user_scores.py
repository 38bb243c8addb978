"""Cold-user scores: the items that each user with few interactions will choose and like."""

from __future__ import annotations

from typing import get_args

from schemas.dataset.feedback import RankBy
from schemas.tables.columns import Column, Table, Type
from schemas.tables.products.shared_columns import PROVENANCE, since

RANKED_BY: tuple[RankBy, ...] = get_args(RankBy)
_LIST_COLUMNS = (
    Column(
        name="p_like",
        type=Type.FLOAT64,
        description=(
            "Probability that the item is among the user's next interactions, ten by default (the "
            "option training.query_size), and that the user likes it. A liked item has a rating of "
            "at least liked_from of the dataset spec; without it, a rating in the top quarter of "
            "the scale (at least 4 of 1 to 5). For implicit feedback, a liked item is chosen."
        ),
    ),
    Column(
        name="p_choice",
        type=Type.FLOAT64,
        description="Probability that the item is the user's very next interaction.",
    ),
    Column(
        name="score_low",
        type=Type.FLOAT64,
        description=(
            "Lower end of the 80% interval: 80% of ratings lie between score_low and score_high. "
            "The interval is cut to the scale; before the cut its width depends on n_support, not "
            "on the item. Null if validation had too few users, and for implicit feedback."
        ),
    ),
    Column(
        name="score_high",
        type=Type.FLOAT64,
        description="Upper end of the 80% interval; see score_low.",
    ),
    Column(
        name="ranked_by",
        type=Type.STRING,
        description=(
            "What the list is sorted by, highest first: `p_like` (column p_like), `choice` (column "
            "p_choice) or `rating` (column score)."
        ),
    ),
    Column(
        name="is_new",
        type=Type.BOOL,
        description=(
            "True: a new user, who came in the last cold_start.new_user_days days up to ds. False: "
            "an existing user with few interactions. In list_quality, user_cold judges lists of "
            "new users, and warm those of existing users."
        ),
    ),
)


COLD_USER_SCORES = Table(
    name="cold_user_scores",
    description=(
        "For each user with few interactions, the items that the user will most probably choose "
        "and like. A list holds no item that its user already interacted with."
    ),
    key=("user_id", "rank"),
    columns=(
        Column(name="user_id", type=Type.STRING, description="The source's id of the user."),
        Column(
            name="rank",
            type=Type.INT32,
            minimum=1,
            description="Rank in the list; 1 is shown first.",
        ),
        Column(name="item_id", type=Type.STRING, description="The source's id of the item."),
        Column(
            name="score",
            type=Type.FLOAT64,
            description=(
                "Expected rating; for implicit feedback, the probability of a choice. The score "
                "lies within the scale, unless the model was trained with the option "
                "network.likelihood=squared."
            ),
        ),
        Column(
            name="n_support",
            type=Type.INT32,
            minimum=0,
            description="Interactions of the user that the model saw, without sampled negatives.",
        ),
        Column(
            name="adapted",
            type=Type.BOOL,
            description=(
                "Source of the list. True: the model adapted to the user's interactions. False: "
                "the user has fewer interactions (n_support) than the option products.min_adapt, "
                "by default 1; the list is the unadapted model's, which uses the user's attributes "
                "alone."
            ),
        ),
        *PROVENANCE,
        *since(*_LIST_COLUMNS),
    ),
)
