"""What a source holds, however it lies there, as frames that ingest checks and writes."""
