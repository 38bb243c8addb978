"""One more answer changes the posterior as solving the whole ridge regression again would."""

from __future__ import annotations

import torch

from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.model import LIKE
from meta_model.choice.posterior import Posterior
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import Asked, InteractionSet
from meta_model.data.tasks import Tasks


def test_answers_one_by_one_are_the_local_update(inputs: Inputs, config: Config) -> None:
    torch.manual_seed(2)
    model = Ridge(inputs, 6, dropout=0.0).eval()
    users, asked = torch.tensor([1, 2]), torch.tensor([0, 3, 5, 7])
    ratings = torch.tensor([[5.0, 1.0, 3.0], [2.0, 4.0, 0.0]])
    knows = torch.tensor([[True, True, True], [True, False, False]])
    places = torch.tensor([[1, 2, 3], [1, 2, 3]])
    no_days = torch.zeros_like(places)
    side = InteractionSet(rows=places * knows, ratings=ratings * knows, days=no_days, mask=knows)
    rates = torch.tensor([0.9, 0.5, 0.2])
    tasks = Tasks(
        users=users,
        items=asked,
        support=side,
        query=side.hidden(),
        in_statistics=torch.zeros(2, dtype=torch.bool),
        day=torch.zeros(2),
        earlier_that_day=torch.zeros(2),
        is_ordered=False,
        asked=Asked(items=asked[1:].expand(2, -1), rates=rates.expand(2, -1)),
    )
    with torch.no_grad():
        factors = model.items().factors
        found = Posterior.of_unknown(model, users, factors)
        for column, item in enumerate(asked[1:]):
            of_item = factors[item].expand(2, -1)
            expected = rates[column] * (knows.sum(1) + 4) / (rates.sum() + 4)
            given = (model.answers(ratings[:, column]), knows[:, column], expected)
            after = found.means_after(of_item, *given)
            found = found.after(of_item, *given)
            torch.testing.assert_close(found.means, after)
        torch.testing.assert_close(
            found.means, model.adapt(tasks, model.items())[LIKE], atol=1e-4, rtol=1e-4
        )
        precision = model.log_unchosen.exp() * factors.mT @ factors
        precision += model.log_ridge.exp() * torch.eye(6)
        precision += factors[asked[1:]].mT @ factors[asked[1:]]
        torch.testing.assert_close(
            found.covariances[0], torch.linalg.inv(precision), atol=1e-4, rtol=1e-4
        )
        variance = found.variances(factors[9])[0]
        torch.testing.assert_close(variance, factors[9] @ found.covariances[0] @ factors[9])


def test_who_does_not_know_what_everybody_knows_moves_away_from_it(
    inputs: Inputs, config: Config
) -> None:
    torch.manual_seed(2)
    model = Ridge(inputs, 6, dropout=0.0).eval()
    with torch.no_grad():
        factors = model.items().factors
        before = Posterior.of_unknown(model, torch.tensor([1, 1]), factors)
        of_item = factors[3].expand(2, -1)
        rates, nobody = torch.tensor([0.9, 0.1]), torch.tensor([False, False])
        after = before.after(of_item, torch.zeros(2), nobody, rates)
        moved = ((after.means - before.means) * of_item).sum(1)
    torch.testing.assert_close(moved, -rates * before.variances(of_item))
    assert after.covariances.equal(before.covariances)
