"""Pure functions from frames to frames: no reads, no writes, no session."""
