"""Where the files of a source lie."""
