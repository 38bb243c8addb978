"""What to ask one user next, given the answers so far: `python -m meta_model next_question`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pyarrow.compute as pc
import torch
from torch import Tensor

from meta_model.choice.posterior import Posterior
from meta_model.data.inputs import Inputs
from meta_model.evidence.existing import existing_users
from meta_model.evidence.next_question import Questions
from meta_model.steps.night import Night
from schemas.errors import UserError

_SHOWN = 5  # the next question, and what comes close to it
SEEN: Literal["seen"] = "seen"  # of an item that the user knows and does not rate

# None: the user does not know the item.
Answer = float | Literal["seen"] | None


def run(night: Night, answers: Path, user_id: str | None) -> None:
    """Print the next question and the best ones after it, with what each is worth."""
    given = _read(answers, night.inputs)
    config, model = night.loaded.config, night.loaded.recommender.choice
    existing = existing_users(
        night.inputs,
        model,
        n_users=config.products.evidence_users,
        n_candidates=config.products.evidence_candidates,
        seed=config.seed,
        always=[*given],
    )
    questions = Questions.of(model, existing)
    user = torch.tensor([_user_index(night.inputs, user_id)], device=questions.candidates.device)
    unasked = questions.unknown(user)
    posterior = _after(questions, unasked, given)
    worth = questions.worth(posterior, unasked)[0]
    worth[torch.isin(questions.candidates.cpu(), torch.tensor([*given]).long())] = -torch.inf
    for line in _lines(night.inputs, questions, worth):
        print(line)


def _after(questions: Questions, unasked: Posterior, given: dict[int, Answer]) -> Posterior:
    """What is known of the user after the answers; one about an item nobody knows says nothing.

    An item that was seen counts as chosen, and neither as liked nor as disliked.
    """
    posterior, device = unasked, questions.candidates.device
    usual = float(questions.model.mean_rating)
    for item, answer in given.items():
        column = (questions.candidates == item).nonzero().flatten()
        if len(column):
            rating = usual if answer is None or answer == SEEN else answer
            ratings = torch.tensor([rating], device=device)
            knows = torch.tensor([answer is not None], device=device)
            posterior = questions.answered(posterior, column, ratings, knows)
    return posterior


def _lines(inputs: Inputs, questions: Questions, worth: Tensor) -> list[str]:
    best = worth.argsort(descending=True, stable=True)[:_SHOWN].tolist()
    best = [column for column in best if worth[column] > -torch.inf]
    items = inputs.item_profiles.take([int(questions.candidates[column]) - 1 for column in best])
    names = zip(items["item_id"].to_pylist(), items["title"].to_pylist(), strict=True)
    return ["rank  worth   item"] + [
        f"{rank:>4}  {worth[column]:.4f}  {item_id}" + (f"  {title}" if title else "")
        for rank, (column, (item_id, title)) in enumerate(zip(best, names, strict=True), start=1)
    ]


def _user_index(inputs: Inputs, user_id: str | None) -> int:
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


def _read(file: Path, inputs: Inputs) -> dict[int, Answer]:
    """The answers by item index."""
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
    found: dict[int, Answer] = {}
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
