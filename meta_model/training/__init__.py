"""Meta-training: alone or over processes, resumed after a kill."""
