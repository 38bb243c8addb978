"""Records of a benchmark: flat JSON objects, with the machine and the day they are of."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from schemas import utc

Record = Mapping[str, Any]


def write_json(file: Path, records: Iterable[Record]) -> None:
    """Write the records as one JSON list, each also saying the machine and the day.

    They are written as they come: a run that fails or is stopped leaves those that it has.
    """
    about = {"machine": machine(), "date": str(utc.today())}
    file.parent.mkdir(parents=True, exist_ok=True)
    written: list[Record] = []
    for record in records:
        written.append({**record, **about})
        file.write_text(json.dumps(written, indent=1) + "\n")


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
