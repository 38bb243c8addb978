"""Meta-learning and scoring of the night: `python -m meta_model <step> --ds YYYY-MM-DD`."""
