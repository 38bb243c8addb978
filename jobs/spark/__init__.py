"""Spark itself: its session, its server, and frames in and out of the lake."""
