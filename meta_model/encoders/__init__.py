"""Encoders of users and items: features, statistics, item ids, neighbours on meta-paths."""
