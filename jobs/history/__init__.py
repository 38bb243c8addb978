"""Aggregates and histories of interactions that are kept from night to night."""
