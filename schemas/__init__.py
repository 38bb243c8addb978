"""The contracts every other package agrees on: tables, dataset specs, settings, the lake's layout.

The modules that state facts (`columns`, `tables`, `products`, `dataset_spec`, `settings`, `lake`,
`journal`) need only the standard library. Each projection of those facts into a library's own
language lives in the module named after it: `arrow`, `spark`, `expectations`, `ddl`, `docs`.
"""
