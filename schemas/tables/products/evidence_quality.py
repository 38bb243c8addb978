"""Evidence quality: what the answers to each list of items are worth."""

from __future__ import annotations

from schemas.tables.columns import Column, Table, Type
from schemas.tables.products.shared_columns import PROVENANCE, since

# The evidence lists that a night judges: the published one, then those it is compared with.
EVIDENCE_LISTS = (
    "evidence",
    "evidence_correlation",
    "evidence_paper",
    "evidence_robust",
    "popularity",
    "entropy",
    "popularity_x_entropy",
    "helf",
    "random",
    "nothing",
)
# The intervals of differences between two evidence lists: the metric, and the other list.
EVIDENCE_INTERVALS = (
    ("mae", "popularity"),
    ("ndcg10_after", "popularity"),
    ("ndcg10_after", "nothing"),
)


EVIDENCE_QUALITY = Table(
    name="evidence_quality",
    description=(
        "What it is worth to ask new users about a list of items. In a simulation, held-out users "
        "say how they rated the listed items, and of those that they have not rated that they do "
        "not know them. The model adapts, predicts their other ratings, and recommends from the "
        "catalogue without the items of the lists that are compared. A segment with fewer held-out "
        "users than the option products.judging_users (20 by default) has no rows. Empty for "
        "implicit feedback, which has no ratings to reveal."
    ),
    key=("segment", "list", "length"),
    columns=(
        Column(
            name="segment",
            type=Type.STRING,
            description="The segment of the list and of the users asked; `all` is everyone.",
        ),
        Column(
            name="list",
            type=Type.STRING,
            description=(
                "`evidence` is the published list. Other lists rank items by a score of each item "
                "alone: `evidence_correlation` (evidence_score), `evidence_paper` (MeLU), "
                "`evidence_robust` (MeLU with the gradient of the prediction instead of that of "
                "the scaled loss), `popularity`, `entropy` of the ratings, `popularity_x_entropy`, "
                "`helf` (harmonic mean of entropy and log frequency). `random` is the mean of "
                "several random lists; `nothing` asks no question."
            ),
        ),
        Column(
            name="length", type=Type.INT32, minimum=1, description="Number of items in the list."
        ),
        Column(
            name="n_users",
            type=Type.INT64,
            minimum=1,
            description="Held-out users asked; the same for all lists of a segment and length.",
        ),
        Column(
            name="n_revealed_mean",
            type=Type.FLOAT64,
            minimum=0,
            description="Number of listed items that a user had rated, on average.",
        ),
        Column(
            name="mae",
            type=Type.FLOAT64,
            minimum=0,
            description="MAE of the predicted median, on the users' ratings of items in no list.",
        ),
        Column(
            name="ndcg5",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description="nDCG@5 of the expected rating, on the same ratings as mae.",
        ),
        Column(
            name="mae_minus_popularity_low",
            type=Type.FLOAT64,
            description="Lower end of the 95% interval of mae minus the mae of `popularity`.",
        ),
        Column(
            name="mae_minus_popularity_high",
            type=Type.FLOAT64,
            description="Upper end of that interval; below 0 the list beats popularity.",
        ),
        *PROVENANCE,
        *since(
            Column(
                name="ndcg10_after",
                type=Type.FLOAT64,
                description=(
                    "nDCG@10 of the recommendations after the answers; relevant items are those "
                    "that the user liked. Compare lists of one length only, because each length "
                    "leaves other items out."
                ),
            ),
            Column(
                name="recall20_after",
                type=Type.FLOAT64,
                description="Recall@20 of the same recommendations.",
            ),
            *(
                Column(
                    name=f"ndcg10_after_minus_{other}_{end}",
                    type=Type.FLOAT64,
                    description=text.format(other=other),
                )
                for other in ("popularity", "nothing")
                for end, text in (
                    (
                        "low",
                        "Lower end of the 95% interval of ndcg10_after minus that of `{other}`; "
                        "above 0 the list is better.",
                    ),
                    ("high", "Upper end of that interval; below 0 the list is worse."),
                )
            ),
            Column(
                name="rmse",
                type=Type.FLOAT64,
                description="RMSE of the expected rating, on the same ratings as mae.",
            ),
        ),
    ),
)
