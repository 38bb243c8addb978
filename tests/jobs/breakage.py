"""What goes wrong with disks and files: a disk that fills up, a file that is cut or altered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        # A file-size limit would not do: the Spark server writes, and it keeps its limits.
        pytest.skip("only root may mount a small disk; tests/e2e has a file-size limit for others")
    try:
        yield
    finally:  # lazily: Spark lets go of a file that it could not end when it is collected
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill_but_a_page(folder: Path) -> Path:
    ballast = folder / ".ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(8 << 20))
    os.truncate(ballast, ballast.stat().st_size - 4096)
    return ballast


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 4] ^= 1
    file.write_bytes(content)
