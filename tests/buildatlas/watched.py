"""What `buildStatus` delivers, made up."""

from typing import Any, Final

from buildatlas.board import Build, Item

GAP: Final[Item] = {"__typename": "EventGap", "requested": "1", "resumeFrom": "5"}


def build(package: str, status: str, conclusion: str | None = None, **others: object) -> Build:
    """Return a build of `package` 1.0, whose id is the package's name."""
    ended = "2026-01-01T12:00:30Z" if status == "COMPLETED" else None
    return {
        "id": package,
        "status": status,
        "conclusion": conclusion,
        "worker": None,
        "durationSeconds": None,
        "message": None,
        "reason": None,
        "packageVersion": {"version": "1.0", "package": {"name": package}},
        "startedAt": None,
        "completedAt": ended,
        **others,
    }


def snapshot(*builds: Build, cursor: str = "1", complete: bool = True) -> Item:
    """Return a beginning, or a part of one."""
    return {"__typename": "BuildSnapshot", "cursor": cursor, "complete": complete, "builds": list(builds)}


def event(
    now: Build, to: str | None = None, conclusion: str | None = None, cursor: str = "2", **others: object
) -> dict[str, Any]:
    """Return an event about a build that is `now`, of its coming `to` a state; None: of something else."""
    transition = None if to is None else {"to": to, "conclusion": conclusion, "reason": None}
    return {
        "__typename": "Event",
        "cursor": cursor,
        "at": "2026-01-01T12:03:04.5Z",
        "subject": now["id"],
        "package": now["packageVersion"]["package"]["name"],
        "version": "1.0",
        "transition": transition,
        "build": now,
        **others,
    }
