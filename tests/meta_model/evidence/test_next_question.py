"""The next question is worth what the formula says, and is never one that was asked."""

from __future__ import annotations

import pytest
import torch

from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.model import LIKE
from meta_model.data.inputs import Inputs
from meta_model.evidence.existing import existing_users
from meta_model.evidence.next_question import Questions
from meta_model.evidence.search import Search
from meta_model.evidence.selection import forward_selection


@pytest.fixture
def questions(inputs: Inputs) -> Questions:
    torch.manual_seed(5)
    model = Ridge(inputs, 6, dropout=0.0).eval()
    with torch.no_grad():
        model.own.mul_(8)
    existing = existing_users(inputs, model, n_users=10_000, n_candidates=12, seed=1)
    return Questions.of(model, existing)


def test_the_first_question_is_that_of_the_list(inputs: Inputs, questions: Questions) -> None:
    existing = existing_users(inputs, questions.model, n_users=10_000, n_candidates=12, seed=1)
    unasked = questions.unknown(torch.tensor([0]))
    best = int(questions.worth(unasked, unasked)[0].argmax())
    assert questions.candidates[best] == forward_selection(questions.model, existing, 1)[0]


def test_gains_are_means_over_those_who_do_not_know_the_item_and_those_who_do(
    inputs: Inputs, questions: Questions
) -> None:
    existing = existing_users(inputs, questions.model, n_users=10_000, n_candidates=12, seed=1)
    rates = existing.knows.float().mean(0)
    assert questions.answer_rates.tolist() == pytest.approx(rates.tolist())
    with torch.no_grad():
        gained = Search(questions.model, existing).first_gains()
    for candidate, of_users in enumerate(gained):
        knows = existing.knows[:, candidate]
        expected = [of_users[~knows].mean().item(), of_users[knows].mean().item()]
        assert questions.gains[:, candidate].tolist() == pytest.approx(expected, rel=1e-4)


def test_its_worth_is_the_formula(questions: Questions) -> None:
    unasked = questions.unknown(torch.tensor([0, 1]))
    columns, knows = torch.tensor([2, 4]), torch.tensor([True, False])
    with torch.no_grad():
        posterior = questions.answered(unasked, columns, torch.tensor([5.0, 0.0]), knows)
        worth = questions.worth(posterior, unasked)
        for user in range(2):
            for candidate in range(len(questions.candidates)):
                factors = questions.factors[candidate]
                likelier = questions.model.log_scale[LIKE].exp() * (
                    (posterior.means[user] - unasked.means[user]) @ factors
                )
                chance = questions.answer_rates[candidate] * likelier.clamp(-2, 2).exp()
                chance = min(1.0, float(chance))
                unknown, known = questions.gains[:, candidate].tolist()
                before, after = (
                    float(factors @ p.covariances[user] @ factors) for p in (unasked, posterior)
                )
                expected = ((1 - chance) * unknown + chance * known) * after / before
                assert float(worth[user, candidate]) == pytest.approx(expected, rel=1e-3, abs=1e-6)
        # Who does not know an item is the less likely to know those that are like it.
        assert not worth[1].equal(questions.worth(unasked, unasked)[1])
        # An answer leaves less to tell of the same item.
        factors = questions.factors[2]
        assert posterior.variances(factors)[0] < unasked.variances(factors)[0]
