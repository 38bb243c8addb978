"""What the valid interactions of a day are, in one short text: their number and a hash.

Of a file a day, what the rows were made of follows (`daily_files`).
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.spark.rows import collected
from jobs.transforms.valid_rows import valid_interactions
from schemas.dataset.spec import DatasetSpec
from schemas.tables import lake as tables


def fingerprints_of(checked: DataFrame, spec: DatasetSpec) -> dict[date, str]:
    """For the valid rows of each day that has some: their number, and a hash no order changes."""
    table = tables.interactions(spec)
    row_hash = F.xxhash64(*table.column_names)
    counts = (
        valid_interactions(checked, table)
        .groupBy("ds")
        .agg(F.count("*").alias("rows"), F.bit_xor(row_hash).alias("hash"))
    )
    return {
        row["ds"]: f"{row['rows']}:{row['hash'] & 0xFFFFFFFFFFFFFFFF:016x}"
        for row in collected(counts)
    }
