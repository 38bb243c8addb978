"""A scheduled night is late some hours after its day; what people start is never late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.models import DagRun, import_all_models
from airflow.serialization.decoders import decode_deadline_alert
from airflow.serialization.encoders import encode_deadline_alert
from night_settings import DEADLINE
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

DAY = datetime(1998, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run_type", "expected"),
    [
        ("scheduled", DAY + timedelta(days=1, hours=6)),
        ("backfill", None),
        ("manual", None),
    ],
)
def test_late_after(run_type: str, expected: datetime | None, tmp_path: Path) -> None:
    """Through Airflow's serialization, as its scheduler sees it."""
    engine = create_engine(f"sqlite:///{tmp_path / 'airflow.db'}")
    import_all_models()
    DagRun.metadata.create_all(engine)
    alert = decode_deadline_alert(encode_deadline_alert(DEADLINE))
    with Session(engine) as session:
        run = DagRun(
            dag_id="coldstart_nightly",
            run_id="r",
            run_type=run_type,
            logical_date=DAY,
            data_interval=(DAY, DAY + timedelta(days=1)),
            run_after=DAY + timedelta(days=1),
            state="running",
        )
        session.add(run)
        session.flush()
        late = alert.reference.evaluate_with(
            session=session, interval=alert.interval, dag_id=run.dag_id, run_id=run.run_id
        )
    assert late == expected
