"""The tables that analysts query, and the names of metrics, lists and baselines in them.

In the lake these tables lack `ds`, which their path carries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from schemas.dataset.spec import Feedback
from schemas.tables import metrics
from schemas.tables.columns import Column, Table, Type
from schemas.tables.lake import SCENARIOS

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
BASELINES = (
    "chance",
    "global_mean",
    "item_mean",
    "damped_bias",
    "damped_bias_rounded",
    "popularity",
)

CHAMPION = "champion"  # among the metrics: the model published last, measured on this ds's tasks

_PROVENANCE = (
    Column(name="model", type=Type.STRING, description="The learner's name, for example melu."),
    Column(
        name="model_version",
        type=Type.STRING,
        description="First 12 hex digits of the SHA-256 of the model's weights.",
    ),
    Column(
        name="run_id",
        type=Type.STRING,
        description=(
            "Name of the training run: its ds, model and model_version. A rerun that gives the "
            "same weights has the same run_id."
        ),
    ),
)


def _since(*columns: Column) -> tuple[Column, ...]:
    """Columns of a later release: null in the publications of earlier ones."""
    added = "Null in publications older than this column."
    return tuple(
        replace(column, nullable=True, description=f"{column.description} {added}")
        for column in columns
    )


EVIDENCE_ITEMS = Table(
    name="evidence_items",
    description=(
        "The items to ask new users about. They are chosen as a set: each item is the one whose "
        "answers add most to recommendations, given the items above it (docs/adr/0025). For a list "
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
                "the same users' other ratings, times the spread of its ratings as a share of half "
                "the scale. For implicit feedback: how strongly a reaction moves the model, scaled."
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
        *_PROVENANCE,
        *_since(
            Column(
                name="expected_gain",
                type=Type.FLOAT64,
                description=(
                    "By how much nDCG@10 of recommendations rises if a user is asked about the "
                    "items up to this rank, compared with asking nothing. It is measured on the "
                    "existing users that the list was chosen on; evidence_quality measures "
                    "held-out users."
                ),
            ),
            Column(
                name="answer_rate",
                type=Type.FLOAT64,
                description="Share of the segment's existing users who rated the item.",
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


RankBy = Literal["p_like", "choice", "rating"]
RANKED_BY: tuple[RankBy, ...] = get_args(RankBy)
_LIST_COLUMNS = (
    Column(
        name="p_like",
        type=Type.FLOAT64,
        description=(
            "Probability that the item is among the user's next interactions, as many as the query "
            "of an episode holds, and that the user likes it. A liked item has a rating of at "
            "least liked_from of the dataset spec; without it, a rating in the top quarter of the "
            "scale (at least 4 of 1 to 5). For implicit feedback, a liked item is chosen."
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
            "Null if validation had too few ratings, and for implicit feedback."
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
                "Predicted rating; for implicit feedback, the probability of a choice. It may lie "
                "outside the scale, so that ranks do not tie."
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
            description="False if the user has too few interactions: the global model scored.",
        ),
        *_PROVENANCE,
        *_since(*_LIST_COLUMNS),
    ),
)

EVIDENCE_QUALITY = Table(
    name="evidence_quality",
    description=(
        "What it is worth to ask new users about a list of items. In a simulation, held-out users "
        "reveal their ratings of the listed items and the model adapts. The model then predicts "
        "their other ratings, and recommends from the catalogue without the items of the lists "
        "that are compared. Empty for implicit feedback, which has no ratings to reveal."
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
        *_PROVENANCE,
        *_since(
            Column(
                name="ndcg10_after",
                type=Type.FLOAT64,
                description=(
                    "nDCG@10 of the recommendations after the answers; relevant items are those "
                    "that the user liked."
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
        ),
    ),
)

_MEASURED = [each for feedback in get_args(Feedback) for each in metrics.of_tasks(feedback)]

MODEL_METRICS = Table(
    name="model_metrics",
    description="Quality of the model and of baselines, as means over held-out tasks.",
    key=("model", "scenario", "metric"),
    columns=(
        Column(
            name="model",
            type=Type.STRING,
            description=(
                "The learner trained for this ds, by name; `champion`, the model published last "
                "before it, measured on the same tasks; or a baseline: "
                f"{', '.join(BASELINES)}."
            ),
        ),
        Column(name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=tuple(dict.fromkeys(each.name for each in _MEASURED)),
            description=(
                "Explicit feedback: mae judges the median rating, a whole level; mae_of_expected, "
                "rmse and ndcg5 judge the expected rating, which cold_user_scores.score holds; "
                "adaptation_gain is mae before minus mae after the local update. "
                "Implicit feedback: auc, hr10 and ndcg10 judge the rank of each chosen item of the "
                "query among the task's sampled negatives, with ties in random order on average; "
                "logloss judges the expected rating as a probability; "
                "adaptation_gain is auc after minus auc before the local update."
            ),
        ),
        Column(name="value", type=Type.FLOAT64, description="Mean of the metric over tasks."),
        Column(
            name="baseline",
            type=Type.FLOAT64,
            nullable=True,
            description=(
                "Value of the metric for the baseline: the damped bias, for mae rounded to a level "
                "as the median is; for implicit feedback, popularity. Null for a metric without a "
                "baseline."
            ),
        ),
        Column(name="n_tasks", type=Type.INT64, minimum=1, description="Tasks averaged over."),
        Column(
            name="run_id",
            type=Type.STRING,
            description="Of the model trained for this ds; of `champion`, its own.",
        ),
    ),
)

# Lists that the published order is compared with, beside the champion's: other orders of the same
# model, and peers, which are simpler methods.
LIST_ORDERS = (
    "by_p_like",
    "by_choice",
    "by_rating",
    "without_neighbours",
    "without_trend",
    "unadapted",
)
LIST_PEERS = (
    "popularity",
    "recent_popularity",
    "segment_popularity",
    "item_mean",
    "item_knn",
    "ease",
)
NEW_ITEM_PEERS = ("content_popularity", "content_knn")
LIST_SCENARIOS = ("user_cold", "warm")
NEW_ITEM_SCENARIOS = ("item_cold", "both_cold")
ANY_KNOWN = "1 to all"
LIST_METRICS = tuple(metric.name for metric in metrics.OF_LISTS)
SETS_METRICS = tuple(metric.name for metric in metrics.OF_ALL_LISTS)

LIST_QUALITY = Table(
    name="list_quality",
    description=(
        "Quality of the recommended lists for held-out users, beside the lists of simpler methods. "
        "Each method sees a user's first interactions and ranks all other items of the training "
        "data. An item is relevant if it is among the interactions that directly follow, as many "
        "as p_like of cold_user_scores looks ahead, and the user liked it. Users without a "
        f"relevant item do not count. In {' and '.join(NEW_ITEM_SCENARIOS)} each method ranks "
        "the new items alone. There an item is relevant if the user chose it after the whole "
        "support and liked it."
    ),
    key=("model", "scenario", "known", "metric"),
    columns=(
        Column(
            name="model",
            type=Type.STRING,
            description=(
                "The learner trained for this ds, by name: its lists as they would be published. "
                "`champion`: the model published last before. The same learner in another order, "
                "without neighbours, without the trend of popularity, or not adapted: "
                f"{', '.join(LIST_ORDERS)}. A simpler method: "
                f"{', '.join(LIST_PEERS)}; for new items: {', '.join(NEW_ITEM_PEERS)}."
            ),
        ),
        Column(name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."),
        Column(
            name="known",
            type=Type.STRING,
            description=(
                "Number of interactions that the method sees of each user. `all`: the whole "
                f"support. `{ANY_KNOWN}`: each user's mean over all values of known but 0."
            ),
        ),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=(*LIST_METRICS, *SETS_METRICS),
            description=(
                "Means over users: ndcg10, ndcg20, recall20 and hr10. Metrics of all lists "
                "together: coverage20, the share of items that are in any list of 20; overlap10, "
                "the share of a list of 10 that another user's list also holds; gini20, how "
                "unequally items are shown (0: all alike); novelty20, how rarely the shown items "
                "are chosen, in bits."
            ),
        ),
        Column(name="value", type=Type.FLOAT64, minimum=0, description="Value of the metric."),
        *(
            Column(name=name, type=Type.FLOAT64, nullable=True, description=description)
            for name, description in (
                ("low", "Lower end of the 95% interval of value; null for metrics of all lists."),
                ("high", "Upper end of that interval."),
                (
                    "lead_low",
                    "Lower end of the 95% interval of the learner's lead: the value of its lists "
                    "minus this value, paired over users. Null for the learner's own lists and for "
                    "metrics of all lists.",
                ),
                ("lead_high", "Upper end of that interval; below 0 the learner is worse."),
            )
        ),
        Column(name="n_users", type=Type.INT64, minimum=1, description="Users averaged over."),
        Column(
            name="run_id",
            type=Type.STRING,
            description="Of the model trained for this ds; of `champion`, its own.",
        ),
    ),
)

PRODUCTS = (EVIDENCE_ITEMS, EVIDENCE_QUALITY, COLD_USER_SCORES, MODEL_METRICS, LIST_QUALITY)

DS = Column(
    name="ds", type=Type.DATE, description="UTC day of the night; no row uses data from after it."
)

PUBLICATIONS = Table(
    name="publications",
    description="One row for each published ds: the run that it is of, and when it was published.",
    key=("ds",),
    columns=(
        DS,
        Column(name="dataset", type=Type.STRING, description="The data set's name in its spec."),
        *_PROVENANCE,
        Column(
            name="evidence_items_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of evidence_items.",
        ),
        Column(
            name="cold_user_scores_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of cold_user_scores.",
        ),
        Column(
            name="model_metrics_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of model_metrics.",
        ),
        Column(
            name="interactions",
            type=Type.INT64,
            minimum=1,
            description="Interactions up to ds that the publication is made of.",
        ),
        Column(
            name="late_interactions",
            type=Type.INT64,
            description=(
                "Change of interactions since the ds was first published: above 0 if late data "
                "came, below 0 if data was removed."
            ),
        ),
        Column(
            name="revision",
            type=Type.INT32,
            minimum=1,
            description=(
                "Number of the publication of this ds: 1 at first, and 1 more each time that the "
                "interactions or the run_id changed."
            ),
        ),
        Column(
            name="replaced_run_id",
            type=Type.STRING,
            nullable=True,
            description="run_id of the revision before; null for the first revision.",
        ),
        Column(
            name="data_read_at",
            type=Type.TIMESTAMP,
            description="When the profiles of ds were made, UTC. All other rows follow from them.",
        ),
        Column(
            name="made_at",
            type=Type.TIMESTAMP,
            description="When the last of the published rows was made, UTC.",
        ),
        Column(name="gate", type=Type.STRING, description="Decision of the gate, in words."),
        Column(
            name="published_at", type=Type.TIMESTAMP, description="When the day was published, UTC."
        ),
        Column(
            name="airflow_run_id",
            type=Type.STRING,
            nullable=True,
            description="Airflow run that published the ds; null if it was published by hand.",
        ),
        Column(
            name="evidence_quality_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of evidence_quality.",
        ),
        Column(
            name="trained_ds",
            type=Type.DATE,
            description=(
                "The ds that the model was trained for. It is earlier than ds if the gate kept the "
                "model published last."
            ),
        ),
        *(
            Column(name=name, type=Type.INT64, nullable=True, description=description)
            for name, description in (
                (
                    "rows_read",
                    "Interactions that the last ingest of ds read from the source. If the source "
                    "has a file for each day, ingest reads only new and changed files. Null if the "
                    "journal of ds was deleted, and in publications older than this column.",
                ),
                ("rows_kept", "Rows of rows_read that became interactions."),
                (
                    "rows_quarantined",
                    "Rows of rows_read that were quarantined, each with a reason.",
                ),
                (
                    "rows_left_out",
                    "Rows of rows_read that were left out: events after ds, and rows that the "
                    "dataset spec does not choose. rows_read is the sum of rows_kept, "
                    "rows_quarantined and rows_left_out.",
                ),
                (
                    "list_quality_rows",
                    "Published rows of list_quality. Null in publications older than that table.",
                ),
            )
        ),
    ),
)


def warehouse_table(product: Table) -> Table:
    """The product as it lies in the warehouse: `ds` in front, and part of the key."""
    return Table(
        name=product.name,
        description=product.description,
        key=("ds", *product.key),
        columns=(DS, *product.columns),
    )


WAREHOUSE_TABLES = (*(warehouse_table(product) for product in PRODUCTS), PUBLICATIONS)
