"""Training users held back to validate on, as a night has them and a public split does not.

What a night chooses by validation users' lists (docs/adr/0029) is chosen by theirs here. The model
that is then judged trains on everybody.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs

_EVERY = 10  # one training user of so many
_MOST = 1_000  # users: enough for a difference of a hundredth


def held_back(inputs: Inputs, scratch: Path, seed: int) -> Inputs:
    """The inputs, some of whose training users are validation users instead.

    Their first task is what they are validated on. Item statistics are of everybody still.
    """
    tables = [pq.read_table(file) for file in inputs.episodes.files]
    train = pa.concat_tables(
        table.filter(pc.equal(table["split"], pa.scalar("train"))) for table in tables
    )
    of_tasks = train["user_index"].to_numpy()
    users, first = np.unique(of_tasks, return_index=True)
    drawn = np.random.default_rng(seed).permutation(len(users))
    chosen = drawn[: min(len(users) // _EVERY, _MOST)]
    is_left = ~np.isin(of_tasks, users[chosen])
    validation = train.take(np.sort(first[chosen]))
    place = validation.schema.get_field_index("split")
    validation = validation.set_column(place, "split", pa.array(["validation"] * len(validation)))
    folder = Path(tempfile.mkdtemp(prefix="held-back-", dir=scratch))
    files = []
    for name, tasks in {"train": train.filter(pa.array(is_left)), "validation": validation}.items():
        files.append(folder / f"{name}.parquet")
        pq.write_table(tasks.cast(train.schema), files[-1], row_group_size=1024)
    return replace(inputs, episodes=Episodes(files=tuple(files)))
