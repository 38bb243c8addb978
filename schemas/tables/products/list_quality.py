"""List quality: the quality of recommended lists, beside the lists of simpler methods."""

from __future__ import annotations

from schemas.tables import metrics
from schemas.tables.columns import Column, Table, Type
from schemas.tables.episodes import SCENARIOS

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
    "ials",
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
        "support and liked it. Existing users (warm) only show the whole support: training has "
        "seen what follows a part of it."
    ),
    key=("model", "scenario", "known", "metric"),
    columns=(
        Column(
            name="model",
            type=Type.STRING,
            description=(
                "The learner trained for this ds, by name: the lists as they would be published, "
                "by default in the order of the model of choices, not of the learner's ratings. "
                "`champion`: the model published last before. The same learner in another order, "
                "without neighbours, without the trend of popularity, or not adapted: "
                f"{', '.join(LIST_ORDERS)}. A simpler method: "
                f"{', '.join(LIST_PEERS)}; for new items: {', '.join(NEW_ITEM_PEERS)}. With "
                "nothing known, item_knn, ease and ials rank items in an arbitrary order."
            ),
        ),
        Column(name="scenario", type=Type.STRING, allowed=SCENARIOS, description="See episodes."),
        Column(
            name="known",
            type=Type.STRING,
            description=(
                "The method sees at most so many interactions of each user; of a shorter support, "
                "all of them. `all`: the whole support, at most max_support interactions (30 by "
                f"default). `{ANY_KNOWN}`: each user's mean over the numbers but 0 after which the "
                "user has a relevant item. Where 30 and `all` are the same list, that list counts "
                f"twice. For existing users (warm) `{ANY_KNOWN}` equals `all`."
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
