"""Publications: a row for each published day."""

from __future__ import annotations

from schemas.tables.columns import Column, Table, Type
from schemas.tables.products.shared_columns import DS, PROVENANCE

PUBLICATIONS = Table(
    name="publications",
    description="One row for each published ds: the run that it is of, and when it was published.",
    key=("ds",),
    columns=(
        DS,
        Column(name="dataset", type=Type.STRING, description="The data set's name in its spec."),
        *PROVENANCE,
        Column(
            name="evidence_items_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of evidence_items.",
        ),
        Column(
            name="cold_user_scores_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of cold_user_scores.",
        ),
        Column(
            name="model_metrics_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of model_metrics.",
        ),
        Column(
            name="interactions",
            type=Type.INT64,
            minimum=1,
            description="Interactions up to ds that the publication is made of.",
        ),
        Column(
            name="late_interactions",
            type=Type.INT64,
            description=(
                "Change of interactions since the ds was first published: above 0 if late data "
                "came, below 0 if data was removed."
            ),
        ),
        Column(
            name="revision",
            type=Type.INT32,
            minimum=1,
            description=(
                "Number of the publication of this ds: 1 at first, and 1 more each time that the "
                "interactions or the run_id changed."
            ),
        ),
        Column(
            name="replaced_run_id",
            type=Type.STRING,
            nullable=True,
            description="run_id of the revision before; null for the first revision.",
        ),
        Column(
            name="data_read_at",
            type=Type.TIMESTAMP,
            description="When the profiles of ds were made, UTC. All other rows follow from them.",
        ),
        Column(
            name="made_at",
            type=Type.TIMESTAMP,
            description="When the last of the published rows was made, UTC.",
        ),
        Column(
            name="gate",
            type=Type.STRING,
            description=(
                "Decision of the gate, in words. It begins with `passed: ` or `chosen by hand: ` "
                "if the model trained for this ds is published, and with `kept the last published "
                "model` if the champion is. The rules follow."
            ),
        ),
        Column(
            name="published_at", type=Type.TIMESTAMP, description="When the day was published, UTC."
        ),
        Column(
            name="airflow_run_id",
            type=Type.STRING,
            nullable=True,
            description="Airflow run that published the ds; null if it was published by hand.",
        ),
        Column(
            name="evidence_quality_rows",
            type=Type.INT64,
            minimum=0,
            description="Published rows of evidence_quality.",
        ),
        Column(
            name="trained_ds",
            type=Type.DATE,
            description=(
                "The ds that the model was trained for. It is earlier than ds if the gate kept the "
                "model published last."
            ),
        ),
        *(
            Column(name=name, type=Type.INT64, nullable=True, description=description)
            for name, description in (
                (
                    "rows_read",
                    "Interactions that the last ingest of ds read from the source. If the source "
                    "has a file for each day, ingest reads only new and changed files. Null if the "
                    "journal of ds was deleted, and in publications older than this column.",
                ),
                ("rows_kept", "Rows of rows_read that became interactions."),
                (
                    "rows_quarantined",
                    "Rows of rows_read that were quarantined, each with a reason.",
                ),
                (
                    "rows_left_out",
                    "Rows of rows_read that were left out: events after ds, and rows that the "
                    "dataset spec does not choose. rows_read is the sum of rows_kept, "
                    "rows_quarantined and rows_left_out.",
                ),
                (
                    "list_quality_rows",
                    "Published rows of list_quality. Null in publications older than that table.",
                ),
            )
        ),
    ),
)
