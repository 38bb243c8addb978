"""The rules by which a model is published, with their thresholds and their words.

`rules`: metrics make sense, beat the baseline, gain by adapting, hold the champion. `list_rules`:
lists are not behind those of simpler methods or of the champion. `jobs.steps.gate` applies them and
decides; `docs/operations.md`, "The gate refused", has them in a table, and what an operator does.
"""
