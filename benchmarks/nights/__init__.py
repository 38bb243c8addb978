"""The lists of several nights, their users taken together: `python -m benchmarks.nights`."""
