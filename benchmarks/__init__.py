"""What the figures in docs/benchmarks/ are made with; `make benchmark` runs all of it."""
