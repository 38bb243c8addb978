"""A data set without a published split, as the product's own night cuts it.

The steps of the night that make features run as they do every night, on a lake of their own; what
is held out, and which negatives are sampled, is theirs.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from meta_model.data.inputs import Inputs, load
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.settings import REPOSITORY

log = logging.getLogger("benchmarks.lake_inputs")

# The day that the night is of.
NIGHTS: Mapping[str, date] = {"toys": date(2020, 8, 31)}
_STEPS = ("ingest", "build-profiles", "build-episodes", "build-metapaths")


def prepare(folder: Path, dataset: str, home: Path) -> Inputs:
    """The inputs of the data set in `folder`, made by the steps in a new home."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; expected the files of the data set {dataset}.")
    ds = NIGHTS[dataset]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "COLDSTART_SPARK"},
        "COLDSTART_HOME": str(home),
        "COLDSTART_SOURCE": str(folder),
    }
    for step in _STEPS:
        argv = [sys.executable, "-m", "jobs", step, "--ds", str(ds)]
        log.info("%s of %s", step, dataset)
        done = subprocess.run(
            argv, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise UserError(f"the step {step} failed on {folder}:\n{done.stderr[-2000:]}")
    return load(Lake(root=home / "lake"), ds)
