"""The rows of a source, in any format and layout, as frames that ingest checks and writes."""
