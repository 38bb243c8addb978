"""Layers that know what a task adapts, and what a score says of ratings."""
