"""The exceptions that reach a user as a message instead of a traceback."""


class UserError(Exception):
    """Something the user can mend: says the value seen, what was expected, and what to do."""


class PassingError(Exception):
    """Something that may pass by itself, such as a server that restarts: worth another try."""
