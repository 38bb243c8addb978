"""What one user answered: `--answers FILE`, and whose attributes are known: `--user`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pyarrow.compute as pc

from meta_model.data.inputs import Inputs
from meta_model.evidence.existing import Existing, existing_users
from meta_model.steps.night import Night
from schemas.errors import UserError

SEEN: Literal["seen"] = "seen"  # of an item that the user knows and does not rate

# None: the user does not know the item.
Answer = float | Literal["seen"] | None
Answers = dict[int, Answer]  # by item index


def existing(night: Night, given: Answers) -> Existing:
    """The existing users that evidence is chosen on; what was asked is among the candidates."""
    model, config = night.loaded.recommender.choice, night.loaded.config
    return existing_users(night.inputs, model, config, always=[*given])


def rating(answer: Answer, usual: float) -> float:
    """What an answer says; usual: of an item that was seen, which is neither liked nor disliked."""
    return usual if answer is None or answer == SEEN else float(answer)


def user_index(inputs: Inputs, user_id: str | None) -> int:
    """0, whose attributes are unknown, without an id."""
    if user_id is None:
        return 0
    found = pc.index(inputs.user_profiles["user_id"], user_id).as_py()
    if found < 0:
        raise UserError(
            f"--user {user_id!r}: expected the id of a user with a profile of that ds. Leave "
            "--user out for a user without a profile."
        )
    return int(found) + 1


def read(file: Path, inputs: Inputs) -> Answers:
    """The answers in the file; a `UserError` names one that cannot be."""
    expected = (
        'expected a JSON object that gives each item id a rating, "seen", or null for "do not '
        'know it", such as {"50": 5, "172": "seen", "181": null}'
    )
    try:
        given: Any = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--answers {file}: {error.strerror}; {expected}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"--answers {file}: {error}; {expected}.") from None
    if not isinstance(given, dict):
        raise UserError(f"--answers {file}: it holds a {type(given).__name__}; {expected}.")
    found: Answers = {}
    low, high = inputs.rating_levels[0], inputs.rating_levels[-1]
    for item_id, answer in given.items():
        place = pc.index(inputs.item_profiles["item_id"], item_id).as_py()
        if place < 0:
            raise UserError(
                f"--answers {file}: there is no item {item_id!r} in that ds; {expected}."
            )
        is_number = isinstance(answer, int | float) and not isinstance(answer, bool)
        if answer is not None and answer != SEEN and not (is_number and low <= answer <= high):
            raise UserError(
                f"--answers {file}: the answer about {item_id!r} is {answer!r}; expected a rating "
                f'from {low:g} to {high:g}, "seen", or null.'
            )
        found[place + 1] = float(answer) if is_number else answer
    return found


def names(inputs: Inputs, items: list[int]) -> list[str]:
    """The ids and titles of items, by item index."""
    rows = inputs.item_profiles.take([item - 1 for item in items])
    ids, titles = rows["item_id"].to_pylist(), rows["title"].to_pylist()
    return [f"{each}  {title or ''}".rstrip() for each, title in zip(ids, titles, strict=True)]
