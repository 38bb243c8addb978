"""The tables that analysts query. In the lake they lack `ds`, which their path carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from schemas.dataset.spec import Feedback
from schemas.tables import metrics
from schemas.tables.columns import Column, Table, Type
from schemas.tables.lake import SCENARIOS

# The lists that are judged: ours, and what it is compared with.
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
# What of two lists is compared by an interval: a metric, and whose it is compared with.
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
            "The ds it was trained for, model and version: the same for a rerun that gives the "
            "same model."
        ),
    ),
)


def _since(*columns: Column) -> tuple[Column, ...]:
    """Columns that came later: null in what had been published before."""
    added = "Null in publications older than this column."
    return tuple(
        replace(column, nullable=True, description=f"{column.description} {added}")
        for column in columns
    )


EVIDENCE_ITEMS = Table(
    name="evidence_items",
    description=(
        "What to show new users to learn their taste: a set, chosen item by item for what the "
        "answers add to recommendations (docs/adr/0025). The first 5 or 10 ranks are the list of "
        "5 or 10."
    ),
    key=("segment", "rank"),
    columns=(
        Column(
            name="segment",
            type=Type.STRING,
            description="The users the list is for; `all` is everyone.",
        ),
        Column(name="rank", type=Type.INT32, minimum=1, description="1 is shown first."),
        Column(name="item_id", type=Type.STRING, description="The source's id of the item."),
        Column(
            name="title",
            type=Type.STRING,
            nullable=True,
            description="The item's title, for display.",
        ),
        Column(
            name="evidence_score",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description=(
                "discriminative_value x popularity_value: MeLU's score of the item by itself. The "
                "list is not in its order."
            ),
        ),
        Column(
            name="discriminative_value",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description=(
                "How far a reaction goes along with how its user rates everything else: their "
                "squared correlation, times the reactions' spread as a share of half the scale. "
                "Of implicit feedback: how strongly a reaction moves the model, scaled."
            ),
        ),
        Column(
            name="popularity_value",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description="How often existing users reacted to the item, scaled to 0..1.",
        ),
        Column(
            name="n_interactions",
            type=Type.INT64,
            minimum=1,
            description="Interactions with the item up to and including ds.",
        ),
        *_PROVENANCE,
        *_since(
            Column(
                name="expected_gain",
                type=Type.FLOAT64,
                description=(
                    "How much nDCG@10 of a new user's recommendations rises if the items up to "
                    "this rank are asked about, beside asking nothing; on the existing users whom "
                    "the list was chosen on. evidence_quality has held-out users."
                ),
            ),
            Column(
                name="answer_rate",
                type=Type.FLOAT64,
                description="The share of existing users of the segment who rated the item.",
            ),
            Column(
                name="redundancy",
                type=Type.FLOAT64,
                description=(
                    "How much of what an answer tells is known from the items above: the share of "
                    "the answer's variance that their answers take away. 0: all of it is new."
                ),
            ),
            Column(
                name="same_as_all",
                type=Type.BOOL,
                description=(
                    "Whether the segment has the list of everyone, because its own users gain "
                    "nothing beyond chance by another."
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
            "The probability that the item is among the user's next interactions, as many as a "
            "query of the episodes holds, and that the user likes it: rates it at the top quarter "
            "of the scale (4 of 1 to 5), of implicit feedback chooses it."
        ),
    ),
    Column(
        name="p_choice",
        type=Type.FLOAT64,
        description="The probability that the item is the user's very next interaction.",
    ),
    Column(
        name="score_low",
        type=Type.FLOAT64,
        description=(
            "80% of ratings lie between score_low and score_high. Null where validation had too "
            "few ratings to tell, and of implicit feedback."
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
            "What the list is sorted by, the highest first: `p_like`; `choice`, the column "
            "p_choice; or `rating`, the column score."
        ),
    ),
)

COLD_USER_SCORES = Table(
    name="cold_user_scores",
    description=(
        "The items that users we hardly know will choose and like, never one they have met."
    ),
    key=("user_id", "rank"),
    columns=(
        Column(name="user_id", type=Type.STRING, description="The source's id of the user."),
        Column(name="rank", type=Type.INT32, minimum=1, description="1 is recommended first."),
        Column(name="item_id", type=Type.STRING, description="The source's id of the item."),
        Column(
            name="score",
            type=Type.FLOAT64,
            description=(
                "Predicted rating, of implicit feedback the probability of a choice; not cut to "
                "the scale, so that ranks do not tie."
            ),
        ),
        Column(
            name="n_support",
            type=Type.INT32,
            minimum=0,
            description="Interactions of the user that the model saw; no negative counts.",
        ),
        Column(
            name="adapted",
            type=Type.BOOL,
            description="False: too few interactions to adapt; scored from the global model.",
        ),
        *_PROVENANCE,
        *_since(*_LIST_COLUMNS),
    ),
)

EVIDENCE_QUALITY = Table(
    name="evidence_quality",
    description=(
        "What lists of items are worth to ask new users about: held-out users reveal their ratings "
        "of the listed items, the model adapts, predicts their other ratings, and recommends from "
        "the catalogue less the items of all lists compared. Empty for implicit feedback, which "
        "has no rating to reveal."
    ),
    key=("segment", "list", "length"),
    columns=(
        Column(
            name="segment",
            type=Type.STRING,
            description="Whose list, and who is asked; `all` is everyone.",
        ),
        Column(
            name="list",
            type=Type.STRING,
            description=(
                "`evidence`, as published; or what it is compared with. By a score of each item "
                "alone: `evidence_correlation`, `evidence_paper` (MeLU's formula), "
                "`evidence_robust` (the same with the gradient of the prediction for that of the "
                "scaled loss), `popularity`, `entropy` of the ratings, `popularity_x_entropy`, "
                "`helf` (harmonic mean of entropy and log frequency). `random`, the mean of "
                "several; `nothing`, no question asked."
            ),
        ),
        Column(name="length", type=Type.INT32, minimum=1, description="How many items it has."),
        Column(
            name="n_users",
            type=Type.INT64,
            minimum=1,
            description="Held-out users asked, the same for all lists of a segment and length.",
        ),
        Column(
            name="n_revealed_mean",
            type=Type.FLOAT64,
            minimum=0,
            description="How many of the listed items they had rated, on average.",
        ),
        Column(
            name="mae",
            type=Type.FLOAT64,
            minimum=0,
            description="On their ratings of items in none of the lists; of the median rating.",
        ),
        Column(
            name="ndcg5",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            description="nDCG@5 of the expected rating, on the same items.",
        ),
        Column(
            name="mae_minus_popularity_low",
            type=Type.FLOAT64,
            description="Lower end of the 95% interval of the mean difference to `popularity`.",
        ),
        Column(
            name="mae_minus_popularity_high",
            type=Type.FLOAT64,
            description="Upper end; below 0 the list beats popularity.",
        ),
        *_PROVENANCE,
        *_since(
            Column(
                name="ndcg10_after",
                type=Type.FLOAT64,
                description=(
                    "nDCG@10 of the recommendations that follow the answers; relevant is what the "
                    "user liked."
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
                        "Lower end of the 95% interval of the difference to `{other}`; "
                        "above 0 the list is better.",
                    ),
                    ("high", "Upper end; below 0 the list is worse."),
                )
            ),
        ),
    ),
)

_MEASURED = [each for feedback in get_args(Feedback) for each in metrics.of_tasks(feedback)]

MODEL_METRICS = Table(
    name="model_metrics",
    description="Quality on held-out tasks, averaged over tasks, of the model and baselines.",
    key=("model", "scenario", "metric"),
    columns=(
        Column(
            name="model",
            type=Type.STRING,
            description=(
                "The name of the learner trained for this ds; `champion`, the model that was "
                "published last before it, measured on the same tasks; or a baseline: "
                f"{', '.join(BASELINES)}."
            ),
        ),
        Column(name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=tuple(dict.fromkeys(each.name for each in _MEASURED)),
            description=(
                "Explicit feedback: mae is of the median rating, a whole level; mae_of_expected, "
                "rmse and ndcg5 are of the expected rating, the one that scores hold; "
                "adaptation_gain = mae before minus mae after the local update. "
                "Implicit feedback: auc, hr10 and ndcg10 rank each chosen item of the query among "
                "the task's sampled negatives, as random orders of ties do on average; logloss is "
                "of the expected rating as a probability; "
                "adaptation_gain = auc after minus auc before the local update."
            ),
        ),
        Column(name="value", type=Type.FLOAT64, description="Mean of the metric over tasks."),
        Column(
            name="baseline",
            type=Type.FLOAT64,
            nullable=True,
            description=(
                "The damped bias's value of the metric, rounded to a level for mae, as the median "
                "is; popularity's for implicit feedback; null where it has none."
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

# What lists are compared with, beside the champion's: other orders of the same model, and peers.
LIST_ORDERS = ("by_p_like", "by_choice", "by_rating", "without_neighbours", "unadapted")
LIST_PEERS = ("popularity", "segment_popularity", "item_mean", "item_knn", "ease")
LIST_SCENARIOS = ("user_cold", "warm")
ANY_KNOWN = "1 to all"
LIST_METRICS = tuple(metric.name for metric in metrics.OF_LISTS)
SETS_METRICS = tuple(metric.name for metric in metrics.OF_ALL_LISTS)

LIST_QUALITY = Table(
    name="list_quality",
    description=(
        "What recommended lists are worth to held-out users, beside the lists of simpler methods. "
        "A user shows their first known interactions, and each method ranks all items of the "
        "training data but those in the user's support. Relevant are the items that the user then "
        "chose and liked."
    ),
    key=("model", "scenario", "known", "metric"),
    columns=(
        Column(
            name="model",
            type=Type.STRING,
            description=(
                "The name of the learner trained for this ds: its lists as they would be "
                "published; `champion`, the model published last before it; the same learner in "
                "another order than the published one, without its neighbours, or not adapted: "
                f"{', '.join(LIST_ORDERS)}; or a simpler method: "
                f"{', '.join(LIST_PEERS)}."
            ),
        ),
        Column(name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."),
        Column(
            name="known",
            type=Type.STRING,
            description=(
                "How many interactions the users show; `all` of their support; "
                f"`{ANY_KNOWN}`: each user's mean over those from 1 to all."
            ),
        ),
        Column(
            name="metric",
            type=Type.STRING,
            allowed=(*LIST_METRICS, *SETS_METRICS),
            description=(
                "ndcg10, ndcg20, recall20 and hr10 are means over users. Of all users' lists "
                "together: coverage20, the share of the items that are in a list of 20; "
                "overlap10, the share of a list of 10 that another user's list holds too; gini20, "
                "how unequally items are shown (0: all alike); novelty20, in bits, how rarely "
                "the shown items are chosen."
            ),
        ),
        Column(name="value", type=Type.FLOAT64, minimum=0, description="The metric."),
        *(
            Column(name=name, type=Type.FLOAT64, nullable=True, description=description)
            for name, description in (
                ("low", "Lower end of the 95% interval of value; null for metrics of all lists."),
                ("high", "Upper end of that interval."),
                (
                    "lead_low",
                    "Lower end of the 95% interval of the lead of the learner's lists: their value "
                    "minus this one, paired over users. Null for these lists themselves.",
                ),
                ("lead_high", "Upper end; below 0 the learner's lists are worse."),
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

DS = Column(name="ds", type=Type.DATE, description="The UTC day whose data the rows cover.")

PUBLICATIONS = Table(
    name="publications",
    description="Which ds are published, by what, and when. One row a ds.",
    key=("ds",),
    columns=(
        DS,
        Column(name="dataset", type=Type.STRING, description="The data set's name in its spec."),
        *_PROVENANCE,
        Column(
            name="evidence_items_rows",
            type=Type.INT64,
            minimum=0,
            description="Rows published of evidence_quality.",
        ),
        Column(
            name="cold_user_scores_rows",
            type=Type.INT64,
            minimum=0,
            description="Rows published of evidence_quality.",
        ),
        Column(
            name="model_metrics_rows",
            type=Type.INT64,
            minimum=0,
            description="Rows published of evidence_quality.",
        ),
        Column(
            name="interactions",
            type=Type.INT64,
            minimum=1,
            description="Interactions up to ds that the rows were made of.",
        ),
        Column(
            name="late_interactions",
            type=Type.INT64,
            description=(
                "How many of them came after the ds was first published; below 0 when more went."
            ),
        ),
        Column(
            name="revision",
            type=Type.INT32,
            minimum=1,
            description=(
                "1 at first, one more each time the ds was published from other interactions or "
                "by another run_id."
            ),
        ),
        Column(
            name="replaced_run_id",
            type=Type.STRING,
            nullable=True,
            description="The run_id of the revision before; null for the first.",
        ),
        Column(
            name="data_read_at",
            type=Type.TIMESTAMP,
            description="When the profiles of ds, from which all else is made, were made, UTC.",
        ),
        Column(
            name="made_at",
            type=Type.TIMESTAMP,
            description="When the last of the published rows was made, UTC.",
        ),
        Column(name="gate", type=Type.STRING, description="The decision of the gate, in words."),
        Column(
            name="published_at", type=Type.TIMESTAMP, description="When the day was published, UTC."
        ),
        Column(
            name="airflow_run_id",
            type=Type.STRING,
            nullable=True,
            description="The Airflow run that published it; null if run by hand.",
        ),
        Column(
            name="evidence_quality_rows",
            type=Type.INT64,
            minimum=0,
            description="Rows published of evidence_quality.",
        ),
        Column(
            name="trained_ds",
            type=Type.DATE,
            description=(
                "The ds that the model was trained for: earlier than ds where the gate kept the "
                "model published last."
            ),
        ),
        *(
            Column(name=name, type=Type.INT64, nullable=True, description=description)
            for name, description in (
                (
                    "rows_read",
                    "Interactions that the last ingest of ds read from the source. Where the "
                    "source has a file for each day, it reads only new and changed files. Null "
                    "if the journal of ds was deleted, and in publications older than this column.",
                ),
                ("rows_kept", "Rows of rows_read that became interactions."),
                (
                    "rows_quarantined",
                    "Rows of rows_read that were quarantined, each with a reason.",
                ),
                (
                    "rows_left_out",
                    "How many of rows_read a rule left out: events after ds, and events that the "
                    "dataset spec does not choose. rows_read is the sum of rows_kept, "
                    "rows_quarantined and rows_left_out.",
                ),
                (
                    "list_quality_rows",
                    "Rows published of list_quality. Null in publications older than that table.",
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
