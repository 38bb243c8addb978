"""How each format of a source is read."""
