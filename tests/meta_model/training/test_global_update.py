"""One global update: the golden curve, the parts of a batch, Reptile, and what is no number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.inputs.float64 import double
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.learners import LEARNERS, Learner, configured, create
from meta_model.training.global_update import Progress, _add_gradients, global_update, optimizer_of

CPU = torch.device("cpu")
GOLDEN = Path(__file__).parents[2] / "golden" / "loss_curve.json"
STEPS = 20


UNDRAWN = {"network.cold_item_dropout": 0.0, "network.cold_task_dropout": 0.0}


def _losses(inputs: Inputs, config: Config, tasks: Tasks) -> list[float]:
    torch.manual_seed(config.seed)
    learner = create(config, inputs).to(tasks.support.ratings.dtype)
    optimizer = optimizer_of(learner, config, CPU)
    return [
        global_update(learner, optimizer, [(0, tasks)], config, _at(step))[0].item()
        for step in range(STEPS)
    ]


def _at(step: int) -> Progress:
    return Progress(epoch=1, step=step, share=step / STEPS)


CURVES = [(name, "second_order") for name in sorted(LEARNERS)]
CURVES += [(name, kind) for name in ("melu", "maml") for kind in ("first_order", "reptile")]


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize(("model", "gradient"), CURVES)
def test_the_loss_curve_is_the_golden_one(
    inputs: Inputs, config: Config, tasks_of, model: str, gradient: str
) -> None:
    """To 1e-6, and twice on one machine to the last bit. In float64: CPUs differ in the last bits
    of a sum, and of a gradient of 1e-9, no more than float32's noise, Adam makes a whole step.

    A change that is meant to move the curve writes the file anew: delete it, and run this test.
    """
    rates = "fixed" if gradient == "reptile" else "layer"
    chosen = configured(model, like=config).having(
        {"local_update.gradient": gradient, "local_update.rates": rates}
    )
    tasks = double(tasks_of("train"))
    losses = _losses(inputs, chosen, tasks)
    assert losses == _losses(inputs, chosen, tasks)
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    name = f"{model}, {gradient}"
    if name not in golden:
        GOLDEN.write_text(json.dumps(golden | {name: losses}, indent=1) + "\n")
        pytest.fail(f"{GOLDEN} had no curve for {name}; it has now: look at it, and commit it")
    assert losses == pytest.approx(golden[name], abs=1e-6)


def test_the_training_loss_falls(inputs: Inputs, config: Config, tasks_of) -> None:
    eager = config.having(
        UNDRAWN
        | {"network.dropout": 0.0, "training.global_rate": 1e-2, "training.weight_decay": 0.0}
    )
    losses = _losses(inputs, eager, tasks_of("train"))
    assert losses[-1] < 0.9 * losses[0]


def _gradients(learner: Learner) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in learner.named_parameters() if p.grad is not None}


def test_parts_of_a_batch_give_the_gradient_of_the_whole(
    inputs: Inputs, paper: Config, tasks_of
) -> None:
    """The paper's configuration draws nothing at random, so that only the parts differ."""
    tasks, gradients = tasks_of("train"), []
    undrawn = paper.having(UNDRAWN | {"training.clip_norm": 1e9})
    for parts in ([slice(0, 24)], [slice(0, 10), slice(10, 24)]):
        torch.manual_seed(1)
        learner = create(undrawn, inputs)
        optimizer = optimizer_of(learner, undrawn, CPU)
        chosen = [(n, tasks[torch.arange(24)[part]]) for n, part in enumerate(parts)]
        global_update(learner, optimizer, chosen, undrawn, _at(1))
        gradients.append(_gradients(learner))
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)


def test_reptile_moves_the_decision_layers_to_their_adapted_values(
    inputs: Inputs, config: Config, tasks_of
) -> None:
    reptile = config.having({"local_update.gradient": "reptile", "local_update.rates": "fixed"})
    torch.manual_seed(1)
    learner = create(reptile, inputs).eval()
    tasks = tasks_of("train")
    _add_gradients(learner, tasks, reptile)
    state = learner.adapt(tasks.whole(), learner.embed(tasks.items))
    for parameter, delta in learner.adaptation_deltas(state).items():
        torch.testing.assert_close(parameter.grad, -delta)
        assert delta.abs().max() > 1e-6
    assert learner.users.embedding.table.grad.abs().max() > 0
