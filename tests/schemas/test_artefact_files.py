"""What a trained model says of itself comes back as it was written, or is told in words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.run.artefact import Epoch, Provenance, read_curve, write_curve

MODEL = Provenance(
    ds="1998-03-31",
    model="melu",
    model_version="0123456789ab",
    vocabulary_checksum="f" * 64,
    best_epoch=2,
    train_tasks=1958,
)
EPOCH = Epoch(
    epoch=1,
    train_loss=0.5,
    validation_loss=math.nan,
    validation_mae=0.8,
    validation_mae_before=0.9,
    padding_share=0.1,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    MODEL.write(tmp_path)
    write_curve(tmp_path, [EPOCH, EPOCH])
    assert Provenance.read(tmp_path) == MODEL
    assert str(MODEL.run_id) == "1998-03-31.melu.0123456789ab"
    assert list(map(repr, read_curve(tmp_path))) == [repr(EPOCH)] * 2


@pytest.mark.parametrize("text", [None, '{"ds": "1998', '{"ds": "1998-03-31"}\n', "[1]\n", "\xff"])
def test_what_is_missing_or_cut_is_reported(tmp_path: Path, text: str | None) -> None:
    for name in ("model.json", "curve.jsonl"):
        if text is not None:
            (tmp_path / name).write_bytes(text.encode("latin-1"))
    advice = "is missing, cut or of another version.*Train again"
    with pytest.raises(UserError, match=rf"model\.json {advice}"):
        Provenance.read(tmp_path)
    with pytest.raises(UserError, match=rf"curve\.jsonl {advice}"):
        read_curve(tmp_path)
