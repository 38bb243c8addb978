"""Which regularisation a night takes: the one that validation users say, or that is named."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from meta_model.choice import selection
from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.loss import loss_of
from meta_model.choice.training import REGULARISATIONS, Training
from meta_model.config import Config
from meta_model.data.batching import from_episodes
from meta_model.data.inputs import Inputs
from schemas.errors import UserError

CPU = torch.device("cpu")


@pytest.fixture
def trained(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> dict[str, Ridge]:
    """Models of the names asked for, untrained: by the share of items that training hides."""
    models: dict[str, Ridge] = {}

    def train(_inputs: Inputs, training: Training, *_others: object) -> Ridge:
        torch.manual_seed(len(models))
        model = Ridge(inputs, 6, 0.0).eval()
        models["light" if training.dropout < 0.3 else "strong"] = model
        return model

    monkeypatch.setattr(selection, "train", train)
    return models


@pytest.mark.parametrize("best", sorted(REGULARISATIONS))
def test_the_one_with_the_least_validation_loss_comes_first(
    inputs: Inputs, config: Config, trained: dict[str, Ridge], best: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def loss(model: Ridge, *_others: object) -> float:
        return 1.0 if model is trained.get(best) else 2.0

    monkeypatch.setattr(selection, "validation_loss", loss)
    found = selection.trained_choices(inputs, config, CPU, lambda _text: None)
    assert found == trained
    assert found.keys() == REGULARISATIONS.keys()
    assert next(iter(found)) == best


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("bad", sorted(REGULARISATIONS))
def test_a_validation_loss_that_is_no_number_is_no_least_one(
    inputs: Inputs, config: Config, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter(math.nan if name == bad else 1.0 for name in REGULARISATIONS)
    monkeypatch.setattr(selection, "validation_loss", lambda *_arguments: next(losses))
    with pytest.raises(UserError, match=f"became nan on validation users, after {bad} regularis"):
        selection.trained_choices(inputs, config, CPU, lambda _text: None)


def test_a_named_one_is_trained_alone(
    inputs: Inputs, config: Config, trained: dict[str, Ridge]
) -> None:
    named = config.having({"choice.regularisation": "strong"})
    found = selection.trained_choices(inputs, named, CPU, lambda _text: None)
    assert found == trained
    assert found.keys() == {"strong"}


def test_the_loss_is_of_the_query_after_so_many_interactions(inputs: Inputs, rows) -> None:
    torch.manual_seed(1)
    model = Ridge(inputs, 6, 0.0).eval()
    tasks = from_episodes(rows("validation"))
    with torch.no_grad():
        losses = [
            loss_of(model, tasks.followed(known, 4), 4.0).item() for known in (0, 1, 3, 10, 30)
        ]
    found = selection.validation_loss(model, inputs, 4, CPU)
    assert found == pytest.approx(sum(losses) / 5, rel=1e-5)


def test_of_a_large_catalogue_fewer_users_are_held_at_once(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    model, sizes = Ridge(inputs, 6, 0.0).eval(), []
    inputs = replace(inputs, liked_level=0.0)  # all is liked, so that all users weigh the same
    expected = selection.validation_loss(model, inputs, 4, CPU)
    model.register_forward_pre_hook(lambda _model, given: sizes.append(len(given[0])))
    monkeypatch.setattr(selection, "_CELLS", 3 * len(inputs.item_profiles))
    assert selection.validation_loss(model, inputs, 4, CPU) == pytest.approx(expected, rel=1e-5)
    assert max(sizes) == 3
