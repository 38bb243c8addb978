"""The tables in SQL: definitions, dialects, views, migrations."""
