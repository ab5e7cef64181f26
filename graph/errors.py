"""What the graph room refuses, each with the facts a caller needs to mend it."""


class GraphError(Exception):
    """Base of everything this room raises on purpose."""


class InvalidName(GraphError):
    """The text cannot name a package."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(text, problem)
        self.text = text
        self.problem = problem

    def __str__(self) -> str:
        return f"{excerpt(self.text)} is not a package name: {self.problem}"


class _Unparsable(GraphError):
    """A text that does not parse, with the place where it stops making sense."""

    kind: str

    def __init__(self, text: str, position: int, expected: str) -> None:
        super().__init__(text, position, expected)
        self.text = text
        self.position = position
        """Characters before the first one that does not fit, so 0 is the start."""
        self.expected = expected

    def __str__(self) -> str:
        # People count from one.
        where = f"at character {self.position + 1}"
        return f"{excerpt(self.text)} is not a {self.kind}: {where}, expected {self.expected}"


class InvalidVersion(_Unparsable):
    """The text is not a PEP 440 version."""

    kind = "version"


class InvalidConstraint(_Unparsable):
    """The text is not a union of PEP 440 specifier sets."""

    kind = "constraint"


class GaveUp(GraphError):
    """The work budget ran out. This says nothing about whether an answer exists."""

    def __init__(self, conflicts: int, decisions: int) -> None:
        super().__init__(conflicts, decisions)
        self.conflicts = conflicts
        self.decisions = decisions

    def __str__(self) -> str:
        return (
            f"the solver stopped at its budget after {self.decisions:,} decisions and {self.conflicts:,} conflicts; "
            "whether a solution exists is not known. Narrower constraints leave it less to search"
        )


# Long enough for any real version or constraint; a megabyte sent by mistake must not come back in the message.
_EXCERPT = 60


def excerpt(text: str) -> str:
    """Return `text` quoted for a message, cut when it is long."""
    return repr(text) if len(text) <= _EXCERPT else repr(text[:_EXCERPT]) + "…"
