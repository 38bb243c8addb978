"""Training episodes that stay on a GPU from epoch to epoch, where they fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import torch

from meta_model.data.batching import batches, batches_of
from meta_model.data.episodes import Episodes
from meta_model.data.ragged import Ragged
from meta_model.data.resampling import Resampling
from meta_model.data.tasks import Tasks
from meta_model.device import works_ahead

RESIDENT_BYTES = 2 << 30  # some 200 million interactions


class TrainingRows:
    """Rows of episodes on a device: kept there if they take at most `resident_bytes`.

    A CPU gains nothing by keeping them. It streams them, and its memory stays flat.
    """

    def __init__(
        self, episodes: Episodes, device: torch.device, resident_bytes: int | None = None
    ) -> None:
        self.episodes = episodes
        self.device = device
        if resident_bytes is None:
            resident_bytes = RESIDENT_BYTES if works_ahead(device) else 0
        self.resident = _all_rows(episodes, device, resident_bytes)

    def batches(
        self, batch_tasks: int, shuffle: np.random.Generator, resampling: Resampling | None
    ) -> Iterator[Tasks]:
        """The batches of an epoch, on the device."""
        if self.resident is not None:
            return batches_of(self.resident, batch_tasks, shuffle, resampling)
        return batches(self.episodes, batch_tasks, shuffle, resampling, on=self.device)


def _all_rows(episodes: Episodes, device: torch.device, most_bytes: int) -> Ragged | None:
    """All rows at once; None if they take more than `most_bytes`, or there are none."""
    tables: list[pa.Table] = []
    size = 0
    if most_bytes:
        for table in episodes.buffers():
            size += table.nbytes
            if size > most_bytes:
                return None
            tables.append(table)
    return Ragged.of(pa.concat_tables(tables), device) if tables else None
