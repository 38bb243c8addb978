"""One file a step of the night."""
