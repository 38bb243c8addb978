"""The name of a run of training: its day, its learner and the digest of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class RunId:
    """A model trained for `ds`; written `ds.model.version`, the same for the same model."""

    ds: date
    model: str
    version: str

    def __str__(self) -> str:
        return f"{self.ds}.{self.model}.{self.version}"

    @staticmethod
    def parse(text: str) -> RunId:
        """The model's name may have dots itself."""
        ds, _, rest = text.partition(".")
        model, _, version = rest.rpartition(".")
        return RunId(ds=date.fromisoformat(ds), model=model, version=version)
