"""Meta-training: alone or over processes, and taken up again after a kill."""
