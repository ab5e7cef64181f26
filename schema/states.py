"""States of builds: enumerations of the API, and what storage has for them."""

from collections.abc import Iterable

from schema.enums import BuildConclusion, BuildStatus
from storage import transitions


def stored_statuses(given: Iterable[BuildStatus] | None) -> tuple[transitions.BuildStatus, ...] | None:
    """Return storage's form of some states; None stands for all."""
    return None if given is None else tuple(transitions.BuildStatus[each.name] for each in given)


def stored_conclusions(
    given: Iterable[BuildConclusion] | None,
) -> tuple[transitions.BuildConclusion, ...] | None:
    """Return storage's form of some conclusions; None stands for all."""
    return None if given is None else tuple(transitions.BuildConclusion[each.name] for each in given)
