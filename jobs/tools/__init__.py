"""Commands that are no steps of the night."""
