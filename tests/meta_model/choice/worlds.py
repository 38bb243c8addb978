"""What tests of models of choices share: models and tasks in float64, a world with two tastes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from meta_model.choice.model import ChoiceModel
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks

M = TypeVar("M", bound=ChoiceModel)
HALF_LIFE = 3.0  # of `drawn`: supports are short, and should not be all alike


def drawn(learner: type[M], inputs: Inputs) -> M:
    """An untrained model in float64, its weights drawn at random; everyone has a taste already."""
    torch.manual_seed(5)
    made = learner(inputs, size=6, dropout=0.5).double().eval()
    with torch.no_grad():
        made.everyone.normal_()
        made.later.normal_()
        made.log_half_life.fill_(np.log(HALF_LIFE))
    return made


def double(tasks: Tasks) -> Tasks:
    """The tasks with ratings in float64, for a model in float64."""
    sides = (replace(side, ratings=side.ratings.double()) for side in (tasks.support, tasks.query))
    support, query = sides
    return replace(tasks, support=support, query=query)


def two_tastes(inputs: Inputs, folder: Path, lasts: int | None = None) -> Inputs:
    """The inputs with other episodes: a user chooses even items alone, or odd ones alone.

    lasts: interactions after which the taste changes to the other one; None: it never does. A new
    day begins after every seventh.
    """
    trained = np.flatnonzero(inputs.item_profiles["train_n_ratings"].to_numpy()) + 1
    schema = next(iter(inputs.episodes.split("train").buffers())).schema
    rows = []
    for user in range(1, 41):
        draws = np.random.default_rng(user)
        kinds = [draws.permutation(trained[trained % 2 == (user + other) % 2]) for other in (0, 1)]
        items = np.array([kinds[place // (lasts or 14) % 2][place] for place in range(14)])
        ratings = draws.integers(3, 6, len(items)).astype(float)
        row = dict.fromkeys(schema.names) | {
            "task_id": f"u{user}",
            "user_index": user,
            "scenario": "warm",
            "split": "validation" if user > 32 else "train",
            "earlier_that_day": 0,
            "support_items": items[:8].tolist(),
            "support_ratings": ratings[:8].tolist(),
            "support_days": [10_000] * 7 + [10_001],
            "query_items": items[8:].tolist(),
            "query_ratings": ratings[8:].tolist(),
            "query_days": [10_001] * 6,
        }
        rows.append(row)
    table = pa.Table.from_pylist(rows, schema=schema)
    assert pc.all(pc.greater(pc.list_value_length(table["query_items"]), 3)).as_py()
    pq.write_table(table, folder / "two-tastes.parquet")
    return replace(inputs, episodes=Episodes(files=(folder / "two-tastes.parquet",)))
