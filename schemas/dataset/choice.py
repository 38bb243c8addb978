"""Which dataset spec describes a source, and which one a lake is bound to."""

from __future__ import annotations

import os
from pathlib import Path

from schemas.dataset.spec import BUNDLED, DatasetSpec, load
from schemas.errors import UserError
from schemas.pipeline import INGEST


def find(source: Path, *, named: str | None = None) -> Path:
    """The spec file of the data in the folder `source`: its own `dataset.toml`, else a bundled one.

    A bundled spec fits when all the files it names are there. `named`: the data set that it has
    to be of; another one is refused.
    """
    file = _find(source)
    if named is not None and (found := load(file).name) != named:
        raise UserError(
            f"{source} holds the data set {found!r}, and the run is for {named!r}; leave the data "
            "set empty, or set COLDSTART_SOURCE (and COLDSTART_HOME) to those of the other one."
        )
    return file


def _find(source: Path) -> Path:
    if not source.is_dir():
        raise UserError(
            f"source {source} is not a folder; name one that holds the data set's files "
            "(COLDSTART_SOURCE, or make nightly SOURCE=/path/to/folder), or name none, and have "
            "MovieLens-100K fetched (python -m jobs fetch)."
        )
    if (source / "dataset.toml").exists():
        return source / "dataset.toml"
    files = {path: load(path).files() for path in sorted(BUNDLED.glob("*.toml"))}
    for path, names in files.items():
        if all((source / name).exists() for name in names):
            return path
    known = "; ".join(f"{path.stem}: {', '.join(names)}" for path, names in files.items())
    raise UserError(
        f"source {source} holds {sorted(path.name for path in source.iterdir())[:10]}, which no "
        f"dataset spec describes ({known}). Put a dataset.toml beside your files; "
        "CONTRIBUTING.md says how."
    )


def bind(lake: Path, spec_file: Path) -> DatasetSpec:
    """Make `spec_file` the spec of a lake; later steps of a night read it from there.

    One lake holds one data set: another one is refused.
    """
    spec, bound = load(spec_file), lake / "dataset.toml"
    if bound.exists() and (held := load(bound).name) != spec.name:
        raise UserError(
            f"{lake} holds the data set {held!r}, and {spec_file} describes {spec.name!r}; "
            f"keep them apart: set COLDSTART_HOME to another folder for {spec.name!r}."
        )
    lake.mkdir(parents=True, exist_ok=True)
    temporary = lake / f".dataset.toml.{os.getpid()}"
    temporary.write_bytes(spec_file.read_bytes())
    temporary.replace(bound)
    return spec


def of_lake(lake: Path) -> DatasetSpec:
    """The spec that `bind` gave to the lake."""
    if not (lake / "dataset.toml").exists():
        raise UserError(f"{lake} holds no data yet; run the step {INGEST.name} first.")
    return load(lake / "dataset.toml")
