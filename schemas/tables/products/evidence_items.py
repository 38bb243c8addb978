"""Evidence items: the items to ask new users about."""

from __future__ import annotations

from schemas.tables.columns import Column, Table, Type
from schemas.tables.products.shared_columns import PROVENANCE, since

EVIDENCE_ITEMS = Table(
    name="evidence_items",
    description=(
        "The items to ask new users about. They are chosen as a set: each item is the one whose "
        "answers add most to recommendations, given the items above it (docs/adr/0036). For a list "
        "of 5 or 10 items, take the first 5 or 10 ranks."
    ),
    key=("segment", "rank"),
    columns=(
        Column(
            name="segment",
            type=Type.STRING,
            description="The segment of users that the list is for; `all` is everyone.",
        ),
        Column(
            name="rank",
            type=Type.INT32,
            minimum=1,
            description="Rank in the list; 1 is shown first.",
        ),
        Column(name="item_id", type=Type.STRING, description="The source's id of the item."),
        Column(
            name="title",
            type=Type.STRING,
            nullable=True,
            description="Item title, for display.",
        ),
        Column(
            name="evidence_score",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description=(
                "Score of the item alone, a product as in MeLU: discriminative_value x "
                "popularity_value. The list is not sorted by it."
            ),
        ),
        Column(
            name="discriminative_value",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description=(
                "How well the item tells users apart: the squared correlation of its ratings with "
                "the same users' other ratings in the same task, times the spread of its ratings "
                "as a share of half the scale. A task is a window of a user's past, and a user "
                "with a long past has several. For implicit feedback: how strongly a reaction "
                "moves the model, scaled."
            ),
        ),
        Column(
            name="popularity_value",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description="Number of existing users' interactions with the item, scaled to 0..1.",
        ),
        Column(
            name="n_interactions",
            type=Type.INT64,
            minimum=1,
            description="Interactions with the item, up to and including ds.",
        ),
        *PROVENANCE,
        *since(
            Column(
                name="expected_gain",
                type=Type.FLOAT64,
                description=(
                    "By how much nDCG@10 of recommendations rises if a user is asked about the "
                    "items up to this rank, compared with asking nothing. It is measured on the "
                    "existing users that the list was chosen on, as they were at first; "
                    "evidence_quality measures held-out users."
                ),
            ),
            Column(
                name="answer_rate",
                type=Type.FLOAT64,
                description=(
                    "Share of the segment's existing users who rated the item at first: within "
                    "the first max_support + query_size interactions, 40 by default. How many "
                    "items held-out users rated is n_revealed_mean of evidence_quality."
                ),
            ),
            Column(
                name="redundancy",
                type=Type.FLOAT64,
                description=(
                    "Share of the answer's variance that the answers to the items above explain. "
                    "At 0 the answer is all new."
                ),
            ),
            Column(
                name="same_as_all",
                type=Type.BOOL,
                description=(
                    "True if the segment has everyone's list, because a list of its own would "
                    "not be better for its users beyond chance."
                ),
            ),
        ),
    ),
)
