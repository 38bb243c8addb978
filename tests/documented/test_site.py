"""docs/ builds as a site: no link of it is dead, and the menu names pages that are there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from schemas.run.settings import REPOSITORY


def build(folder: Path, docs: Path = REPOSITORY / "docs") -> subprocess.CompletedProcess[str]:
    config = folder / "mkdocs.yml"
    text = (REPOSITORY / "mkdocs.yml").read_text()
    config.write_text(text.replace("docs_dir: docs", f"docs_dir: {docs}"))
    command = [sys.executable, "-m", "mkdocs", "build", "--config-file", str(config)]
    command += ["--site-dir", str(folder / "site")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_site_has_no_dead_link(tmp_path: Path) -> None:
    built = build(tmp_path)
    assert built.returncode == 0, built.stderr
    assert "evidence_items" in (tmp_path / "site" / "tables.html").read_text()
