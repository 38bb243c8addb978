"""The closed-form local update equals autograd through an explicit loop over tasks, to 1e-8."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from meta_model.layers.decision_layers import DecisionLayers
from meta_model.layers.layer_inputs import ConcatenatedInputs
from meta_model.layers.materialised_weights import materialise

LENGTHS = (1, 4, 7)  # ragged supports of three tasks
N_QUERY = 2
USERS, ITEMS, SIDE_FEATURES = 3, 4, 2


@dataclass
class Positions:
    """Positions of the support or the query: rows of the items, and side features."""

    rows: Tensor
    side_features: Tensor


@dataclass
class Batch:
    """What goes into the layers of three tasks; supports are padded with rubbish."""

    users: Tensor
    items: Tensor
    support: Positions
    query: Positions
    target: Tensor
    weight: Tensor
    ratings: Tensor

    def loss_gradient(self, predicted: Tensor) -> Tensor:
        """Of the squared error."""
        return 2 * (predicted - self.target)

    def inputs(self, layers: DecisionLayers, positions: Positions) -> ConcatenatedInputs:
        return ConcatenatedInputs(
            users=layers.users(self.users),
            items=layers.items(self.items),
            rows=positions.rows,
            side_features=positions.side_features,
        )

    def vectors(self, positions: Positions, task: int, length: int) -> Tensor:
        """The inputs at one task's positions, [length, USERS + ITEMS + SIDE_FEATURES]."""
        users = self.users[task].expand(length, -1)
        items = self.items[positions.rows[task, :length]]
        return torch.cat([users, items, positions.side_features[task, :length]], dim=1)


def _batch() -> Batch:
    torch.manual_seed(2)
    n_support = max(LENGTHS)
    users = torch.randn(3, USERS, dtype=torch.float64, requires_grad=True)
    items = torch.randn(9, ITEMS, dtype=torch.float64, requires_grad=True)

    def positions(n: int) -> Positions:
        rows = torch.randint(0, 9, (3, n))
        return Positions(rows, torch.randn(3, n, SIDE_FEATURES, dtype=torch.float64))

    mask = torch.arange(n_support) < torch.tensor(LENGTHS)[:, None]
    return Batch(
        users=users,
        items=items,
        support=positions(n_support),
        query=positions(N_QUERY),
        target=torch.randn(3, n_support, dtype=torch.float64),
        weight=mask.double() / mask.sum(1, keepdim=True),
        ratings=torch.randn(3, N_QUERY, dtype=torch.float64),
    )


def _layers(steps: int, learn_rates: bool = False) -> DecisionLayers:
    torch.manual_seed(1)
    return DecisionLayers((USERS, ITEMS, SIDE_FEATURES), (5, 4), steps, 0.05, learn_rates).double()


def _adapted_in_a_loop(
    layers: DecisionLayers, batch: Batch, second_order: bool
) -> list[dict[str, Tensor]]:
    """Each task's adapted weights, by autograd for every local step."""
    network = nn.Sequential(*_interleaved(layers))
    adapted = []
    for task, length in enumerate(LENGTHS):
        weights = dict(network.named_parameters())
        x = batch.vectors(batch.support, task, length)
        for rates in layers.log_rates.exp():
            predicted = functional_call(network, weights, (x,)).squeeze(-1)
            loss = (predicted - batch.target[task, :length]).square().mean()
            gradients = torch.autograd.grad(
                loss, list(weights.values()), create_graph=second_order, retain_graph=True
            )
            per_parameter = rates.repeat_interleave(2)  # a weight and a bias a layer
            weights = {
                name: weight - rate * gradient
                for (name, weight), rate, gradient in zip(
                    weights.items(), per_parameter, gradients, strict=True
                )
            }
        adapted.append(weights)
    return adapted


def _interleaved(layers: DecisionLayers) -> list[nn.Module]:
    first, *others = layers.layers
    return [first, *(module for layer in others for module in (nn.ReLU(), layer))]


def _loop_loss(layers: DecisionLayers, batch: Batch, second_order: bool = True) -> Tensor:
    network = nn.Sequential(*_interleaved(layers))
    losses = []
    for task, weights in enumerate(_adapted_in_a_loop(layers, batch, second_order)):
        x = batch.vectors(batch.query, task, N_QUERY)
        predicted = functional_call(network, weights, (x,)).squeeze(-1)
        losses.append((predicted - batch.ratings[task]).square().mean())
    return torch.stack(losses).mean()


def _batched_loss(layers: DecisionLayers, batch: Batch, second_order: bool = True) -> Tensor:
    support, query = (batch.inputs(layers, side) for side in (batch.support, batch.query))
    update = layers.adapt(support, batch.loss_gradient, batch.weight, second_order)
    return (layers(query, update) - batch.ratings).square().mean(1).mean()


def _gradients(loss: Tensor, layers: DecisionLayers, batch: Batch) -> list[Tensor]:
    """By every parameter, and by the vectors that come from the embeddings."""
    parameters = [p for p in layers.parameters() if p.requires_grad]
    return list(torch.autograd.grad(loss, [*parameters, batch.users, batch.items]))


@pytest.mark.parametrize("second_order", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("learn_rates", [False, True])
def test_loss_and_gradients_equal_the_loop(
    steps: int, learn_rates: bool, second_order: bool
) -> None:
    layers, batch = _layers(steps, learn_rates), _batch()
    batched = _batched_loss(layers, batch, second_order)
    reference = _loop_loss(layers, batch, second_order)
    torch.testing.assert_close(batched, reference, rtol=0, atol=1e-10)
    ours, theirs = (_gradients(loss, layers, batch) for loss in (batched, reference))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-8)


def test_first_order_is_not_second_order() -> None:
    layers, batch = _layers(steps=2), _batch()
    exact, first = (
        _gradients(_batched_loss(layers, batch, order), layers, batch) for order in (True, False)
    )
    assert max((a - b).abs().max().item() for a, b in zip(exact, first, strict=True)) > 1e-4


@pytest.mark.parametrize("steps", [1, 3])
def test_the_deltas_equal_the_loops_adapted_weights(steps: int) -> None:
    layers, batch = _layers(steps), _batch()
    support = batch.inputs(layers, batch.support)
    deltas = layers.adaptation_deltas(layers.adapt(support, batch.loss_gradient, batch.weight))
    adapted = _adapted_in_a_loop(layers, batch, second_order=False)
    for number, (parameter, delta) in enumerate(deltas.items()):
        expected = sum(list(weights.values())[number] - parameter for weights in adapted)
        torch.testing.assert_close(delta, expected, rtol=0, atol=1e-8)


def test_gradients_agree_with_finite_differences() -> None:
    layers, batch = _layers(steps=3, learn_rates=True), _batch()
    exact = _gradients(_batched_loss(layers, batch), layers, batch)
    step = 1e-6
    checked = 0
    for tensor, gradient in zip(
        [*layers.parameters(), batch.users, batch.items], exact, strict=True
    ):
        flat = tensor.data.view(-1)
        for position in range(0, len(flat), 5):
            original = flat[position].item()
            flat[position] = original + step
            above = _batched_loss(layers, batch).item()
            flat[position] = original - step
            below = _batched_loss(layers, batch).item()
            flat[position] = original
            difference = (above - below) / (2 * step)
            assert gradient.view(-1)[position].item() == pytest.approx(difference, abs=1e-5)
            checked += 1
    assert checked > 20


def test_items_that_are_the_same_for_all_tasks_need_one_row_of_positions() -> None:
    layers, batch = _layers(steps=2), _batch()
    support = batch.inputs(layers, batch.support)
    update = layers.adapt(support, batch.loss_gradient, batch.weight)
    rows, side_features = batch.query.rows[:1], batch.query.side_features[:1]
    shared = batch.inputs(layers, Positions(rows, side_features))
    spelt_out = batch.inputs(layers, Positions(rows.expand(3, -1), side_features.expand(3, -1, -1)))
    expected = layers(spelt_out, update)
    torch.testing.assert_close(layers(shared, update), expected)
    torch.testing.assert_close(materialise(layers, shared.users, update)(shared), expected)


def test_gradient_norms_equal_one_backward_pass_a_position() -> None:
    layers, batch = _layers(steps=1), _batch()
    predictions, norms = layers.per_example_gradient_norms(batch.inputs(layers, batch.support))
    network = nn.Sequential(*_interleaved(layers))
    for task in range(3):
        for position, x in enumerate(batch.vectors(batch.support, task, max(LENGTHS))):
            prediction = network(x).squeeze()
            gradients = torch.autograd.grad(
                prediction, list(network.parameters()), retain_graph=True
            )
            expected = sum(g.square().sum() for g in gradients) ** 0.5
            torch.testing.assert_close(norms[task, position], expected, rtol=0, atol=1e-12)
            torch.testing.assert_close(predictions[task, position], prediction)
