"""The one exception that reaches a user as a message instead of a traceback."""


class UserError(Exception):
    """Something the user can mend: says the value seen, what was expected, and what to do."""
