"""Users and items as learners know them: attributes, statistics, identity, neighbours."""
