"""The tables in other libraries' words: Spark, Arrow, Great Expectations."""
