"""A reader for each format of a source."""
