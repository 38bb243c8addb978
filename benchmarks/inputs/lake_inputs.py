"""A data set without a published split, as the product's own night cuts it.

The steps of the night that make features run as they do every night, on a lake of their own; what
is held out, and which negatives are sampled, is theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa

from benchmarks.inputs import night_steps
from meta_model.data.inputs import Inputs, load
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import BUILD_EPISODES, BUILD_METAPATHS, BUILD_PROFILES, INGEST
from schemas.projections.arrow import read_partition
from schemas.tables import lake as tables

log = logging.getLogger("benchmarks.inputs.lake_inputs")

# The day that the night is of.
NIGHTS: Mapping[str, date] = {"ml-100k": date(1998, 4, 22), "toys": date(2020, 8, 31)}
_STEPS = (INGEST, BUILD_PROFILES, BUILD_EPISODES, BUILD_METAPATHS)


def prepare(folder: Path, dataset: str, home: Path, ds: date | None = None) -> Inputs:
    """The inputs of the data set in `folder`, made by the steps in `home`; of `NIGHTS` or a ds."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; expected the files of the data set {dataset}.")
    ds = ds or NIGHTS[dataset]
    variables = {"COLDSTART_HOME": str(home), "COLDSTART_SOURCE": str(folder)}
    for step in _STEPS:
        log.info("%s of %s, %s", step.name, dataset, ds)
        night_steps.run([step.name, "--ds", str(ds)], variables)
    return load(Lake(root=home / "lake"), ds)


def interactions(home: Path, dataset: str) -> pa.Table:
    """All interactions of the lake that `prepare` left in `home`."""
    lake = Lake(root=home / "lake")
    table = tables.interactions(dataset_choice.of_lake(lake.root))
    days = lake.days(table.name, until=NIGHTS[dataset])
    return pa.concat_tables(read_partition(table, lake.version(table.name, day)) for day in days)
