"""What this room refuses by itself, each with the facts a caller needs."""


class SchemaError(Exception):
    """Base of everything this room raises on purpose."""


class InvalidId(SchemaError):
    """The text is not an id that this server gave out."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return (
            f"{self.text!r:.60} is not an id of this server: ids are opaque, pass on what a field `id` gave"
        )


class InvalidPage(SchemaError):
    """The page arguments do not name a page."""

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(argument, problem)
        self.argument = argument
        self.problem = problem

    def __str__(self) -> str:
        return f"`{self.argument}` {self.problem}"


class WrongType(SchemaError):
    """The id is one of this server, but of an object that cannot be meant."""

    def __init__(self, argument: str, found: str, expected: tuple[str, ...]) -> None:
        super().__init__(argument, found, expected)
        self.argument = argument
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"`{self.argument}` is the id of a {self.found}, and has to be that of a {' or '.join(self.expected)}"


class Behind(SchemaError):
    """The event log has not reached a position that it was to have reached."""

    def __init__(self, position: int, *, newest: int, seconds: float) -> None:
        super().__init__(position, newest, seconds)
        self.position = position
        self.newest = newest
        self.seconds = seconds

    def __str__(self) -> str:
        return (
            f"position {self.position} has not been reached within {self.seconds:g} s: the newest event is "
            f"{self.newest}. Try again, or see whether the position is from another database"
        )


class RepeatedLabel(SchemaError):
    """A list of labels gives one key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"the label {self.key!r:.60} is given twice: a key has one value"


class TooLarge(SchemaError):
    """An operation holds or asks for more than a limit allows."""

    def __init__(self, what: str, *, found: int, allowed: int) -> None:
        super().__init__(what, found, allowed)
        self.what = what
        self.found = found
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.what}: {self.found:,}, and at most {self.allowed:,} is allowed in one operation"


class Busy(SchemaError):
    """As much is to be worked out already as may wait."""

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting)
        self.waiting = waiting

    def __str__(self) -> str:
        return f"{self.waiting} resolutions, plans and the like are waiting to be worked out already: try again later"


class SlowConsumer(SchemaError):
    """A subscriber does not take what is delivered to it."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"more than {self.limit} messages were waiting to be read: resume after the last cursor you have"
        )


class Vanished(SchemaError):
    """Something was deleted while the operation was reading around it."""

    def __init__(self, what: str, of: str) -> None:
        super().__init__(what, of)
        self.what = what
        self.of = of

    def __str__(self) -> str:
        return f"the {self.what} of {self.of} was deleted just now: ask again"
