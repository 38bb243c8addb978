"""The next question is worth what the formula says, and is never one that was asked."""

from __future__ import annotations

import math

import pytest
import torch

from meta_model.choice.learners.ridge import Ridge
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.evidence import next_question
from meta_model.evidence.existing import Existing, existing_users
from meta_model.evidence.next_question import Questions
from meta_model.evidence.search import Search
from meta_model.evidence.selection import forward_selection

_ASKABLE = 8


@pytest.fixture
def model(inputs: Inputs) -> Ridge:
    torch.manual_seed(5)
    model = Ridge(inputs, 6, dropout=0.0).eval()
    with torch.no_grad():
        model.own.mul_(8)
    return model


@pytest.fixture
def existing(inputs: Inputs, model: Ridge) -> Existing:
    few = Config(seed=1).having({"products.evidence_candidates": 12})
    return existing_users(inputs, model, few)


@pytest.fixture
def questions(
    model: Ridge, existing: Existing, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> Questions:
    monkeypatch.setattr(next_question, "_ASKABLE", _ASKABLE)
    return Questions.of(model, existing, inputs.liked_from)


def test_what_a_list_would_ask_can_be_asked_and_the_first_is_the_same(
    model: Ridge, existing: Existing, questions: Questions
) -> None:
    of_list = forward_selection(model, existing, _ASKABLE)
    worth = questions.worth(questions.unknown(torch.tensor([0])))[0]
    assert set(questions.candidates[worth > -torch.inf].tolist()) == set(of_list.tolist())
    assert questions.candidates[worth.argmax()] == of_list[0]


def test_its_worth_is_the_formula(model: Ridge, existing: Existing, questions: Questions) -> None:
    with torch.no_grad():
        gained = Search(model, existing).first_gains()
        asked = [(1, (5.0, 0.0)), (3, (2.0, 4.0)), (6, (0.0, 1.0))]  # answers of two new users
        session = unasked = questions.unknown(torch.tensor([0, 1]))
        for column, of_users in asked:
            ratings, columns = torch.tensor(of_users), torch.tensor([column, column])
            session = questions.answered(session, columns, ratings, ratings > 0)
        worth = questions.worth(session)
    for user in range(2):
        weights = [
            math.exp(-sum(_differs(existing, v, c, of[user]) for c, of in asked) / 4)
            for v in range(len(existing))
        ]
        for place in questions.askable.tolist():
            gain = sum(w * float(g) for w, g in zip(weights, gained[place], strict=True))
            factors = questions.factors[place]
            before, after = (
                float(factors @ each.posterior.covariances[user] @ factors)
                for each in (unasked, session)
            )
            expected = gain / sum(weights) * after / before
            assert float(worth[user, place]) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    # Who rated an item leaves less to tell of it.
    factors = questions.factors[1]
    assert session.posterior.variances(factors)[0] < unasked.posterior.variances(factors)[0]


def _differs(existing: Existing, v: int, column: int, rating: float) -> float:
    """In how many answers an existing user differs from one who rates so; 0: does not know it."""
    theirs = float(existing.ratings[v, column]) if existing.knows[v, column] else 0.0
    if (theirs > 0) != (rating > 0):
        return 1.0
    return 0.5 if (theirs >= 4) != (rating >= 4) else 0.0
