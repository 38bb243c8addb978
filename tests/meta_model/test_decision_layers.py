"""The closed-form local update equals autograd through an explicit loop over tasks, to 1e-8."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from meta_model.decision_layers import DecisionLayers

LENGTHS = (1, 4, 7)  # ragged supports of three tasks
INPUTS = 6


def _layers(steps: int, learn_rates: bool) -> DecisionLayers:
    torch.manual_seed(1)
    return DecisionLayers(INPUTS, (5, 4), steps, 0.05, learn_rates).double()


def _batch() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Support inputs, targets and weights padded with rubbish; query inputs and ratings."""
    torch.manual_seed(2)
    x = torch.randn(3, max(LENGTHS), INPUTS, dtype=torch.float64)
    target = torch.randn(3, max(LENGTHS), dtype=torch.float64)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    weight = mask.double() / mask.sum(1, keepdim=True)
    query = torch.randn(3, 2, INPUTS, dtype=torch.float64)
    return x, target, weight, query, torch.randn(3, 2, dtype=torch.float64)


def _reference_loss(layers: DecisionLayers, first_order: bool = False) -> Tensor:
    """The query loss by a Python loop over tasks and autograd for every local step."""
    x, target, _, query, ratings = _batch()
    network = nn.Sequential(*_interleaved(layers))
    names = [name for name, _ in network.named_parameters()]
    losses = []
    for task, length in enumerate(LENGTHS):
        weights = dict(network.named_parameters())
        for rates in layers.log_rates.exp():
            predicted = functional_call(network, weights, (x[task, :length],)).squeeze(-1)
            loss = (predicted - target[task, :length]).square().mean()
            gradients = torch.autograd.grad(
                loss, list(weights.values()), create_graph=not first_order
            )
            per_parameter = rates.repeat_interleave(2)  # a weight and a bias a layer
            weights = {
                name: weights[name] - rate * gradient
                for name, rate, gradient in zip(names, per_parameter, gradients, strict=True)
            }
        predicted = functional_call(network, weights, (query[task],)).squeeze(-1)
        losses.append((predicted - ratings[task]).square().mean())
    return torch.stack(losses).mean()


def _interleaved(layers: DecisionLayers) -> list[nn.Module]:
    first, *others = layers.layers
    return [first, *(module for layer in others for module in (nn.ReLU(), layer))]


def _batched_loss(layers: DecisionLayers) -> Tensor:
    x, target, weight, query, ratings = _batch()
    predicted = layers(query, layers.adapt(x, target, weight))
    return (predicted - ratings).square().mean(1).mean()


def _gradients(loss: Tensor, layers: DecisionLayers) -> list[Tensor]:
    parameters = [p for p in layers.parameters() if p.requires_grad]
    return list(torch.autograd.grad(loss, parameters))


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("learn_rates", [False, True])
def test_loss_and_gradients_equal_the_loop(steps: int, learn_rates: bool) -> None:
    layers = _layers(steps, learn_rates)
    batched, reference = _batched_loss(layers), _reference_loss(layers)
    torch.testing.assert_close(batched, reference, rtol=0, atol=1e-10)
    for ours, theirs in zip(
        _gradients(batched, layers), _gradients(reference, layers), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-8)


def test_gradients_are_second_order() -> None:
    layers = _layers(steps=2, learn_rates=False)
    exact = _gradients(_batched_loss(layers), layers)
    first_order = _gradients(_reference_loss(layers, first_order=True), layers)
    assert max((a - b).abs().max().item() for a, b in zip(exact, first_order, strict=True)) > 1e-4


def test_gradients_agree_with_finite_differences() -> None:
    layers = _layers(steps=3, learn_rates=True)
    exact = _gradients(_batched_loss(layers), layers)
    step = 1e-6
    for parameter, gradient in zip(layers.parameters(), exact, strict=True):
        flat = parameter.data.view(-1)
        for place in range(0, len(flat), 7):
            original = flat[place].item()
            flat[place] = original + step
            above = _batched_loss(layers).item()
            flat[place] = original - step
            below = _batched_loss(layers).item()
            flat[place] = original
            assert gradient.view(-1)[place].item() == pytest.approx(
                (above - below) / (2 * step), abs=1e-5
            )


def test_gradient_norms_equal_one_backward_pass_a_place() -> None:
    layers = _layers(steps=1, learn_rates=False)
    x = _batch()[0]
    predictions, norms = layers.gradient_norms(x)
    weights = list(layers.layers.parameters())
    for task in range(x.shape[0]):
        for place in range(x.shape[1]):
            prediction = layers(x[task : task + 1, place : place + 1], layers.no_update())
            gradients = torch.autograd.grad(prediction.squeeze(), weights)
            expected = sum(g.square().sum() for g in gradients) ** 0.5
            torch.testing.assert_close(norms[task, place], expected, rtol=0, atol=1e-12)
            torch.testing.assert_close(predictions[task, place], prediction.squeeze())
