"""Which days of the lake's interactions are held out, for every step that makes features."""

from __future__ import annotations

from datetime import date

from schemas.dataset.holdout import Holdout, holdout
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import INGEST


def lake_holdout(lake: Lake, spec: DatasetSpec, ds: date) -> Holdout:
    """The held-out days of the interactions that the lake has up to `ds`."""
    days = lake.days("interactions", until=ds)
    with_rows = [day for day, manifest in days.items() if manifest.rows]
    if not with_rows:
        raise UserError(
            f"the lake has no interactions up to ds {ds}; run the step {INGEST.name} first: "
            f"{INGEST.command(ds)}"
        )
    return holdout(with_rows[0], with_rows[-1], spec.cold_start)
