"""What every table holds: columns, types, meaning, bounds."""
