"""Evidence lists: what to show new users so that their answers tell most of their taste."""
