"""Other people's recommenders, each by its own code, in an environment of their own."""
