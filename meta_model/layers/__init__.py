"""Layers: adapted and fast weights, local updates, memories, and likelihoods of ratings."""
