"""A model predicts the same for the users and items that it knows, whatever their later indices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from benchmarks.inputs.float64 import double
from meta_model.artefact.row_alignment import aligned, row_keys
from meta_model.choice.learners import LEARNERS as CHOICE_LEARNERS
from meta_model.config import ChoiceLearner, Config
from meta_model.data.features import features
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.learners import LEARNERS, Learner, configured, create
from tests.meta_model.drawn import draw_all

N_NEW = 5  # items that came after training


@pytest.fixture
def known(inputs: Inputs) -> Inputs:
    """The small world, with a vocabulary of its own."""
    sizes = {f"user.{n}": s for n, s in zip(inputs.users.names, inputs.users.sizes, strict=True)}
    sizes |= {f"item.{n}": s for n, s in zip(inputs.items.names, inputs.items.sizes, strict=True)}
    rows = [
        {"feature": feature, "value": f"value {index}", "index": index}
        for feature, size in sizes.items()
        for index in range(1, size)
    ]
    return replace(inputs, vocabulary=pa.Table.from_pylist(rows, schema=inputs.vocabulary.schema))


@pytest.fixture
def later(known: Inputs) -> Inputs:
    """The same users and items: new items before them, each vocabulary in reverse with one more."""
    vocabulary = known.vocabulary.to_pylist()
    sizes = {row["feature"]: 0 for row in vocabulary}
    for row in vocabulary:
        sizes[row["feature"]] += 1
    for row in vocabulary:
        row["index"] = sizes[row["feature"]] + 1 - row["index"]
    vocabulary += [
        {"feature": feature, "value": "new", "index": size + 1} for feature, size in sizes.items()
    ]

    def moved(name: str, column: pa.ChunkedArray) -> pa.Array:
        """Indices as the new vocabulary has them; 0 stays 0."""
        top = sizes[name] + 1
        turned = [
            [top - v if v else 0 for v in row] if isinstance(row, list) else (top - row) * (row > 0)
            for row in column.to_pylist()
        ]
        return pa.array(turned, column.type)

    users, items = known.user_profiles, known.item_profiles
    for name in known.users.names:
        users = users.set_column(
            users.schema.names.index(name), name, moved(f"user.{name}", users[name])
        )
    for name in known.items.names:
        items = items.set_column(
            items.schema.names.index(name), name, moved(f"item.{name}", items[name])
        )
    new = items.slice(0, N_NEW)
    new = new.set_column(1, "item_id", pa.array([f"new{n}" for n in range(N_NEW)]))
    items = pa.concat_tables([new, items])
    index = pa.array(np.arange(1, len(items) + 1), pa.int32())
    items = items.set_column(0, "item_index", index)
    both = {
        entity: {n: sizes[f"{entity}.{n}"] + 2 for n in side.names}
        for entity, side in (("user", known.users), ("item", known.items))
    }
    paths = known.metapaths.neighbours
    shifted = torch.where(paths > 0, paths + N_NEW, 0)
    padding = torch.zeros(len(paths), N_NEW, paths.shape[2], dtype=paths.dtype)
    neighbours = torch.cat([shifted[:, :1], padding, shifted[:, 1:]], dim=1)
    return replace(
        known,
        user_profiles=users,
        item_profiles=items,
        users=features(users, "user_index", both["user"]),
        items=features(items, "item_index", both["item"]),
        vocabulary=pa.Table.from_pylist(vocabulary, schema=known.vocabulary.schema),
        metapaths=replace(known.metapaths, neighbours=neighbours),
    )


def _predict(learner: Learner, tasks: Tasks) -> torch.Tensor:
    catalogue = learner.embed(tasks.items)
    state = learner.adapt(tasks, catalogue)
    return learner.expected(
        state, learner.predict(state, catalogue, learner.statistics.query(tasks))
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [*((name, {}) for name in sorted(LEARNERS)), ("maml", {"local_update.rates": "parameter"})],
)
def test_predictions_are_the_same_under_other_numbers(
    name: str, values: dict[str, object], known: Inputs, later: Inputs, config: Config, tasks_of
) -> None:
    config = configured(name, like=config).having(values)
    if name == "metahin":  # so that no neighbours are drawn
        config = config.having({"metahin.context_size": 99})
    torch.manual_seed(4)
    trained = create(config, known).double().eval()
    draw_all(trained)
    meeting = create(config, later).double()
    weights = aligned(trained.state_dict(), meeting, row_keys(known), row_keys(later))
    meeting.load_state_dict(weights)
    meeting.eval()
    # The statistics are of the day, and so of the new items too: the mean has to be the old one.
    meeting.statistics.mean.copy_(trained.statistics.mean)

    tasks = double(tasks_of("test"))
    moved = replace(tasks, items=torch.where(tasks.items > 0, tasks.items + N_NEW, 0))
    torch.testing.assert_close(_predict(meeting, moved), _predict(trained, tasks))


@pytest.mark.parametrize("name", sorted(CHOICE_LEARNERS))
def test_choices_are_the_same_under_other_numbers(
    known: Inputs, later: Inputs, tasks_of, name: ChoiceLearner
) -> None:
    """Of the items that training knew; what came since is new to the model."""
    torch.manual_seed(4)
    trained = CHOICE_LEARNERS[name](known, size=6, dropout=0.0).double().eval()
    for weight in trained.parameters():
        torch.nn.init.normal_(weight)
    for table in (trained.of_items, trained.of_users, trained.bias_of_values):
        table.table.data[0] = 0
    meeting = CHOICE_LEARNERS[name](later, size=6, dropout=0.0).double()
    weights = aligned(trained.state_dict(), meeting, row_keys(known), row_keys(later))
    meeting.load_state_dict(weights)
    meeting.eval()
    assert not meeting.is_trained[: N_NEW + 1].any()
    # What attributes promise is of the day, as item statistics are.
    meeting.promised[N_NEW + 1 :] = trained.promised[1:]
    ours, theirs = trained.items(), meeting.items()
    torch.testing.assert_close(theirs.biases[:, N_NEW + 1 :], ours.biases[:, 1:])
    torch.testing.assert_close(theirs.factors[N_NEW + 1 :], ours.factors[1:])

    tasks = double(tasks_of("test"))
    moved = replace(tasks, items=torch.where(tasks.items > 0, tasks.items + N_NEW, 0))
    # The catalogue's factors are part of the local update, and it has new ones: leave them out.
    without_new = theirs.factors.index_fill(0, torch.arange(N_NEW + 1), 0.0)
    same = replace(theirs, factors=without_new, catalogue=without_new)
    without_padding = ours.factors.index_fill(0, torch.tensor([0]), 0.0)
    nobody = replace(ours, factors=without_padding, catalogue=without_padding)
    found, expected = meeting.adapted(moved, same), trained.adapted(tasks, nobody)
    torch.testing.assert_close(found[..., N_NEW + 1 :], expected[..., 1:])


def test_what_was_not_met_is_zero(known: Inputs, later: Inputs, config: Config) -> None:
    trained, meeting = create(config, known), create(config, later)
    weights = aligned(trained.state_dict(), meeting, row_keys(known), row_keys(later))
    identity = weights["items.identity.table.weight"]
    assert identity[1 : N_NEW + 1].abs().sum() == 0
    unrated = later.item_profiles["train_n_ratings"].to_numpy() == 0
    assert identity[1:][torch.from_numpy(unrated)].abs().sum() == 0
    rated = ~unrated
    rated[:N_NEW] = False
    assert (identity[1:][torch.from_numpy(rated)].abs().sum(1) > 0).all()
