"""Errors of the terminal commands.

CommandError   the command cannot do what was asked
"""


class CommandError(Exception):
    """A command cannot do what was asked; the message is one line that says what to do."""
