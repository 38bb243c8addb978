"""The tables of users and items as training sees them: profiles, and the vocabulary of features."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.dataset.spec import DatasetSpec, Feature
from schemas.tables.columns import Column, Table, Type
from schemas.tables.index_columns import ITEM_INDEX, USER_INDEX
from schemas.tables.source import ITEM_ID, USER_ID

RECENT_HALF_LIFE_DAYS = 14  # of an interaction's weight in an item's recent popularity
_N_INTERACTIONS = Column(
    name="n_interactions",
    type=Type.INT64,
    minimum=1,
    description="Interactions up to and including ds.",
)
_FIRST_SEEN = Column(
    name="first_seen", type=Type.TIMESTAMP, description="Time of the first interaction, UTC."
)

VOCABULARY = Table(
    name="vocabulary",
    description=(
        "The index of each value of each feature, for the users and items that training sees. "
        "Index 0 stands for an absent or unknown value."
    ),
    key=("feature", "value"),
    columns=(
        Column(
            name="feature",
            type=Type.STRING,
            description="`user.` or `item.` and the feature's name in the dataset spec.",
        ),
        Column(name="value", type=Type.STRING, description="The value of the feature, as text."),
        Column(
            name="index",
            type=Type.INT32,
            minimum=1,
            description="Index of the value, dense within the feature.",
        ),
    ),
)


def _indexed_features(features: Mapping[str, Feature]) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=name,
            type=Type.LIST_INT32 if feature.kind == "multi" else Type.INT32,
            minimum=0,
            description=(
                f"Vocabulary indices of {name}; 0 for a value that the vocabulary lacks."
                if feature.kind == "multi"
                else f"Vocabulary index of {name}; 0 if unknown."
            ),
        )
        for name, feature in features.items()
    )


def user_profiles(spec: DatasetSpec) -> Table:
    """The contract of user profiles: a column for each feature of users."""
    cold = spec.cold_start.cold_user_max_interactions
    return Table(
        name="user_profiles",
        description="Every user with an interaction up to ds.",
        key=("user_id",),
        columns=(
            USER_ID,
            USER_INDEX,
            _N_INTERACTIONS,
            _FIRST_SEEN,
            Column(
                name="last_seen",
                type=Type.TIMESTAMP,
                description="Time of the last interaction, UTC.",
            ),
            Column(name="is_new", type=Type.BOOL, description="First seen in the held-out days."),
            Column(
                name="is_cold",
                type=Type.BOOL,
                description=f"Has at most {cold} interactions, and so a list in cold_user_scores.",
            ),
            *_indexed_features(spec.user_features),
        ),
    )


def item_profiles(spec: DatasetSpec) -> Table:
    """The contract of item profiles: a column for each feature of items."""
    return Table(
        name="item_profiles",
        description="Every item with an interaction up to ds.",
        key=("item_id",),
        columns=(
            ITEM_ID,
            ITEM_INDEX,
            Column(
                name="title",
                type=Type.STRING,
                nullable=True,
                description="Item title, for display.",
            ),
            _N_INTERACTIONS,
            _FIRST_SEEN,
            Column(
                name="rating_mean",
                type=Type.FLOAT64,
                minimum=spec.rating_levels[0],
                maximum=spec.rating_levels[-1],
                description="Mean rating up to and including ds.",
            ),
            Column(name="is_new", type=Type.BOOL, description="First seen in the held-out days."),
            Column(
                name="train_n_ratings",
                type=Type.INT64,
                minimum=0,
                description="Ratings by training users in the training days; 0 for a new item.",
            ),
            Column(
                name="train_rating_sum",
                type=Type.FLOAT64,
                minimum=0 if spec.rating_levels[0] >= 0 else None,
                description="Sum of the ratings counted by train_n_ratings.",
            ),
            Column(
                name="recent_interactions",
                type=Type.FLOAT64,
                minimum=0,
                description=(
                    "Interactions up to and including ds; each counts half as much for every "
                    f"{RECENT_HALF_LIFE_DAYS} days of its age."
                ),
            ),
            Column(
                name="train_recent",
                type=Type.FLOAT64,
                minimum=0,
                description=(
                    "The ratings counted by train_n_ratings, each half as much for every "
                    f"{RECENT_HALF_LIFE_DAYS} days before the first held-out day of users."
                ),
            ),
            *_indexed_features(spec.items.features),
        ),
    )
