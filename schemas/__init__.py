"""The contracts every other package agrees on: the night, tables, dataset specs, the lake.

What states facts needs only the standard library. `projections` puts those facts into other
libraries' words; `docs` writes them for people.
"""
