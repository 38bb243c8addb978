"""Tasks are split differently each time, and training learns to use what a task shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.choice.learners import LEARNERS
from meta_model.choice.loss import loss_of
from meta_model.choice.model import ChoiceModel
from meta_model.choice.training import REGULARISATIONS, Training, split, train
from meta_model.config import ChoiceLearner, Config
from meta_model.data import episodes
from meta_model.data.batching import batches
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from schemas.errors import UserError
from tests.meta_model.choice.worlds import two_tastes
from tests.meta_model.evaluation.literal_tasks import literal_tasks

TASKS = literal_tasks(
    *(([(item, float(item)) for item in range(1, n + 1)], []) for n in [1, 2, 30] * 100)
)
UNORDERED = replace(TASKS, is_ordered=False)


@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_a_loss_that_is_no_number_ends_training(inputs: Inputs, learner: ChoiceLearner) -> None:
    """It would be the least of all in a comparison."""
    with pytest.raises(UserError, match=r"became nan in epoch \d; expected a number"):
        train(inputs, Training(learner=learner, size=4, epochs=3, rate=1e30))


def test_the_pass_that_fits_a_posterior_has_the_same_check(inputs: Inputs) -> None:
    """Of one step the loss is that of the weights before it."""
    with pytest.raises(UserError, match="became nan in the pass that fits the posterior"):
        train(inputs, Training(learner="melu", size=4, epochs=1, batch_tasks=64, rate=1e30))


def _split(nothing: float, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    made = split(UNORDERED, nothing, torch.Generator().manual_seed(seed), next_items=3)
    for row, n in enumerate([1, 2, 30] * 100):
        sides = [
            made.items[side.rows[row][side.mask[row]]].tolist()
            for side in (made.support, made.query)
        ]
        assert sorted(sides[0] + sides[1]) == list(range(1, n + 1)), "each once"
        ratings = made.support.ratings[row][made.support.mask[row]].tolist()
        assert ratings == [float(item) for item in sides[0]]
    return made.support.mask.sum(1), made.query.mask.sum(1)


def test_each_interaction_is_shown_or_to_be_chosen() -> None:
    shown, chosen = _split(nothing=0.0)
    assert chosen.ge(1).all()
    of_thirty = shown[2::3]
    assert of_thirty.min() <= 1
    assert of_thirty.max() >= 25
    assert 0.4 < of_thirty.le(9).float().mean() < 0.8, "small numbers are drawn more often"


def test_where_there_is_an_order_the_next_ones_are_to_be_chosen() -> None:
    made = split(TASKS, 0.05, torch.Generator().manual_seed(1), next_items=3)
    for row, n in enumerate([1, 2, 30] * 100):
        shown, chosen = (
            made.items[side.rows[row][side.mask[row]]].tolist()
            for side in (made.support, made.query)
        )
        assert shown == list(range(1, len(shown) + 1))
        last = min(len(shown) + 3, n)
        assert chosen == list(range(len(shown) + 1, last + 1))
        assert chosen


def test_padding_between_support_and_query_is_no_interaction() -> None:
    """As a task's whole history has it, where others of its batch have a longer support."""
    tasks = literal_tasks(([(1, 1.0)], [(2, 2.0), (3, 3.0)]), ([(4, 4.0), (5, 5.0)], [(6, 6.0)]))
    found = set()
    for seed in range(40):
        made = split(tasks.whole(), 0.0, torch.Generator().manual_seed(seed), next_items=1)
        for row in range(2):
            items = [
                tuple(made.items[side.rows[row][side.mask[row]]].tolist())
                for side in (made.support, made.query)
            ]
            found.add(tuple(items))
    assert {((), (1,)), ((1,), (2,)), ((1, 2), (3,)), ((4, 5), (6,))} <= found
    assert len(found) == 6


def test_some_tasks_show_nothing() -> None:
    shown, _ = _split(nothing=1.0)
    assert shown.eq(0).all()


def test_two_splits_differ() -> None:
    first, second = (_split(0.05, seed)[0] for seed in (1, 2))
    assert not first.equal(second)


def test_the_loss_is_of_what_is_chosen_and_of_what_is_liked_of_it() -> None:
    """Items that cannot be chosen do not count; nor do tasks in which nothing was liked."""
    tasks = literal_tasks(([(4, 1.0)], [(1, 5.0), (2, 3.0), (3, 4.0)]), ([], [(1, 2.0)]))
    choice = torch.tensor([[-9.0, -1.0, -2.0, -torch.inf, -9.0]] * 2)
    like = torch.tensor([[-9.0, -3.0, -4.0, -5.0, -9.0]] * 2)
    found = loss_of(lambda _tasks: torch.stack([choice, like]), tasks, liked_from=4.0)
    assert found.item() == pytest.approx((((1 + 2) / 2 + 1) / 2 + (3 + 5) / 2) / 2)


def test_either_regularisation_shows_some_items_as_new_ones() -> None:
    """Without that, attributes learn nothing of items that nobody has chosen yet (decision 27)."""
    assert all(Training.of(Config(), name).hide_item >= 0.1 for name in REGULARISATIONS)


def test_light_regularisation_decays_more_and_hides_no_factors() -> None:
    """Hidden factors are not what a closed form solves with when it serves (decision 35)."""
    config = Config().having({"choice.decay": 0.3})
    light, strong = (Training.of(config, name) for name in ("light", "strong"))
    assert (light.dropout, strong.dropout) == (0.0, 0.4)
    assert (light.decay, strong.decay) == (pytest.approx(3.0), 0.3)


TRAINING = Training(size=8, epochs=3, batch_tasks=8, dropout=0.0, hide_item=0.0)


@pytest.mark.usefixtures("long")
def test_training_learns_and_repeats(inputs: Inputs) -> None:
    losses: list[float] = []
    model = train(inputs, TRAINING, lambda _, loss: losses.append(loss))
    assert losses[-1] < losses[0]
    again = train(inputs, TRAINING)
    for name, value in model.state_dict().items():
        assert value.equal(again.state_dict()[name]), name
    other = train(inputs, replace(TRAINING, seed=2))
    assert not other.own.equal(model.own)


def test_training_reads_buffers_to_their_end(
    inputs: Inputs,
    rows: Callable[..., pa.Table],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each buffer ends with a short batch, so that there are more than the tasks would fill."""
    monkeypatch.setattr(episodes, "BUFFER_TASKS", 4)
    files = (tmp_path / "part-0.parquet", tmp_path / "part-1.parquet")
    for number, file in enumerate(files):
        pq.write_table(rows("train")[12 * number :][:12], file, row_group_size=5)
    parts = replace(inputs, episodes=Episodes(files=files))
    n_batches = len(list(batches(parts.episodes.split("train"), TRAINING.batch_tasks)))
    assert n_batches > 24 / TRAINING.batch_tasks + 1
    losses: list[float] = []
    train(parts, TRAINING, lambda _, loss: losses.append(loss))
    assert len(losses) == TRAINING.epochs


@pytest.fixture(scope="module")
def changing_and_lasting(
    inputs: Inputs, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ChoiceModel, ChoiceModel]:
    """Trained in a world whose tastes change after seven interactions, a day, and in one whose
    tastes last."""
    training = replace(TRAINING, epochs=20, batch_tasks=16, rate=0.05, next_items=1)
    changing, lasting = (
        train(two_tastes(inputs, tmp_path_factory.mktemp("tastes"), lasts), training)
        for lasts in (7, None)
    )
    return changing, lasting


@pytest.mark.usefixtures("long")
def test_the_half_life_is_as_short_as_tastes_last(
    changing_and_lasting: tuple[ChoiceModel, ChoiceModel],
) -> None:
    changing, lasting = (each.log_half_life.exp() for each in changing_and_lasting)
    assert changing < 3.5 < 5 < lasting, "5 is where learning begins"


@pytest.mark.usefixtures("long")
def test_an_earlier_day_counts_as_far_as_tastes_last(
    changing_and_lasting: tuple[ChoiceModel, ChoiceModel],
) -> None:
    changing, lasting = (each.logit_earlier.sigmoid() for each in changing_and_lasting)
    assert changing < 0.3 < 0.5 < lasting, "0.5 is where learning begins"


@pytest.mark.usefixtures("long")
def test_what_is_shown_makes_choices_more_likely(inputs: Inputs) -> None:
    """On the tasks that it learnt from: less loss with the support than without."""
    model = train(inputs, replace(TRAINING, epochs=20))
    [tasks] = batches(inputs.episodes.split("train"), 1_000)
    tasks = split(tasks, 0.0, torch.Generator().manual_seed(1), next_items=10)
    tasks = tasks[tasks.support.mask.sum(1) >= 3]
    nothing = replace(tasks, support=tasks.support.map(torch.zeros_like))
    with torch.no_grad():
        assert loss_of(model, tasks, 4.0) < loss_of(model, nothing, 4.0)
