"""The norms of per-example gradients equal those of autograd, one example at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.learners import LEARNERS, create
from meta_model.learners.learner import Learner

# The shared parameters that a support changes, or that its items are encoded by.
ADAPTED = {
    "aggregating": ("encoder.output",),
    "maml": ("layers", "users.embedding.table", "items.embedding.table"),
    "melu": ("decision.layers",),
    "prototypical": ("encoder.output",),
    "ridge": ("prior.bias",),  # added to a user's weights, so its gradient is theirs
}


def _norm(value: Tensor, parameters: list[Tensor]) -> float:
    gradients = torch.autograd.grad(value, parameters, retain_graph=True)
    return float(sum(gradient.square().sum() for gradient in gradients) ** 0.5)


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
@pytest.mark.parametrize("model", sorted(ADAPTED))
def test_norms_equal_autograds(
    inputs: Inputs, implicit: Inputs, config: Config, tasks_of, model: str, feedback: str
) -> None:
    torch.manual_seed(3)
    world = implicit if feedback == "implicit" else inputs
    learner = create(replace(config, model=model), world).eval()
    tasks: Tasks = tasks_of("train")[:3]
    if feedback == "implicit":
        ratings = (tasks.support.ratings >= 3).float()
        tasks = replace(tasks, support=replace(tasks.support, ratings=ratings))
    parameters = [p for name, p in learner.named_parameters() if name.startswith(ADAPTED[model])]
    found = learner.per_example_gradient_norms(tasks, learner.embed(tasks.items))
    scores, losses = _spelt_out(learner, tasks)
    for task, place in torch.nonzero(tasks.support.mask).tolist():
        of_score = _norm(scores[task, place], parameters)
        of_loss = _norm(losses[task, place], parameters)
        assert found.of_score[task, place].item() == pytest.approx(of_score, rel=1e-4)
        assert found.of_loss[task, place].item() == pytest.approx(of_loss, rel=1e-4, abs=1e-7)
        assert found.losses[task, place].item() == pytest.approx(losses[task, place].item())


def _spelt_out(learner: Learner, tasks: Tasks) -> tuple[Tensor, Tensor]:
    """Each support place's score and loss [B, S], as a user's first reaction."""
    catalogue, state = learner.embed(tasks.items), learner.unadapted(tasks)
    forecasts = learner.predict(state, catalogue, learner.statistics.support(tasks))
    if forecasts.dim() == 3:
        losses = learner.losses(state, forecasts, tasks.support.ratings)
        return learner.expected(state, forecasts), losses
    return forecasts, learner.local_likelihood.losses(
        forecasts, state.threshold_offsets, tasks.support.ratings
    )


@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_every_learner_says_how_much_it_would_learn(
    inputs: Inputs, config: Config, tasks_of, model: str
) -> None:
    """Under no_grad, as evidence is made; and one user's ratings do not move another's norms."""
    torch.manual_seed(3)
    learner = create(replace(config, model=model), inputs).eval()
    tasks: Tasks = tasks_of("train")
    with torch.no_grad():
        found = learner.per_example_gradient_norms(tasks, learner.embed(tasks.items))
        first = learner.per_example_gradient_norms(tasks[:1], learner.embed(tasks.items))
    mask = tasks.support.mask
    for values in (found.losses, found.of_loss, found.of_score):
        assert values.shape == mask.shape
        assert values[mask].isfinite().all()
        assert (values[mask] >= 0).all()
        assert values[mask].max() > 1e-3
    torch.testing.assert_close(found.of_loss[:1][mask[:1]], first.of_loss[mask[:1]])
