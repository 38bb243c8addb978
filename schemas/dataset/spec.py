"""A dataset spec: a TOML file that says how a source's files become the contracts' tables.

A new data set is a new TOML file (`schemas/dataset/bundled/`), never new code. A check of what has
to fit together stands with the later of the keys, so that one error lists all mistakes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from schemas import toml_file
from schemas.dataset.features import Feature, as_column
from schemas.dataset.feedback import (
    NO_RATINGS,
    Feedback,
    RankBy,
    check_order,
    levels_of,
    usual_liked_level,
)
from schemas.dataset.network import Network
from schemas.dataset.sections import ColdStart, Database, Expected, Fetch, Negatives
from schemas.dataset.source_files import Interactions, Items, SourceFile, Users
from schemas.toml_file import Numbers, Record, Texts

__all__ = [
    "BUNDLED",
    "ColdStart",
    "Database",
    "DatasetSpec",
    "Expected",
    "Feature",
    "Feedback",
    "Fetch",
    "Interactions",
    "Items",
    "Negatives",
    "SourceFile",
    "Users",
    "load",
]

_EQUAL_PARTS = "expected a step that leads from {:g} to {:g} in equal parts"
BUNDLED = Path(__file__).parent / "bundled"


class DatasetSpec(Record):
    """What a company's files hold, and how they are read."""

    name: str
    """The data set's, whatever layout its files have."""
    title: str
    """What people call the data set."""
    feedback: Feedback
    """`explicit`: people rate; `implicit`: they choose."""
    interactions: Interactions
    users: Annotated[Users | None, Field(validate_default=True)] = None
    """Without it, the users are those of the interactions, without features."""
    items: Items
    segments: Texts = ()
    """Users' features whose values get an evidence list each."""
    rating_scale: Annotated[Numbers, Field(validate_default=True)] = ()
    """The lowest and the highest rating, of explicit feedback."""
    rating_step: float = 1.0
    """Between one rating and the next: 0.5 where there are half stars."""
    liked_from: float | None = None
    """The least rating that says that an item is liked; by default 4 of 5, 8 of 10."""
    rank_by: RankBy | None = None
    """What lists are ordered by, where neither a run nor coldstart.toml says it: `p_like` (chosen
    next, and liked), `choice` (chosen next) or, of explicit feedback, `rating`; by default p_like.
    """
    max_quarantined_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Ingest fails when more of the interactions that it reads than this break a rule. With a file
    a day it reads the files that are new or have changed."""
    max_vanished_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Ingest fails when more of the lake's interactions than this are of days that the source no
    longer has. Up to it these days are emptied, with a warning."""
    cold_start: ColdStart = ColdStart()
    negatives: Negatives = Negatives()
    """Of implicit feedback."""
    network: Network | None = None
    database: Annotated[Database | None, Field(validate_default=True)] = None
    fetch: Fetch | None = None
    expected: Expected | None = None

    @field_validator("interactions")
    @classmethod
    def _has_ratings(cls, found: Interactions, info: ValidationInfo) -> Interactions:
        feedback = info.data.get("feedback")
        if feedback == "explicit" and found.rating is None:
            raise ValueError(
                "rating is missing, expected the column of the ratings; add it, or say "
                'feedback = "implicit"'
            )
        if feedback == "implicit" and found.rating is not None:
            raise ValueError(f"rating is {found.rating!r}, {NO_RATINGS}")
        return found

    @field_validator("users")
    @classmethod
    def _lists_all(cls, found: Users | None, info: ValidationInfo) -> Users | None:
        interactions = info.data.get("interactions")
        if found is None and interactions is not None and interactions.is_daily:
            raise ValueError(
                "is missing; expected a file of all users where interactions come in a file a day, "
                "because no run reads all of these"
            )
        return found

    @field_validator("segments")
    @classmethod
    def _have_one_value(cls, found: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        segments = tuple(map(as_column, found))
        if "users" not in info.data:
            return segments
        features = info.data["users"].features if info.data["users"] else {}
        fit = sorted(name for name, feature in features.items() if feature.kind != "multi")
        if not set(segments) <= set(fit):
            raise ValueError(f"expected features of the users that have one value each: {fit}")
        return segments

    @field_validator("rating_scale")
    @classmethod
    def _has_two_ends(cls, found: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        feedback = info.data.get("feedback")
        if feedback == "explicit" and (len(found) != 2 or found[0] >= found[1]):
            raise ValueError("expected [lowest, highest] with lowest < highest")
        if feedback == "implicit" and found:
            raise ValueError(NO_RATINGS)
        return found

    @field_validator("rating_step")
    @classmethod
    def _leads_to_the_highest(cls, found: float, info: ValidationInfo) -> float:
        if info.data.get("feedback") == "implicit":
            raise ValueError(NO_RATINGS)
        if len(scale := info.data.get("rating_scale", ())) == 2 and not _leads(found, scale):
            raise ValueError(_EQUAL_PARTS.format(*scale))
        return found

    @model_validator(mode="after")
    def _has_a_step(self) -> Self:
        """Which is not looked at above where the spec leaves it out."""
        if not self.is_implicit and not _leads(self.rating_step, self.rating_scale):
            raise ValueError(f"rating_step is missing, {_EQUAL_PARTS.format(*self.rating_scale)}")
        return self

    @field_validator("liked_from")
    @classmethod
    def _is_a_rating(cls, found: float | None, info: ValidationInfo) -> float | None:
        if info.data.get("feedback") == "implicit":
            raise ValueError(NO_RATINGS)
        scale, step = info.data.get("rating_scale", ()), info.data.get("rating_step")
        if found is not None and len(scale) == 2 and step:
            lowest, highest = scale
            possible = levels_of(lowest, highest, step)[1:]
            if found not in possible:
                names = ", ".join(f"{level:g}" for level in possible)
                raise ValueError(f"expected a rating above the lowest: one of {names}")
        return found

    @field_validator("rank_by")
    @classmethod
    def _is_an_order(cls, found: RankBy | None, info: ValidationInfo) -> RankBy | None:
        check_order(found, info.data.get("feedback"))
        return found

    @field_validator("negatives")
    @classmethod
    def _are_of_choices(cls, found: Negatives, info: ValidationInfo) -> Negatives:
        if info.data.get("feedback") == "explicit":
            raise ValueError(
                "belongs to implicit feedback, and feedback is 'explicit'; leave the section out"
            )
        return found

    @field_validator("network")
    @classmethod
    def _knows_its_features(cls, found: Network | None, info: ValidationInfo) -> Network | None:
        if found is not None and "items" in info.data:
            found.check_features(info.data["items"].features)
        return found

    @field_validator("database")
    @classmethod
    def _is_asked(cls, found: Database | None, info: ValidationInfo) -> Database | None:
        made = [info.data[name] for name in ("interactions", "users", "items") if name in info.data]
        is_asked = any(each is not None and each.format == "jdbc" for each in made)
        if len(made) == 3 and is_asked != (found is not None):
            raise ValueError('this section and those with format = "jdbc" need each other')
        return found

    @property
    def is_implicit(self) -> bool:
        """Whether people choose, and do not rate."""
        return self.feedback == "implicit"

    @property
    def rating_levels(self) -> tuple[float, ...]:
        """Every rating that there can be, in ascending order.

        Implicit feedback has two: of what a user chose, and of what was drawn beside it.
        """
        if self.is_implicit:
            return (0.0, 1.0)
        lowest, highest = self.rating_scale
        return levels_of(lowest, highest, self.rating_step)

    @property
    def liked_level(self) -> float:
        """The least rating level that says an item is liked; of implicit feedback, a choice."""
        return usual_liked_level(self.rating_levels) if self.liked_from is None else self.liked_from

    @property
    def user_features(self) -> dict[str, Feature]:
        """The users' features by name; empty if the spec has no section of users."""
        return self.users.features if self.users else {}

    @property
    def in_database(self) -> dict[str, SourceFile]:
        """The sections, by name, whose rows a database has."""
        sections = {"interactions": self.interactions, "users": self.users, "items": self.items}
        return {name: each for name, each in sections.items() if each and each.format == "jdbc"}

    def files(self) -> tuple[str, ...]:
        """The files of all sections, and those that relations of the network read."""
        sections = (self.interactions, self.users, self.items)
        linked = self.network.files() if self.network else ()
        return (*(each.file for each in sections if each), *linked)


def _leads(step: float, scale: tuple[float, ...]) -> bool:
    """Whether steps from the lowest rating end at the highest."""
    lowest, highest = scale
    return step > 0 and levels_of(lowest, highest, step)[-1] == round(highest, 9)


def load(path: Path) -> DatasetSpec:
    """The spec in `path`; a `UserError` names everything that is wrong with it."""
    return toml_file.load(DatasetSpec, path, "dataset spec")
