"""The rules by which a model is published."""
