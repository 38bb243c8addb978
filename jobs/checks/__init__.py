"""Great Expectations over the night's tables, and what people see of it."""
