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
        where = f"it may become {' or '.join(self.allowed)}" if self.allowed else "that is its end"
        return f"{self.subject} is {self.origin} and cannot become {self.target}; {where}"


class Trouble(StrEnum):
    """Why a database cannot serve."""

    NOT_A_DATABASE = "is not a Buildatlas database"
    MISSING = "does not exist"
    EMPTY = "is empty"
    CANNOT_OPEN = "cannot be opened"
    UNREACHABLE = "cannot be reached"
    DENIED = "does not allow it"
    READ_ONLY = "cannot be written"
    BUSY = "is held by another writer"
    CROWDED = "has no connection free"
    SLOW = "took too long"
    UNPLACED = "has written what was asked, but its place in the event log is not known"
    FULL = "has no room left on its disk"
    FAILING = "cannot be read from or written to its disk"
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


class OutOfTime(StorageError):
    """An operation was stopped, having taken as long as it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return (
            f"this was stopped after {self.seconds:g} s, which is as long as an operation may take: ask for less at "
            "once, or try again when the server has less to do"
        )


class FileTaken(StorageError):
    """A backup cannot be written under this name, because of what is there."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(path, detail)
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}"


class NotEmpty(StorageError):
    """The database that a backup should be restored into holds something."""

    def __init__(self, location: str, tables: tuple[str, ...]) -> None:
        super().__init__(location, tables)
        self.location = location
        self.tables = tables
        """Those with rows."""

    def __str__(self) -> str:
        return (
            f"the database {self.location} is not empty: there are rows in {', '.join(self.tables)}; "
            "a backup is restored into a new one"
        )


class UnknownValue(StorageError):
    """A column holds a value that this release has no name for."""

    def __init__(self, table: str, column: str, value: str) -> None:
        super().__init__(table, column, value)
        self.table = table
        self.column = column
        self.value = value

    def __str__(self) -> str:
        return (
            f"column `{self.column}` of `{self.table}` holds `{self.value}`, which this release does not know: "
            "a newer one wrote it; upgrade this one"
        )


class MendRefused(StorageError):
    """The database did not let a fault be mended. Nothing was changed."""

    def __init__(self, check: str, said: str) -> None:
        super().__init__(check, said)
        self.check = check
        self.said = said
        """What the driver said."""

    def __str__(self) -> str:
        return f"{self.check} could not be mended: {self.said}"
