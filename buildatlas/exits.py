"""What the command line's exit codes say, besides 0: it is done, and the answer is yes."""

from enum import IntEnum


class Exit(IntEnum):
    """Why a command did not end with 0."""

    NO = 1
    """There is an answer, and it is no."""
    WRONG_USE = 2
    FAILED = 3
