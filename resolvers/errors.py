"""Why a use case refuses a request, as facts; what the graph and storage rooms raise passes through as it is."""

from collections.abc import Sequence

from graph.errors import InvalidConstraint, InvalidVersion, excerpt

Path = tuple[str, ...]
"""Where in the request the fault lies: names of fields and indices."""


class Refusal(Exception):
    """Base of every refusal. Nothing has been changed."""

    def __init__(self, *facts: object, path: Path = ()) -> None:
        super().__init__(*facts)
        self.path = path


class BadInput(Refusal):
    """A field cannot be what it is."""

    def __init__(self, problem: str, *, path: Path) -> None:
        super().__init__(problem, path=path)
        self.problem = problem

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.problem}" if self.path else self.problem


class BadVersion(Refusal):
    """A version does not parse."""

    def __init__(self, cause: InvalidVersion, *, path: Path) -> None:
        super().__init__(cause, path=path)
        self.cause = cause

    def __str__(self) -> str:
        return str(self.cause)


class BadConstraint(Refusal):
    """A dependency's constraint does not parse."""

    def __init__(self, cause: InvalidConstraint, *, package: str, path: Path) -> None:
        super().__init__(cause, package, path=path)
        self.cause = cause
        self.package = package

    def __str__(self) -> str:
        return f"the constraint on {self.package}: {self.cause}"


class NotFound(Refusal):
    """What was named does not exist."""

    def __init__(self, subject: str, suggestions: Sequence[str] = (), *, path: Path = ()) -> None:
        super().__init__(subject, suggestions, path=path)
        self.subject = subject
        """What was looked for, as a reader would name it: `package Flxu`."""
        self.suggestions = tuple(suggestions)

    def __str__(self) -> str:
        hint = f"; did you mean {' or '.join(self.suggestions)}?" if self.suggestions else ""
        return f"there is no {self.subject}{hint}"


class AlreadyExists(Refusal):
    """A package of this name is registered with other content."""

    def __init__(self, name: str, differences: Sequence[str]) -> None:
        super().__init__(name, differences, path=("name",))
        self.name = name
        self.differences = tuple(differences)

    def __str__(self) -> str:
        return f"package {self.name} exists already: {'; '.join(self.differences)}. Update it instead"


class OtherContent(Refusal):
    """The version is published already with other content, which does not change."""

    def __init__(self, package: str, version: str, differences: Sequence[str], *, path: Path = ()) -> None:
        super().__init__(package, version, differences, path=path)
        self.package = package
        self.version = version
        self.differences = tuple(differences)
        """The fields that differ, each with what is stored and what was sent."""

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version} exists already, and what is published does not change: "
            f"{'; '.join(self.differences)}. Publish a new version"
        )


class NotADraft(Refusal):
    """The dependencies of a version are set once it is no draft any more."""

    def __init__(self, package: str, version: str, status: str) -> None:
        super().__init__(package, version, status, path=("version",))
        self.package = package
        self.version = version
        self.status = status

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version} is {self.status}, and only a DRAFT's dependencies may be set; "
            "publish a new version"
        )


class ClosesCycle(Refusal):
    """The version would close a dependency cycle over kinds that are to stay free of them."""

    def __init__(self, cycle: Sequence[str], *, path: Path = ()) -> None:
        super().__init__(cycle, path=path)
        self.cycle = tuple(cycle)
        """Package names, each requiring the next, the first repeated at the end."""

    def __str__(self) -> str:
        return f"this would close a dependency cycle: {' → '.join(self.cycle)}"


class StillRequired(Refusal):
    """Other packages require the one that is to be deleted."""

    def __init__(self, name: str, requirers: Sequence[str], total: int) -> None:
        super().__init__(name, requirers, total, path=("name",))
        self.name = name
        self.requirers = tuple(requirers)
        """The first of them."""
        self.total = total

    def __str__(self) -> str:
        more = f" and {self.total - len(self.requirers):,} more" if self.total > len(self.requirers) else ""
        return f"package {self.name} is required by {', '.join(self.requirers)}{more}; force deletes it all the same"


class NotPinned(Refusal):
    """A plan over pins is to be narrowed to a package that is not one of them."""

    def __init__(self, name: str) -> None:
        super().__init__(name, path=("packages",))
        self.name = name

    def __str__(self) -> str:
        return f"{excerpt(self.name)} is not among the pins that were solved for, so it cannot be planned with them"


class LimitExceeded(Refusal):
    """More was asked for than one request may."""

    def __init__(self, what: str, *, given: int, limit: int, path: Path = ()) -> None:
        super().__init__(what, given, limit, path=path)
        self.what = what
        self.given = given
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.given:,} {self.what}, at most {self.limit:,} are allowed in one request"


class LeaseLost(Refusal):
    """A worker speaks of a build that it holds no more."""

    def __init__(self, subject: str, why: str) -> None:
        super().__init__(subject, why, path=("lease",))
        self.subject = subject
        self.why = why

    def __str__(self) -> str:
        return f"{self.subject} is not held under this lease: {self.why}. Stop working on it"


class InUse(Refusal):
    """A package is to be deleted of which builds have not ended."""

    def __init__(self, name: str, builds: int) -> None:
        super().__init__(name, builds, path=("name",))
        self.name = name
        self.builds = builds

    def __str__(self) -> str:
        some = "1 build of it has" if self.builds == 1 else f"{self.builds:,} builds of it have"
        return f"package {self.name} is being built: {some} not ended. Cancel them, or wait for them"


class NotRetried(Refusal):
    """Another try at a build would come to nothing."""

    def __init__(self, subject: str, why: str) -> None:
        super().__init__(subject, why, path=("id",))
        self.subject = subject
        self.why = why

    def __str__(self) -> str:
        return f"{self.subject} cannot be tried again: {self.why}"


class NothingToTell(Refusal):
    """A receiver is to be told of an alert of which it is told nothing."""

    def __init__(self, alert_id: int, why: str) -> None:
        super().__init__(alert_id, why, path=("id",))
        self.alert_id = alert_id
        self.why = why

    def __str__(self) -> str:
        return f"nobody is told of alert {self.alert_id}: {self.why}"


class Gone(Refusal):
    """Something was deleted between planning and writing."""

    def __init__(self, subject: str) -> None:
        super().__init__(subject, path=("plan",))
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.subject} was deleted while this was being planned: ask again"


class TokenTaken(Refusal):
    """A token of this name has been made, and may have been revoked since."""

    def __init__(self, name: str) -> None:
        super().__init__(name, path=("name",))
        self.name = name

    def __str__(self) -> str:
        return f"there is or was a token {self.name}: take another name"


class Unauthenticated(Refusal):
    """Nobody knows who asks, and only some may."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class Forbidden(Refusal):
    """Whoever asks may not do this."""

    def __init__(self, token: str, *, needs: str, has: tuple[str, ...]) -> None:
        super().__init__(token, needs, has)
        self.token = token
        self.needs = needs
        self.has = has

    def __str__(self) -> str:
        return f"the token {self.token} has the scopes {', '.join(self.has)}, and this needs {self.needs}"
