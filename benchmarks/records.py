"""Records of a benchmark: flat JSON objects, with the machine, day and commit they are of."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from schemas import utc
from schemas.run.settings import REPOSITORY

Record = Mapping[str, Any]


def write_json(file: Path, records: Iterable[Record]) -> None:
    """Write the records as one JSON list, each also saying the machine, the day and the commit.

    They are written as they come: a run that fails or is stopped leaves those that it has.
    """
    about = {"machine": machine(), "date": str(utc.today()), "commit": commit()}
    file.parent.mkdir(parents=True, exist_ok=True)
    written: list[Record] = []
    for record in records:
        written.append({**record, **about})
        file.write_text(json.dumps(written, indent=1) + "\n")


def commit(repository: Path = REPOSITORY) -> str | None:
    """The commit that is measured, with `-dirty` if files differ from it; none outside git."""
    command = ["git", "-C", str(repository), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def machine() -> str:
    """The processor, its cores and the GPU, as the operating system names them."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.processor()
    parts = [f"{os.cpu_count()} x {processor}", f"PyTorch {torch.__version__.split('+')[0]}"]
    if torch.cuda.is_available():
        parts.insert(1, torch.cuda.get_device_name())
    return ", ".join(parts)
