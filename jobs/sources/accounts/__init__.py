"""What became of each row that was read."""
