"""What has to fit together in a dataset spec, beyond each section by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.dataset import network as network_spec
from schemas.dataset.mistakes import MistakesError
from schemas.errors import UserError

if TYPE_CHECKING:
    from schemas.dataset.spec import DatasetSpec

# Columns of the tables of users and of items that are not features (schemas/tables/lake.py).
_OF_BOTH = ("n_interactions", "first_seen", "is_new", "ds")
_OF_USERS = frozenset((*_OF_BOTH, "user_id", "user_index", "last_seen", "is_cold"))
_OF_ITEMS = frozenset(
    (
        *_OF_BOTH,
        "item_id",
        "item_index",
        "title",
        "rating_mean",
        "train_n_ratings",
        "train_rating_sum",
    )
)
_SECRET = re.compile(r"(user|password|pwd)\s*=|//[^/]*@", re.IGNORECASE)


def of_numbers(spec: DatasetSpec, path: Path) -> None:
    """What is told beside the mistakes of sections, because no section matters to it."""
    wrong = []
    if not 0 <= spec.max_quarantined_fraction <= 1:
        wrong.append(
            f"{path}: max_quarantined_fraction is {spec.max_quarantined_fraction}, "
            "expected a number from 0 to 1."
        )
    if is_dataclass(spec.cold_start):  # not where the section itself has mistakes
        wrong += _of_cold_start(spec, path)
    if spec.feedback == "explicit":
        wrong += _of_scale(spec, path)
    if wrong:
        raise MistakesError(*wrong)


def _of_cold_start(spec: DatasetSpec, path: Path) -> Iterator[str]:
    """Days and sizes; a cold user may be one without an interaction, and a support may be empty."""
    may_be_none = {"cold_user_max_interactions", "min_support"}
    for name, value in asdict(spec.cold_start).items():
        least = 0 if name in may_be_none else 1
        if value < least:
            yield f"{path} [cold_start]: {name} is {value}, expected {least} or more."
    if spec.cold_start.min_support > spec.cold_start.max_support:
        yield (
            f"{path} [cold_start]: min_support is {spec.cold_start.min_support} and max_support "
            f"{spec.cold_start.max_support}; expected the one not above the other."
        )


def _of_scale(spec: DatasetSpec, path: Path) -> Iterator[str]:
    if len(spec.rating_scale) != 2 or spec.rating_scale[0] >= spec.rating_scale[1]:
        yield (
            f"{path}: rating_scale is {list(spec.rating_scale)}, "
            "expected [lowest, highest] with lowest < highest."
        )
    elif spec.rating_step <= 0 or spec.rating_levels[-1] != round(spec.rating_scale[1], 9):
        yield (
            f"{path}: rating_step is {spec.rating_step}, expected a step that leads from "
            f"{spec.rating_scale[0]} to {spec.rating_scale[1]} in equal parts."
        )


def _whole(spec: DatasetSpec, _: Mapping[str, Any], path: Path) -> None:
    if spec.network is not None:
        network_spec.check_features(spec.network, spec.items.features, f"{path} [network]")
    if spec.interactions.is_daily and spec.users is None:
        raise UserError(
            f"{path}: [users] is missing; expected a file of all users where interactions come in "
            "a file a day, because no run reads all of these."
        )


def _names(spec: DatasetSpec, _: Mapping[str, Any], path: Path) -> None:
    """A feature is a column beside our own, which must not be called the same."""
    taken = {"users": _OF_USERS, "items": _OF_ITEMS}
    features = {"users": spec.user_features, "items": spec.items.features}
    wrong = {
        section_: sorted(name for name in features[section_] if name.lower() in names)
        for section_, names in taken.items()
    }
    told = [
        f"{path} [{section_}.features]: {names} are names of columns that the tables of "
        f"{section_} have of their own ({sorted(taken[section_])}). Choose other names; `column` "
        "may stay as it is."
        for section_, names in wrong.items()
        if names
    ]
    if told:
        raise MistakesError(*told)


def _segments(spec: DatasetSpec, _: Mapping[str, Any], path: Path) -> None:
    fit = sorted(name for name, feature in spec.user_features.items() if feature.kind != "multi")
    if wrong := [name for name in spec.segments if name not in fit]:
        raise UserError(
            f"{path}: segments names {wrong}; expected features of the users that have one value "
            f"each: {fit}."
        )


def _database(spec: DatasetSpec, _: Mapping[str, Any], path: Path) -> None:
    if bool(spec.in_database) != (spec.database is not None):
        raise UserError(
            f'{path}: sections with format = "jdbc" and a section [database] need each other.'
        )
    if spec.database is None:
        return
    url = spec.database.url
    if not url.startswith("jdbc:") or _SECRET.search(url):
        raise UserError(
            f"{path} [database]: expected a url that begins with jdbc: and holds no user and no "
            "password; put those into COLDSTART_SOURCE_USER and COLDSTART_SOURCE_PASSWORD."
        )


def _feedback(spec: DatasetSpec, table: Mapping[str, Any], path: Path) -> None:
    (_explicit if spec.feedback == "explicit" else _implicit)(spec, table, path)


def _explicit(spec: DatasetSpec, table: Mapping[str, Any], path: Path) -> None:
    if spec.interactions.rating is None:
        raise UserError(
            f"{path} [interactions]: rating is missing, expected the column of the ratings; "
            'add it, or say feedback = "implicit".'
        )
    if "negatives" in table:
        raise UserError(
            f"{path}: [negatives] belongs to implicit feedback, and feedback is 'explicit'; "
            "leave the section out."
        )


def _implicit(spec: DatasetSpec, table: Mapping[str, Any], path: Path) -> None:
    given = [name for name in ("rating_scale", "rating_step") if name in table]
    given += ["interactions.rating"] if spec.interactions.rating is not None else []
    if given:
        raise UserError(
            f"{path}: {', '.join(given)} given, and feedback is 'implicit', which has no ratings; "
            'leave them out, or say feedback = "explicit".'
        )
    for name in ("support_per_positive", "train_query_per_positive", "test_query"):
        least = 0 if name == "support_per_positive" else 1
        if (found := getattr(spec.negatives, name)) < least:
            raise UserError(f"{path} [negatives]: {name} is {found}, expected at least {least}.")


ALL = (_whole, _names, _segments, _database, _feedback)
