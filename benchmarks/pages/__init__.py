"""The pages of docs/benchmarks, made of records."""
