"""What the storage room refuses or cannot do, each with the facts a caller needs."""

from enum import StrEnum


class StorageError(Exception):
    """Base of everything this room raises on purpose."""


class IllegalTransition(StorageError):
    """The status may not move this way."""

    def __init__(self, subject: str, origin: str, target: str, allowed: tuple[str, ...]) -> None:
        super().__init__(subject, origin, target, allowed)
        self.subject = subject
        """What was to move, as a reader would name it: `package Flux`."""
        self.origin = origin
        self.target = target
        self.allowed = allowed
        """Where it may move from here, in the order of the life cycle."""

    def __str__(self) -> str:
        return f"{self.subject} is {self.origin} and cannot become {self.target}; it may become {' or '.join(self.allowed)}"


class Trouble(StrEnum):
    """Why a database cannot serve."""

    NOT_A_DATABASE = "is not a Buildatlas database"
    MISSING = "does not exist"
    CANNOT_OPEN = "cannot be opened"
    READ_ONLY = "cannot be written"
    BUSY = "is held by another writer"
    FULL = "has no room left on its disk"
    DAMAGED = "is damaged"
    NEWER = "was written by a newer Buildatlas"
    UNSUPPORTED = "is of a kind that is not supported"


class Unavailable(StorageError):
    """The database cannot do what was asked, and no other request would fare better."""

    def __init__(self, location: str, trouble: Trouble, detail: str) -> None:
        super().__init__(location, trouble, detail)
        self.location = location
        """The file's path, or the URL without its password."""
        self.trouble = trouble
        self.detail = detail
        """What to do, or what the driver said."""

    def __str__(self) -> str:
        return f"the database {self.location} {self.trouble}: {self.detail}"
