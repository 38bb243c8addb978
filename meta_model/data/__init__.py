"""From the lake's Parquet tables to padded batches of tasks."""
