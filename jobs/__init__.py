"""Spark and warehouse work of the night: `python -m jobs <step> --ds YYYY-MM-DD`."""
