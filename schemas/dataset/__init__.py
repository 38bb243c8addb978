"""Dataset specs: what a company's files hold, and how they are read."""
