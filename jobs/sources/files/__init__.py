"""The paths of the files of a source."""
