"""The interactions by which a night numbers its users and items.

`build_profiles` numbers them in the order in which they came. An interaction that comes late moves
the numbers of all who came after it. So the profiles carry the digest of the interactions that they
were made of, and every later step that joins interactions to the numbers asks for the same ones:
another run may have written more of them since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake, Manifest
from schemas.pipeline import INGEST
from schemas.tables import lake as tables


def digest(days: Mapping[date, Manifest]) -> str:
    """Of the days that have interactions, and of what these are; not of the files they came in."""
    made_of = [
        (str(day), (held.fingerprint or "").split(":")[:2])
        for day, held in sorted(days.items())
        if held.rows
    ]
    return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]


def of_interactions(lake: Lake, ds: date) -> str:
    """The digest of the interactions in force up to `ds`."""
    return digest(lake.days("interactions", until=ds))


def require_same(lake: Lake, spec: DatasetSpec, ds: date) -> None:
    """A `UserError` unless the profiles of `ds` are of the interactions in force up to it.

    To be called once the interactions' files are named, which never change after that.
    """
    profiles = lake.manifest(tables.user_profiles(spec).name, ds)
    if profiles is None or profiles.fingerprint != of_interactions(lake, ds):
        raise UserError(
            f"the interactions up to ds {ds} have changed since its users and items were numbered; "
            "expected the same ones in all steps of a night. Another run has written late "
            f"interactions: run the steps from {INGEST.name} on again for that ds: "
            f"{INGEST.command(ds)}"
        )
